"""Fine-tuning with Hugging Face's Trainer: dynamic padding, AdamW, linear schedule; fp32 or bf16 autocast."""

import tempfile
import time

import protocol

versions = protocol.require("torch", "transformers", "accelerate", "numpy")
import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    PrinterCallback,
    Trainer,
    TrainingArguments,
)


def train(folder, texts, labels, recipe, bf16=False, by_length=False, steps=-1, predict=None):
    """Seconds of one epoch, tokenising included; with `predict`, the labels of those texts by the trained weights."""
    torch.manual_seed(recipe["seed"])
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, num_labels=recipe["classes"], dtype=torch.float32, **recipe.get("dropout", {})
    )

    def encode(some):
        return tokenizer(some, truncation=True, max_length=recipe["max_length"])["input_ids"]

    with tempfile.TemporaryDirectory() as scratch:
        total = -(-len(texts) // recipe["batch"])
        arguments = TrainingArguments(
            output_dir=scratch, per_device_train_batch_size=recipe["batch"], num_train_epochs=1, max_steps=steps,
            learning_rate=recipe["learning_rate"], weight_decay=recipe["weight_decay"], lr_scheduler_type="linear",
            warmup_steps=round(recipe["warmup_ratio"] * total), seed=recipe["seed"], bf16=bf16, use_cpu=True,
            train_sampling_strategy="group_by_length" if by_length else "random", remove_unused_columns=False,
            save_strategy="no", logging_strategy="no", report_to="none", disable_tqdm=True,
        )
        began = time.perf_counter()
        rows = [{"input_ids": ids, "labels": label} for ids, label in zip(encode(texts), labels)]
        trainer = Trainer(model=model, args=arguments, train_dataset=rows, data_collator=DataCollatorWithPadding(tokenizer))
        trainer.remove_callback(PrinterCallback)
        trainer.train()
        seconds = time.perf_counter() - began
    return {"seconds": seconds, "predicted": _predict(model, encode(predict)) if predict else None}


@torch.inference_mode()
def _predict(model, rows):
    model.eval()
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    out = [0] * len(rows)
    for at in range(0, len(order), 32):
        part = order[at : at + 32]
        longest = max(len(rows[i]) for i in part)
        ids = torch.tensor([rows[i] + [0] * (longest - len(rows[i])) for i in part])
        found = model(input_ids=ids, attention_mask=(ids != 0).long()).logits.argmax(-1).tolist()
        for i, label in zip(part, found):
            out[i] = label
    return out


protocol.serve(versions, train=train)

"""Hugging Face's DistilBERT in PyTorch over texts: fp32, bf16 or int8 (dynamic), any batch, sorted by length or not."""

import statistics
import time

import protocol

versions = protocol.require("torch", "transformers", "numpy")
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

state = {}


def setup(folder, texts, max_tokens, modes):
    """Loads the tokenizer and the model in each mode; returns the modes that work here."""
    state.update(texts=texts, max_tokens=max_tokens, models={})
    state["tokenizer"] = AutoTokenizer.from_pretrained(folder)
    works = []
    for mode in modes:
        try:
            state["models"][mode] = _load(folder, mode)
            _logits(mode, texts[:2])
            works.append(mode)
        except Exception:
            state["models"].pop(mode, None)
    return {"modes": works, "threads": torch.get_num_threads()}


def _load(folder, mode):
    dtype = torch.bfloat16 if mode == "bf16" else torch.float32
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=dtype).eval()
    if mode == "int8":
        model = torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear}, dtype=torch.qint8)
    return model


def _encode(texts):
    return state["tokenizer"](texts, truncation=True, max_length=state["max_tokens"])["input_ids"]


@torch.inference_mode()
def _forward(mode, rows):
    longest = max(map(len, rows))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    mask = None if all(len(row) == longest for row in rows) else (ids != 0).long()
    return state["models"][mode](input_ids=ids, attention_mask=mask).logits.float()


def _logits(mode, texts):
    return _forward(mode, _encode(texts))


def run(mode, batch, sort, count):
    """Texts a second, tokenising included."""
    texts = state["texts"][:count]
    _logits(mode, texts[:batch])
    began = time.perf_counter()
    if batch == 1:
        for text in texts:
            _logits(mode, [text]).softmax(-1)
        return len(texts) / (time.perf_counter() - began)
    rows = _encode(texts)
    if sort:
        rows.sort(key=len, reverse=True)
    for at in range(0, len(rows), batch):
        _forward(mode, rows[at : at + batch]).softmax(-1)
    return len(texts) / (time.perf_counter() - began)


def latency(mode, count):
    """Median milliseconds of one text at a time."""
    times = []
    for text in state["texts"][:count]:
        before = time.perf_counter()
        _logits(mode, [text]).softmax(-1)
        times.append((time.perf_counter() - before) * 1000)
    return statistics.median(times)


def logits(mode, count):
    return [_logits(mode, [text])[0].tolist() for text in state["texts"][:count]]


protocol.serve(versions, setup=setup, run=run, latency=latency, logits=logits)

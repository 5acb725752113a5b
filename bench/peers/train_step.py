"""One training step of Hugging Face's DistilBERT in PyTorch: fp32 eager, compiled, or under bf16 autocast."""

import signal
import statistics

import protocol

versions = protocol.require("torch", "transformers", "numpy")
import torch
from transformers import DistilBertConfig, DistilBertForSequenceClassification

state = {}


def setup(layers, hidden, heads, rows, tokens, dropout, modes):
    """Builds the model; returns the modes that work here."""
    torch.manual_seed(0)
    config = DistilBertConfig(
        vocab_size=1000, dim=hidden, n_layers=layers, n_heads=heads, hidden_dim=4 * hidden, num_labels=5,
        max_position_embeddings=max(512, tokens), dropout=dropout, attention_dropout=0.0, seq_classif_dropout=dropout,
    )
    model = DistilBertForSequenceClassification(config).train()
    batch = {
        "input_ids": torch.randint(5, 1000, (rows, tokens)),
        "attention_mask": torch.ones(rows, tokens, dtype=torch.long),
        "labels": torch.zeros(rows, dtype=torch.long),
    }
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-5, weight_decay=0.01, fused=True)
    state.update(batch=batch, optimiser=optimiser, models={"eager": model, "bf16": model})
    if "compiled" in modes and not _compile(model):
        modes = [mode for mode in modes if mode != "compiled"]
    return {"modes": modes, "threads": torch.get_num_threads()}


def _compile(model):
    """torch.compile, given a minute; False where it takes longer or does not work."""

    def give_up(*_):
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(60)
    try:
        state["models"]["compiled"] = torch.compile(model)
        _backward("compiled")
        _backward("compiled")
        return True
    except BaseException as error:
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        return False
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
        state["optimiser"].zero_grad()


def _backward(mode):
    model = state["models"][mode]
    with torch.autocast("cpu", torch.bfloat16, enabled=mode == "bf16"):
        loss = model(**state["batch"]).loss
    loss.backward()


def measure(mode, seconds, update):
    """Median milliseconds of a step, with or without the optimiser."""
    optimiser = state["optimiser"]

    def step():
        _backward(mode)
        if update:
            optimiser.step()
        optimiser.zero_grad()

    step()
    return statistics.median(protocol.milliseconds(step, seconds))


protocol.serve(versions, setup=setup, measure=measure)

"""A Hugging Face classifier as transformers.js reads it: onnx/model.onnx and, dynamically quantised, model_quantized.onnx."""

import json
import pathlib
import shutil

import protocol

versions = protocol.require("torch", "transformers", "onnx", "onnxruntime")
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from transformers import AutoModelForSequenceClassification


class Logits(torch.nn.Module):
    """A plain signature for the exporter."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask):
        return self.model(input_ids=input_ids, attention_mask=attention_mask).logits


def export(folder, out, max_tokens):
    """The conversion of transformers.js's own script: 8-bit signed weights, MatMul and Gemm, no calibration."""
    out = pathlib.Path(out)
    (out / "onnx").mkdir(parents=True, exist_ok=True)
    for name in ("config.json", "tokenizer.json"):
        shutil.copy(pathlib.Path(folder) / name, out / name)
    settings = json.loads((pathlib.Path(folder) / "tokenizer_config.json").read_text())
    settings["model_max_length"] = max_tokens
    (out / "tokenizer_config.json").write_text(json.dumps(settings))
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    ids = torch.randint(5, 1000, (2, 16))
    names = ["input_ids", "attention_mask"]
    fp32 = str(out / "onnx" / "model.onnx")
    torch.onnx.export(
        Logits(model.eval()), (ids, torch.ones_like(ids)), fp32, input_names=names, output_names=["logits"],
        dynamic_axes={name: {0: "batch", 1: "tokens"} for name in names} | {"logits": {0: "batch"}},
        opset_version=18, dynamo=False,
    )
    quantize_dynamic(fp32, str(out / "onnx" / "model_quantized.onnx"), weight_type=QuantType.QInt8)
    return True


protocol.serve(versions, export=export)

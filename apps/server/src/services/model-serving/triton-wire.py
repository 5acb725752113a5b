"""The real Triton HTTP client against this server: binary and JSON, a pinned version, an error. argv: host:port attack benign"""
import sys

import numpy
import tritonclient.http as triton

address, attack, benign = sys.argv[1:4]
client = triton.InferenceServerClient(address)
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("distilbert")
assert client.get_model_metadata("distilbert")["inputs"][0]["name"] == "text"


def infer(binary, version=""):
    texts = triton.InferInput("text", [2], "BYTES")
    texts.set_data_from_numpy(numpy.array([attack.encode(), benign.encode()], dtype=object), binary_data=binary)
    outputs = [triton.InferRequestedOutput(name, binary_data=binary) for name in ("label", "score", "probabilities")]
    answer = client.infer("distilbert", [texts], outputs=outputs, model_version=version)
    labels = [value.decode() if isinstance(value, bytes) else value for value in answer.as_numpy("label")]
    return labels, answer.as_numpy("score").tolist(), answer.as_numpy("probabilities").shape


for binary in (True, False):
    for version in ("", "1"):
        labels, scores, shape = infer(binary, version)
        assert labels == ["prompt_injection", "benign"], labels
        assert scores[0] > 0.5 > scores[1] and shape == (2, 5)
try:
    one = triton.InferInput("text", [1], "BYTES")
    one.set_data_from_numpy(numpy.array([b"x"], dtype=object))
    client.infer("no-such-model", [one])
    raise SystemExit("an unknown model was served")
except triton.InferenceServerException as error:
    assert "no-such-model" in str(error), error
print("triton client: fine")

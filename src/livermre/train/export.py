"""From a checkpoint to the file that the analysis loads: ONNX with small weights and a model card beside it."""

import hashlib
import io
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from livermre.train.classes import CLASSES

Weights = Literal["int8", "fp16", "fp32"]

_SMALLEST = 4096
"""Tensors with fewer numbers stay fp32: they cost nothing and biases matter."""


class _WithSoftmax(torch.nn.Module):
    """The network with probabilities instead of logits."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return torch.softmax(self.network(image), dim=1)


def export(network: torch.nn.Module, path: Path, weights: Weights, card: Mapping[str, object]) -> None:
    """Write `path` (.onnx) and its .json card, which gets classes, weight format and the file's SHA-256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    model = shrink(to_onnx(network), weights)
    path.write_bytes(model.SerializeToString())
    full = {
        **card,
        "classes": list(CLASSES),
        "weights": weights,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    path.with_suffix(".json").write_text(json.dumps(full, indent=1) + "\n")


def to_onnx(network: torch.nn.Module) -> onnx.ModelProto:
    """The network as ONNX, any batch and any image size, batch normalisation folded into the convolutions."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # the older exporter folds batch normalisation and needs no further package; torch warns that it is older
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            _WithSoftmax(network).eval().cpu(),
            (torch.zeros(1, 3, 96, 96),),
            buffer,
            input_names=["image"],
            output_names=["probability"],
            dynamic_axes={"image": {0: "b", 2: "h", 3: "w"}, "probability": {0: "b", 2: "h", 3: "w"}},
            opset_version=17,
            dynamo=False,
        )
    return onnx.load_from_string(buffer.getvalue())


def shrink(model: onnx.ModelProto, weights: Weights) -> onnx.ModelProto:
    """The same network with convolution weights stored as int8 (a scale per output channel) or fp16."""
    if weights == "fp32":
        return model
    graph = model.graph
    kept, nodes = [], []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.ndim != 4 or values.size < _SMALLEST:
            kept.append(tensor)
            continue
        more_tensors, node = _int8(tensor.name, values) if weights == "int8" else _fp16(tensor.name, values)
        kept.extend(more_tensors)
        nodes.append(node)
    del graph.initializer[:]
    graph.initializer.extend(kept)
    old = list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes + old)
    return model


def _int8(name: str, values: np.ndarray) -> tuple[list[TensorProto], onnx.NodeProto]:
    scale = np.maximum(np.abs(values).max(axis=(1, 2, 3)), 1e-12) / 127
    small = np.clip(np.round(values / scale[:, None, None, None]), -127, 127).astype(np.int8)
    zero = np.zeros(len(scale), dtype=np.int8)
    tensors = [
        numpy_helper.from_array(small, f"{name}_int8"),
        numpy_helper.from_array(scale.astype(np.float32), f"{name}_scale"),
        numpy_helper.from_array(zero, f"{name}_zero"),
    ]
    inputs = [t.name for t in tensors]
    return tensors, helper.make_node("DequantizeLinear", inputs, [name], name=f"{name}_dequantize", axis=0)


def _fp16(name: str, values: np.ndarray) -> tuple[list[TensorProto], onnx.NodeProto]:
    tensor = numpy_helper.from_array(values.astype(np.float16), f"{name}_fp16")
    return [tensor], helper.make_node("Cast", [tensor.name], [name], name=f"{name}_cast", to=TensorProto.FLOAT)

"""Start a training from weights that exist: a checkpoint of a run, or an exported network (the shipped one too)."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from livermre.exam.errors import ModelError


def load_checkpoint(path: Path, device: str) -> dict:
    """The state that a run saved; ModelError where the file is missing or something else."""
    if not path.is_file():
        raise ModelError(f"no weights at {path}; --from takes the checkpoint.pt or the .onnx of a run")
    try:
        state = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # torch raises whatever its unpickler met
        raise ModelError(f"{path.name} is not a checkpoint of livermre train") from error
    if not isinstance(state, dict) or not {"step", "network", "average", "optimiser", "settings"} <= set(state):
        raise ModelError(f"{path.name} is not a checkpoint of livermre train")
    return state


def copy_weights(network: nn.Module, state: dict[str, torch.Tensor], source: str) -> None:
    """Put weights into a network; ModelError where they belong to another kind of network."""
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise ModelError(f"{source} holds the weights of another network") from error


def copy_onnx(network: nn.Module, path: Path, images: torch.Tensor) -> None:
    """Put the weights of an exported network into its trainable twin.

    images  (B, 3, N, N) float32 typical input

    Export folds every batch normalisation into the convolution before it. Here each one is unfolded again: its
    statistics are measured on the images, its scale and shift chosen to undo them, so that the network computes the
    same function and can be trained on. Convolutions are matched in the order of computation.

    Raises ModelError for a file that is no ONNX network or another network than this one.
    """
    folded = _convolutions(path)
    modules = _in_order(network, images)
    if [tuple(w.shape) for w, _ in folded] != [tuple(c.weight.shape) for c, _ in modules]:
        raise ModelError(f"{path.name} holds the weights of another network")
    handles = []
    for (weight, bias), (convolution, norm) in zip(folded, modules, strict=True):
        convolution.weight.data.copy_(torch.from_numpy(weight))
        if norm is None:
            if convolution.bias is not None and bias is not None:
                convolution.bias.data.copy_(torch.from_numpy(bias))
            continue
        shift = torch.zeros(len(weight)) if bias is None else torch.from_numpy(bias)
        handles.append(norm.register_forward_pre_hook(_unfold(shift.to(images.device))))
    with torch.no_grad():
        network.eval()(images)
    for handle in handles:
        handle.remove()


def _unfold(shift: torch.Tensor) -> Callable[[nn.BatchNorm2d, tuple[torch.Tensor]], None]:
    """A hook that lets a batch normalisation undo itself on what it sees, up to the shift."""

    def hook(norm: nn.BatchNorm2d, inputs: tuple[torch.Tensor]) -> None:
        x = inputs[0]
        mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3))
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.data.copy_((variance + norm.eps).sqrt())
        norm.bias.data.copy_(mean + shift)

    return hook


def _in_order(network: nn.Module, images: torch.Tensor) -> list[tuple[nn.Conv2d, nn.BatchNorm2d | None]]:
    """Convolutions in the order of computation, each with the batch normalisation that takes its output."""
    seen: list[nn.Module] = []
    handles = [
        m.register_forward_hook(lambda module, *_: seen.append(module))
        for m in network.modules()
        if isinstance(m, nn.Conv2d | nn.ConvTranspose2d | nn.BatchNorm2d)
    ]
    with torch.no_grad():
        network.eval()(images[:1])
    for handle in handles:
        handle.remove()
    after = [*seen[1:], None]
    return [
        (m, n if isinstance(n, nn.BatchNorm2d) else None)
        for m, n in zip(seen, after, strict=True)
        if not isinstance(m, nn.BatchNorm2d)
    ]


def _convolutions(path: Path) -> list[tuple[np.ndarray, np.ndarray | None]]:
    """Weight and bias, float32, of every convolution of an ONNX file in the order of computation."""
    try:
        graph = onnx.load(path).graph
    except Exception as error:  # protobuf raises its own family
        raise ModelError(f"{path.name} is not an ONNX network") from error
    values = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    for node in graph.node:
        if node.op_type == "DequantizeLinear":
            weight, scale = values[node.input[0]], values[node.input[1]]
            values[node.output[0]] = weight * scale.reshape(-1, *[1] * (weight.ndim - 1))
        elif node.op_type in ("Cast", "Identity") and node.input[0] in values:
            values[node.output[0]] = values[node.input[0]]
    nodes = [n for n in graph.node if n.op_type in ("Conv", "ConvTranspose")]
    as_float = {n: v.astype(np.float32) for n, v in values.items()}
    return [(as_float[n.input[1]], as_float[n.input[2]] if len(n.input) > 2 else None) for n in nodes]

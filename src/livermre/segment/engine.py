"""The network at run time: weights checked by hash, compiled once per process, never fetched from anywhere."""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from livermre.exam.errors import ModelError
from livermre.exam.types import ModelCard
from livermre.segment.plain_weights import make_plain

Device = Literal["auto", "cpu", "cuda"]

_SHIPPED = "livermre-liver"


@dataclass(frozen=True)
class ModelFile:
    """An ONNX file with what the caller must know of it."""

    path: Path
    card: ModelCard
    pixel_mm: float
    liver: int  # channel of the liver among the output classes


class Engine(Protocol):
    """Runs the network: (B, 3, N, M) float32 -> (B, K, N, M) float32 class probabilities."""

    name: str

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Class probabilities of a batch."""
        ...


def find_model(model: str | Path = "default") -> ModelFile:
    """The shipped model, or one from a file with its .json card beside it.

    Raises ModelError where the file is missing, its card is missing, or its SHA-256 is not the one of the card.
    """
    folder = Path(str(resources.files("livermre.segment"))) / "weights"
    path = folder / f"{_SHIPPED}.onnx" if str(model) in ("default", _SHIPPED) else Path(model)
    card_path = path.with_suffix(".json")
    if not path.is_file():
        raise ModelError(f"no network weights at {path.name}; give an .onnx file that `livermre train` wrote")
    if not card_path.is_file():
        raise ModelError(f"{path.name} has no {card_path.name} beside it; `livermre train` writes both")
    try:
        card = json.loads(card_path.read_text())
        known = (str(card["sha256"]), str(card["name"]), str(card["version"]))
        pixel_mm, liver = float(card["pixel_mm"]), list(card["classes"]).index("liver")
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{card_path.name} is not a livermre model card ({error!r})") from error
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != known[0]:
        raise ModelError(f"{path.name} was altered: its SHA-256 is {found[:12]}…, its card says {known[0][:12]}…")
    return ModelFile(path, ModelCard(known[1], known[2], found), pixel_mm, liver)


def load_engine(model: ModelFile, device: Device = "auto", precision: str = "auto") -> Engine:
    """The compiled network; loaded once per process for each file and device.

    device     auto: CUDA where ONNX Runtime has it, else OpenVINO on the CPU
    precision  auto: bf16 where the CPU has it; f32 or bf16 to force one
    """
    return _engine(str(model.path), model.card.sha256, device, precision)


@cache
def _engine(path: str, sha256: str, device: Device, precision: str) -> Engine:
    if device == "cuda" or (device == "auto" and _has_cuda()):
        return _OnnxRuntime(path, ["CUDAExecutionProvider"])
    try:
        return _OpenVino(path, precision)
    except ImportError:
        return _OnnxRuntime(path, ["CPUExecutionProvider"])


def _has_cuda() -> bool:
    try:
        import onnxruntime
    except ImportError:
        return False
    return "CUDAExecutionProvider" in onnxruntime.get_available_providers()


class _OpenVino:
    """OpenVINO on the CPU."""

    def __init__(self, path: str, precision: str) -> None:
        import openvino

        core = openvino.Core()
        # never more than one stream: OpenVINO 2026.4 then takes int8 weights of one layer for those of another
        hints: dict[str, str] = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1"}
        if precision != "auto":
            hints["INFERENCE_PRECISION_HINT"] = precision
        elif "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            hints["INFERENCE_PRECISION_HINT"] = "bf16"
        try:
            network = core.read_model(path)
            make_plain(network)
            self._compiled = core.compile_model(network, "CPU", hints)
        except RuntimeError as error:
            raise ModelError(f"{Path(path).name} is not a network that OpenVINO can run") from error
        self.name = f"openvino-{hints.get('INFERENCE_PRECISION_HINT', 'f32')}"

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Class probabilities of a batch."""
        return np.asarray(self._compiled([np.ascontiguousarray(image, dtype=np.float32)])[0])


class _OnnxRuntime:
    """ONNX Runtime, on CUDA or as the CPU fallback."""

    def __init__(self, path: str, providers: list[str]) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise ModelError(
                "this device needs ONNX Runtime: pip install onnxruntime (for CUDA onnxruntime-gpu)"
            ) from error
        try:
            self._session = onnxruntime.InferenceSession(path, providers=providers)
        except Exception as error:  # onnxruntime raises its own untyped family
            raise ModelError(
                f"{Path(path).name} is not a network that ONNX Runtime can run on {providers[0]}"
            ) from error
        self._input = self._session.get_inputs()[0].name
        self.name = "onnxruntime-" + providers[0].removesuffix("ExecutionProvider").lower()

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Class probabilities of a batch."""
        return np.asarray(self._session.run(None, {self._input: np.ascontiguousarray(image, dtype=np.float32)})[0])

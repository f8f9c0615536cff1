"""What `livermre train` does: settings in, a run folder with curves, checkpoint and ONNX out."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from livermre.exam.errors import InputError, SettingsError
from livermre.train import parallel
from livermre.train.curves import TensorBoardCurves
from livermre.train.export import Weights, export
from livermre.train.loop import MakeBatch, Stage, Trainer, TrainSettings, run
from livermre.train.pairs import paired_batches
from livermre.train.sources import bank_and_weights, synthetic_bank
from livermre.train.synthesis import FIELD_MM, Batch, make_batch
from livermre.version import __version__

Report = Callable[[str, int, int], None]
"""(what is going on, how many done, how many in all)"""


@dataclass(frozen=True)
class TrainRequest:
    """One training as asked for on the command line."""

    out: Path
    data: Path | None = None
    synthetic: Path | None = None
    start_from: Path | None = None
    settings: TrainSettings = TrainSettings()
    weights: Weights = "int8"
    name: str = "livermre-liver"
    licence: str = ""


def train(request: TrainRequest, report: Report) -> Path:
    """Train (or go on training) and export; gives the path of the ONNX file.

    Raises SettingsError for contradicting requests, InputError for unusable data.
    """
    settings = request.settings
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise SettingsError("--device cuda: PyTorch finds no CUDA device on this machine")
    parallel.join(settings.device)
    report = report if parallel.writes() else _silent
    trainer = Trainer(settings)
    with parallel.first_alone():
        batches = _batches(request, settings, report)
    checkpoint = request.out / "checkpoint.pt"
    if checkpoint.exists():
        trainer.restore(checkpoint)
    elif request.start_from is not None:
        trainer.start_from(request.start_from, batches(0, replace(settings.stages[0], batch=16)).image)
    request.out.mkdir(parents=True, exist_ok=True)
    curves = None
    if parallel.writes():
        (request.out / "settings.json").write_text(json.dumps(asdict(settings), indent=1))
        curves = TensorBoardCurves(request.out, trainer.step)
    for record in run(trainer, batches, request.out):
        if curves is not None:
            curves.add(record)
        text = f"loss {record['loss']:.3f}  liver Dice {record['dice']:.3f}"
        report(text, int(record["step"]) + 1, settings.steps)
    path = request.out / f"{request.name}.onnx"
    if curves is not None:
        curves.close()
        export(trainer.averaged_network(), path, request.weights, model_card(request))
    return path


def _silent(text: str, done: int, total: int) -> None:
    """The first process alone tells how far it is."""


def _batches(request: TrainRequest, settings: TrainSettings, report: Report) -> MakeBatch:
    if request.data is not None and request.synthetic is None:
        return paired_batches(request.data, settings.seed, settings.stages[-1].size)
    if request.synthetic is None or request.data is not None:
        raise SettingsError("give either DATA (images/ and labels/) or --synthetic SHAPES, not both and not neither")
    if not request.synthetic.is_dir():
        raise InputError(f"no folder of label maps at {request.synthetic}")
    shapes = synthetic_bank(request.synthetic, request.out / "bank.npz", settings.seed, report)
    bank, weights = bank_and_weights(shapes, settings.device)

    def batch(step: int, stage: Stage) -> Batch:
        return make_batch(
            bank, weights, seed=settings.seed, step=step, batch=stage.batch, size=stage.size, device=settings.device
        )

    return batch


def model_card(request: TrainRequest) -> dict[str, object]:
    """What is known of a model before it was measured; results are added by hand from an evaluation."""
    settings = request.settings
    return {
        "name": request.name,
        "version": __version__,
        "network": settings.network,
        "pixel_mm": FIELD_MM / settings.stages[-1].size,
        "input": "magnitude of the slice below, the slice, the slice above; squashed to 0..1",
        "licence": request.licence or "as the training data allows",
        "training": {
            "data": "simulated images from label maps" if request.synthetic else "images and labels of the user",
            "seed": settings.seed,
            "steps": settings.steps,
            "stages": [asdict(s) for s in settings.stages],
            "peak_rate": settings.peak_rate,
            "bf16": settings.bf16,
            "device": settings.device,
            "started_from": request.start_from.name if request.start_from else None,
            "torch": torch.__version__,
        },
    }

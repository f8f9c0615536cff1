"""One run: train a network on the prepared exams, keep the weights of the best validation, export them. Needs torch."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from livermre.evaluate.overlap import dice
from livermre.exam.errors import SettingsError
from livermre.exam.types import ModelCard
from livermre.results import make_folder, write_text
from livermre.segment.engine import ModelFile
from livermre.segment.grid import network_grid
from livermre.segment.segmenter import Segmenter
from livermre.study.inspection import Report
from livermre.study.plan import MODEL, Run
from livermre.study.prepared import Prepared
from livermre.study.settings import StudySettings
from livermre.train import parallel
from livermre.train.classes import CLASSES, LIVER
from livermre.train.curves import TensorBoardCurves
from livermre.train.export import export
from livermre.train.loop import Stage, Trainer, TrainSettings
from livermre.train.pairs import Pair, batches_of
from livermre.train.selection import BEST, Selection, run_selected
from livermre.train.synthesis import FIELD_MM
from livermre.version import __version__

__all__ = ["export_start", "mean_dice", "model_card", "parallel", "train_run", "train_settings"]

DONE = "run.json"


def train_settings(run: Run, settings: StudySettings) -> TrainSettings:
    """How a run is trained; nothing in it but the network's name and the seed differs between runs."""
    return TrainSettings(
        network=run.network,
        seed=run.seed,
        stages=(Stage(settings.size, settings.steps, settings.batch),),
        peak_rate=settings.peak_rate,
        weight_decay=settings.weight_decay,
        ema=settings.ema,
        checkpoint_every=min(settings.validate_every, settings.steps),
        bf16=settings.bf16,
        device=settings.device,
        threads=settings.threads,
        accumulate=settings.accumulate,
    )


def train_run(
    run: Run,
    training: Sequence[Prepared],
    validation: Sequence[Prepared],
    out: Path,
    settings: StudySettings,
    report: Report,
    start_from: Path | None = None,
) -> None:
    """Train (or go on training) one run of the study in DIR and export it; a finished run is left as it is.

    Processes of torchrun train it together.

    start_from  weights to begin with instead of random ones

    Raises SettingsError where the folder holds a run of other settings, or no CUDA device is found.
    """
    folder = run.folder(out)
    if (folder / DONE).is_file():
        return
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise SettingsError("--device cuda: PyTorch finds no CUDA device on this machine")
    make_folder(folder)
    how = train_settings(run, settings)
    trainer = Trainer(how)
    pixel_mm = FIELD_MM / settings.size
    batches = batches_of([_pair(p, pixel_mm) for p in training], run.seed, settings.size)
    if (folder / "checkpoint.pt").is_file():
        trainer.restore(folder / "checkpoint.pt")
    elif start_from is not None:
        trainer.start_from(start_from, batches(0, Stage(settings.size, 1, 16)).image)
    selection = Selection(folder, lambda network: mean_dice(network, validation, pixel_mm, how), settings.patience)
    curves = TensorBoardCurves(folder, trainer.step) if parallel.writes() else None
    for record in run_selected(trainer, batches, folder, selection):
        if curves is not None:
            curves.add(record)
        best = f", best validation Dice {selection.best.score:.3f}" if selection.best else ""
        report(f"{run.name}: loss {record['loss']:.3f}{best}", int(record["step"]) + 1, how.steps)
    if curves is None:
        return
    curves.close()
    card = model_card(run, how, start_from, len(training))
    export(selection.best_network(trainer), folder / f"{MODEL}.onnx", settings.weights, card)
    write_text(folder / DONE, json.dumps(_record(trainer, selection, how, start_from), indent=1) + "\n")
    for name in ("checkpoint.pt", BEST):  # half a gigabyte that nobody goes on from
        (folder / name).unlink(missing_ok=True)


def export_start(run: Run, some: Sequence[Prepared], out: Path, settings: StudySettings, start: Path) -> None:
    """Export the weights that a training begins with as they are, once.

    some  exams, whose images unfold the batch normalisation of an exported network
    """
    folder = run.folder(out)
    if (folder / f"{MODEL}.onnx").is_file():
        return
    make_folder(folder)
    how = replace(train_settings(run, settings), network=run.begins)
    trainer = Trainer(how)
    batches = batches_of([_pair(p, FIELD_MM / settings.size) for p in some], run.seed, settings.size)
    trainer.start_from(start, batches(0, Stage(settings.size, 1, 16)).image)
    part = folder / f".{MODEL}.onnx"
    export(trainer.averaged_network(), part, settings.weights, model_card(run, how, start, 0))
    part.with_suffix(".json").replace(folder / f"{MODEL}.json")
    part.replace(folder / f"{MODEL}.onnx")


def mean_dice(network: torch.nn.Module, exams: Sequence[Prepared], pixel_mm: float, how: TrainSettings) -> float:
    """Mean Dice an exam of a network against the reference, outlined as `analyze` would, on the exams' own pixels.

    Empty masks by the rule of evaluate.empty; 0 where no exam has a value.
    """
    engine = _TorchEngine(network, how)
    segmenter = Segmenter(ModelFile(Path(), ModelCard("in training", __version__, ""), pixel_mm, LIVER), engine)
    scores = [dice(segmenter.segment(e.exam).liver, e.liver) for e in exams]
    known = [s for s in scores if s is not None]
    return float(np.mean(known)) if known else 0.0


class _TorchEngine:
    """A network in training as the engine of a segmenter."""

    name = "torch"

    def __init__(self, network: torch.nn.Module, how: TrainSettings) -> None:
        self._network, self._how = network.eval().to(memory_format=torch.channels_last), how

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Class probabilities of a batch."""
        batch = torch.from_numpy(np.ascontiguousarray(image, dtype=np.float32)).to(self._how.device)
        with torch.inference_mode(), torch.autocast(self._how.device, torch.bfloat16, enabled=self._how.bf16):
            logits = self._network(batch.contiguous(memory_format=torch.channels_last))
        return logits.float().softmax(1).cpu().numpy()


def _pair(prepared: Prepared, pixel_mm: float) -> Pair:
    """An exam on the network's pixels, brought there as `analyze` brings it."""
    grid = network_grid(prepared.exam.slices[0].plane, pixel_mm)
    image = torch.from_numpy(grid.down(prepared.exam.magnitude)).clamp_min(0)
    liver = torch.from_numpy(grid.down(prepared.liver.astype(np.float32)) >= 0.5)
    return Pair(prepared.name, image, liver.long() * LIVER)


def model_card(run: Run, how: TrainSettings, start_from: Path | None, exams: int) -> Mapping[str, object]:
    """What is known of a run's weights before they are evaluated; the study's report holds their results."""
    return {
        "name": f"{MODEL}-{run.name}",
        "version": __version__,
        "network": how.network,
        "pixel_mm": FIELD_MM / how.stages[-1].size,
        "input": "magnitude of the slice below, the slice, the slice above; squashed to 0..1",
        "licence": "as the cohort's",
        "classes_trained": [CLASSES[0], CLASSES[LIVER]],
        "training": {
            "data": f"{exams} exams of a study's cohort",
            **asdict(how),
            "started_from": start_from.name if start_from else None,
            "torch": torch.__version__,
        },
    }


def _record(trainer: Trainer, selection: Selection, how: TrainSettings, start: Path | None) -> Mapping[str, object]:
    best = selection.best
    return {
        "settings": asdict(how),
        "steps": trainer.step,
        "stopped_early": trainer.step < how.steps,
        "best_step": best.step if best else None,
        "best_validation_dice": best.score if best else None,
        "parameters": sum(p.numel() for p in trainer.network.parameters()),
        "started_from": start.name if start else None,
    }

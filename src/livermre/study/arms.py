"""What the runs made, put together: one arm is a network with one seed, over all folds."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from livermre.exam.errors import CorruptFile
from livermre.study.entry import Entry
from livermre.study.figures.curves import Curve
from livermre.study.plan import Run, is_trained
from livermre.study.predictions import read_readings
from livermre.study.sample import Sample
from livermre.study.splitting import TEST, TRAINING, VALIDATION, Split


@dataclass(frozen=True)
class Arm:
    """A network with one seed.

    samples  subset -> its exams; with folds only the tested ones, every exam by the fold that did not see it
    runs     its runs, one a fold
    chosen_by  mean of the best validation Dice of its runs; None for a network that was not trained
    """

    network: str
    seed: int
    samples: Mapping[str, Sample] = field(repr=False)
    runs: tuple[Run, ...]
    chosen_by: float | None

    @property
    def name(self) -> str:
        """unet-seed1."""
        return f"{self.network}-seed{self.seed}" if is_trained(self.network) else self.network

    def run_of(self, exam: str, splits: Sequence[Split]) -> Run:
        """The run that read an exam for the test."""
        return next((r for r in self.runs if splits[r.fold][exam] == TEST), self.runs[0])


def exams_of(run: Run, splits: Sequence[Split]) -> list[str]:
    """The exams that a run reads: all of them, or with folds those of its test set."""
    split = splits[run.fold]
    if run.folded:
        return sorted(e for e, side in split.items() if side == TEST)
    return sorted(split)


def arms_of(out: Path, entries: Sequence[Entry], splits: Sequence[Split], runs: Sequence[Run]) -> list[Arm]:
    """All arms in the order of networks and seeds; raises CorruptFile where a run is not finished."""
    grouped: dict[tuple[str, int], list[Run]] = {}
    for run in runs:
        grouped.setdefault((run.network, run.seed), []).append(run)
    order = list(dict.fromkeys(run.network for run in runs))
    keys = sorted(grouped, key=lambda k: (order.index(k[0]), k[1]))
    return [_arm(out, key[0], grouped[key], entries, splits) for key in keys]


def _arm(out: Path, network: str, runs: Sequence[Run], entries: Sequence[Entry], splits: Sequence[Split]) -> Arm:
    name = f"{network}-seed{runs[0].seed}" if is_trained(network) else network
    readings = {run: read_readings(run.folder(out), exams_of(run, splits)) for run in runs}
    samples = {}
    folded = len(splits) > 1
    for subset in (TEST,) if folded else (TRAINING, VALIDATION, TEST):
        pairs = [
            (e, readings[run][e.exam])
            for run in runs
            for e in entries
            if e.taken and e.exam in readings[run] and (not run.trained or splits[run.fold][e.exam] == subset)
            and (run.trained or folded or splits[0][e.exam] == subset)
        ]  # fmt: skip
        pairs.sort(key=lambda pair: pair[0].exam)
        samples[subset] = Sample(name, tuple(e for e, _ in pairs), tuple(r for _, r in pairs))
    scores = [s for run in runs if run.trained and (s := record_of(run, out).get("best_validation_dice")) is not None]
    chosen_by = sum(map(float, scores)) / len(scores) if scores else None  # type: ignore[arg-type]
    return Arm(network, runs[0].seed, samples, tuple(runs), chosen_by)


def representatives(arms: Sequence[Arm]) -> dict[str, Arm]:
    """The arm that stands for each network: the seed with the best validation, decided before the test set is seen."""
    found: dict[str, Arm] = {}
    for arm in arms:
        known = found.get(arm.network)
        if known is None or (arm.chosen_by or 0.0) > (known.chosen_by or 0.0):
            found[arm.network] = arm
    return found


def record_of(run: Run, out: Path) -> Mapping[str, object]:
    """run.json of a finished run; CorruptFile where it is not there."""
    path = run.folder(out) / "run.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CorruptFile(f"run {run.name} is not finished: run the study again without --report-only") from error


def curve_of(run: Run, out: Path) -> Curve:
    """Loss and validations of a run; of a step that was trained twice after a kill the last line counts."""
    folder = run.folder(out)
    losses: dict[int, float] = {}
    try:
        for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines():
            with suppress(ValueError, KeyError):  # a line that a kill cut short
                record = json.loads(line)
                losses[int(record["step"])] = float(record["loss"])
        validations = json.loads((folder / "selection.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError) as error:
        raise CorruptFile(f"the log of run {run.name} is missing or damaged") from error
    points = tuple((int(v["step"]), float(v["score"])) for v in validations)
    return Curve(run.name, run.network, tuple(losses[s] for s in sorted(losses)), points)

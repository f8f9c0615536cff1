"""The runs of a study: every network with every seed on every fold, and where each keeps its files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from livermre.study.settings import StudySettings

RUNS, MODEL, SHIPPED = "runs", "livermre-study", "shipped"


@dataclass(frozen=True)
class Run:
    """One network trained once, or the shipped one as it is.

    network  of settings.NETWORKS, or SHIPPED
    fold     which of the splits, from 0
    """

    network: str
    seed: int
    fold: int
    folded: bool = False

    @property
    def name(self) -> str:
        """Name of its folder."""
        if not self.trained:
            return self.network
        return f"{self.network}-seed{self.seed}" + (f"-fold{self.fold + 1}" if self.folded else "")

    @property
    def trained(self) -> bool:
        """Whether this study trains it."""
        return self.network != SHIPPED

    def folder(self, out: Path) -> Path:
        """DIR/runs/NAME."""
        return out / RUNS / self.name

    def model(self, out: Path) -> Path | str:
        """Its exported network as `analyze --model` takes it."""
        return self.folder(out) / f"{MODEL}.onnx" if self.trained else "default"


def runs_of(settings: StudySettings) -> Sequence[Run]:
    """All runs in the order of work: fold by fold, seed by seed, so that an early end leaves a fair comparison."""
    folds = range(max(1, settings.folds))
    trained = [
        Run(network, seed, fold, settings.folds > 0)
        for fold in folds
        for seed in settings.seeds
        for network in settings.networks
    ]
    return [*trained, *([Run(SHIPPED, 0, 0)] if settings.zero_shot else [])]

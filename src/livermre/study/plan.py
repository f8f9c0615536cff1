"""The runs of a study: every network with every seed on every fold, and where each keeps its files.

Beside the trained ones, read as they are: the shipped network, and the weights that a training began with.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from livermre.study.settings import StudySettings

RUNS, MODEL, SHIPPED = "runs", "livermre-study", "shipped"
_START = "-zero-shot"


def start_of(network: str) -> str:
    """Name of the weights that a network's training began with, as a network of their own."""
    return f"{network}{_START}"


def is_trained(network: str) -> bool:
    """Whether a study trains a network of this name, and does not only read it as it is."""
    return network != SHIPPED and not network.endswith(_START)


@dataclass(frozen=True)
class Run:
    """One network trained once, or one as it is.

    network  of settings.NETWORKS, `start_of` one, or SHIPPED
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
        return is_trained(self.network)

    @property
    def begins(self) -> str:
        """The network whose training began with these weights; empty for others."""
        return self.network.removesuffix(_START) if self.network.endswith(_START) else ""

    def folder(self, out: Path) -> Path:
        """DIR/runs/NAME."""
        return out / RUNS / self.name

    def model(self, out: Path) -> Path | str:
        """Its exported network as `analyze --model` takes it."""
        return "default" if self.network == SHIPPED else self.folder(out) / f"{MODEL}.onnx"


def runs_of(settings: StudySettings, starts: Iterable[str] = ()) -> Sequence[Run]:
    """All runs in the order of work: fold by fold, seed by seed, so that an early end leaves a fair comparison.

    starts  the networks whose training begins with given weights; those are read as they are, too
    """
    folds = range(max(1, settings.folds))
    trained = [
        Run(network, seed, fold, settings.folds > 0)
        for fold in folds
        for seed in settings.seeds
        for network in settings.networks
    ]
    as_they_are = [*(start_of(n) for n in settings.networks if n in set(starts)), SHIPPED]
    return [*trained, *(Run(name, 0, 0) for name in as_they_are if settings.zero_shot)]

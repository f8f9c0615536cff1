"""Which weights of a run are kept: those of the best validation; and when a run has learnt all that it will."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from livermre.exam.errors import ModelError
from livermre.train import parallel
from livermre.train.loop import MakeBatch, Trainer, run

BEST, RECORD = "best.pt", "selection.json"

Validate = Callable[[torch.nn.Module], float]
"""A network in evaluation mode -> its score, larger is better."""


@dataclass(frozen=True)
class Validation:
    """The score of the averaged weights after so many steps."""

    step: int
    score: float


class Selection:
    """The validations of a run, kept in its folder so that a killed run goes on as if nothing had happened.

    patience  validations without a better one after which the run stops; None: never
    """

    def __init__(self, folder: Path, validate: Validate, patience: int | None = None) -> None:
        self._folder, self._validate, self._patience = folder, validate, patience
        record = folder / RECORD
        known = json.loads(record.read_text()) if record.is_file() else []
        self.validations = [Validation(**v) for v in known]

    @property
    def best(self) -> Validation | None:
        """The best validation, the first of several alike; None before the first."""
        return max(self.validations, key=lambda v: v.score, default=None)

    @property
    def stopped(self) -> bool:
        """Whether the last `patience` validations were no better than the best before them."""
        if self._patience is None or self.best is None:
            return False
        return sum(v.step > self.best.step for v in self.validations) >= self._patience

    def knows(self, step: int) -> bool:
        """Whether the weights after so many steps were validated."""
        return any(v.step == step for v in self.validations)

    def add(self, trainer: Trainer) -> Validation:
        """Validate the averaged weights as they are now; the best are kept as best.pt."""
        score = self._validate(trainer.averaged_network()) if parallel.writes() else 0.0
        made = Validation(trainer.step, parallel.told(score))
        if not parallel.writes():
            self.validations.append(made)
            return made
        if self.best is None or made.score > self.best.score:
            part = self._folder / f".{BEST}.part"
            torch.save({"step": trainer.step, "average": trainer.average}, part)
            part.replace(self._folder / BEST)
        self.validations.append(made)
        part = self._folder / f".{RECORD}.part"
        part.write_text(json.dumps([asdict(v) for v in self.validations]))
        part.replace(self._folder / RECORD)
        return made

    def best_network(self, trainer: Trainer) -> torch.nn.Module:
        """The network with the best averaged weights, in evaluation mode; ModelError where they are gone."""
        try:
            state = torch.load(self._folder / BEST, map_location=trainer.settings.device, weights_only=True)
        except Exception as error:  # torch raises whatever its unpickler met
            raise ModelError(f"the best weights in {self._folder.name}/{BEST} are missing or damaged") from error
        if self.best is None or state["step"] != self.best.step:
            raise ModelError(f"{self._folder.name}/{BEST} holds other weights than {RECORD} says; train this run again")
        network = trainer.averaged_network()
        network.load_state_dict(state["average"])
        return network.eval()


def run_selected(
    trainer: Trainer, make_batch: MakeBatch, out: Path, selection: Selection
) -> Iterator[dict[str, float]]:
    """`loop.run` with a validation at every checkpoint and at the end; its records carry it as `validation`.

    A run that was killed between a checkpoint and its validation makes up for it before it goes on.
    """
    selection.validations = parallel.told([v for v in selection.validations if v.step <= trainer.step])
    if trainer.step and not selection.knows(trainer.step):
        selection.add(trainer)
    every = trainer.settings.checkpoint_every
    if selection.stopped:
        return
    for record in run(trainer, make_batch, out):
        if trainer.step % every == 0 or trainer.step == trainer.settings.steps:
            record = {**record, "validation": selection.add(trainer).score}
        yield record
        if selection.stopped:
            return

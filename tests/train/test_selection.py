"""Selection: the best weights are kept, a plateau stops a run, a kill leaves no mark; and parts of a batch add up."""

import json
from pathlib import Path

import pytest
import torch

from livermre.exam.errors import ModelError
from livermre.train import loop
from livermre.train.classes import CLASSES, LIVER
from livermre.train.loop import MakeBatch, Stage, Trainer, TrainSettings
from livermre.train.network import UNet
from livermre.train.selection import BEST, RECORD, Selection, run_selected
from livermre.train.synthesis import Batch

SETTINGS = TrainSettings(network="unet", stages=(Stage(32, 6, 2),), checkpoint_every=2, threads=1)


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A U-Net of the same shape and a sixteenth of the channels: seconds instead of minutes."""
    monkeypatch.setattr(loop, "build", lambda name: UNet(3, len(CLASSES), width=4))


@pytest.fixture
def batches() -> MakeBatch:
    """Noise with the bright half as liver: enough to learn from, at no cost."""

    def batch(step: int, stage: Stage) -> Batch:
        draw = torch.Generator().manual_seed(step)
        image = torch.rand((stage.batch, 3, stage.size, stage.size), generator=draw)
        return Batch(image, (image[:, 1] > 0.5).long() * LIVER)

    return batch


def weights(network: torch.nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def scripted(scores: list[float]):  # type: ignore[no-untyped-def]
    """A validation that gives these scores and remembers the weights that it saw."""
    seen: list[torch.Tensor] = []

    def validate(network: torch.nn.Module) -> float:
        seen.append(weights(network))
        return scores[len(seen) - 1]

    return validate, seen


def test_the_best_weights_are_kept_not_the_last(batches: MakeBatch, tmp_path: Path) -> None:
    validate, seen = scripted([0.3, 0.8, 0.5])
    trainer, selection = Trainer(SETTINGS), Selection(tmp_path, validate)
    records = list(run_selected(trainer, batches, tmp_path, selection))
    assert [r.get("validation") for r in records] == [None, 0.3, None, 0.8, None, 0.5]
    assert selection.best is not None
    assert (selection.best.step, selection.best.score) == (4, 0.8)
    assert torch.equal(weights(selection.best_network(trainer)), seen[1])
    assert not torch.equal(seen[1], seen[2])
    assert [v["step"] for v in json.loads((tmp_path / RECORD).read_text())] == [2, 4, 6]


def test_of_equal_validations_the_first_stays(batches: MakeBatch, tmp_path: Path) -> None:
    validate, seen = scripted([0.5, 0.5, 0.5])
    trainer, selection = Trainer(SETTINGS), Selection(tmp_path, validate)
    list(run_selected(trainer, batches, tmp_path, selection))
    assert torch.equal(weights(selection.best_network(trainer)), seen[0])


def test_patience_ends_a_run_and_keeps_it_ended(batches: MakeBatch, tmp_path: Path) -> None:
    validate, _ = scripted([0.6, 0.5, 0.9])
    trainer, selection = Trainer(SETTINGS), Selection(tmp_path, validate, patience=1)
    assert len(list(run_selected(trainer, batches, tmp_path, selection))) == 4
    again = Trainer(SETTINGS)
    again.restore(tmp_path / "checkpoint.pt")
    assert list(run_selected(again, batches, tmp_path, Selection(tmp_path, validate, patience=1))) == []


@pytest.mark.parametrize("lost", [False, True])
def test_a_kill_leaves_no_mark(batches: MakeBatch, tmp_path: Path, lost: bool) -> None:
    """Killed after a checkpoint; with `lost` before the validation of that checkpoint was written down."""

    def validate(network: torch.nn.Module) -> float:
        return float(weights(network).double().sum().sin())

    whole, one = Trainer(SETTINGS), Selection(tmp_path / "whole", validate)
    curve = list(run_selected(whole, batches, tmp_path / "whole", one))

    killed = run_selected(Trainer(SETTINGS), batches, tmp_path / "k", Selection(tmp_path / "k", validate))
    for record in killed:
        if record["step"] == 4:  # two steps after the checkpoint of step 4
            break
    killed.close()
    record_file = tmp_path / "k" / RECORD
    if lost:
        record_file.write_text(json.dumps(json.loads(record_file.read_text())[:-1]))
    trainer = Trainer(SETTINGS)
    trainer.restore(tmp_path / "k" / "checkpoint.pt")
    two = Selection(tmp_path / "k", validate)
    rest = list(run_selected(trainer, batches, tmp_path / "k", two))
    assert [r["loss"] for r in rest] == [r["loss"] for r in curve[4:]]
    assert two.validations == one.validations
    assert torch.equal(weights(two.best_network(trainer)), weights(one.best_network(whole)))


def test_best_weights_that_are_others_are_refused(batches: MakeBatch, tmp_path: Path) -> None:
    validate, _ = scripted([0.1, 0.2, 0.3])
    trainer, selection = Trainer(SETTINGS), Selection(tmp_path, validate)
    list(run_selected(trainer, batches, tmp_path, selection))
    torch.save({"step": 2, "average": trainer.average}, tmp_path / BEST)
    with pytest.raises(ModelError, match="other weights"):
        selection.best_network(trainer)
    (tmp_path / BEST).write_bytes(b"nothing")
    with pytest.raises(ModelError, match="missing or damaged"):
        selection.best_network(trainer)


def test_parts_of_a_batch_add_up_to_the_whole(batches: MakeBatch) -> None:
    """Two equal halves, one after the other, are one half: same statistics, same mean gradient, same step."""
    half = batches(0, Stage(32, 1, 2))
    twice = Batch(torch.cat([half.image, half.image]), torch.cat([half.target, half.target]))
    one, two = Trainer(SETTINGS), Trainer(TrainSettings(**(SETTINGS.__dict__ | {"accumulate": 2})))
    a, b = one.train_step(half), two.train_step(twice)
    assert a["loss"] == pytest.approx(b["loss"], rel=1e-6)
    assert torch.allclose(weights(one.network), weights(two.network), atol=1e-6)


def test_a_checkpoint_from_before_a_setting_existed_is_of_its_default(batches: MakeBatch, tmp_path: Path) -> None:
    trainer = Trainer(SETTINGS)
    trainer.save(tmp_path / "checkpoint.pt")
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    settings = json.loads(state["settings"])
    del settings["accumulate"]
    torch.save(state | {"settings": json.dumps(settings)}, tmp_path / "checkpoint.pt")
    Trainer(SETTINGS).restore(tmp_path / "checkpoint.pt")

"""Training: loss by formula, the same bits twice, and a kill that leaves no mark."""

import json
import math
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from livermre.exam.errors import ModelError, SettingsError
from livermre.train.bank import BankVolume
from livermre.train.classes import CLASSES, LIVER
from livermre.train.export import export, shrink, to_onnx
from livermre.train.loop import MakeBatch, Stage, Trainer, TrainSettings, learning_rate, run
from livermre.train.losses import liver_dice_loss
from livermre.train.network import build
from livermre.train.synthesis import make_batch

SETTINGS = TrainSettings(stages=(Stage(32, 12, 2), Stage(64, 8, 2)), checkpoint_every=5, threads=1)


@pytest.fixture
def batches(bank: list[BankVolume]) -> MakeBatch:
    return lambda step, stage: make_batch(
        bank, torch.ones(len(bank)), seed=1, step=step, batch=stage.batch, size=stage.size
    )


def fingerprint(trainer: Trainer) -> float:
    return float(sum(v.double().sum() for v in trainer.average.values()))


def test_twenty_steps_are_bit_identical_and_a_killed_run_resumes_the_same_curve(
    batches: MakeBatch, tmp_path: Path
) -> None:
    whole = Trainer(SETTINGS)
    curve = [r["loss"] for r in run(whole, batches, tmp_path / "whole")]

    killed = Trainer(SETTINGS)
    for record in run(killed, batches, tmp_path / "killed"):
        if record["step"] == 12:
            break
    resumed = Trainer(SETTINGS)
    resumed.restore(tmp_path / "killed" / "checkpoint.pt")
    assert resumed.step == 10
    rest = [r["loss"] for r in run(resumed, batches, tmp_path / "killed")]

    assert len(curve) == 20
    assert curve[10:] == rest
    assert fingerprint(whole) == fingerprint(resumed)
    logged = [json.loads(line)["loss"] for line in (tmp_path / "whole" / "log.jsonl").read_text().splitlines()]
    assert logged == curve


def test_a_checkpoint_of_other_settings_is_refused_by_name(batches: MakeBatch, tmp_path: Path) -> None:
    trainer = Trainer(SETTINGS)
    trainer.save(tmp_path / "checkpoint.pt")
    other = Trainer(TrainSettings(stages=SETTINGS.stages, seed=2, threads=1))
    with pytest.raises(SettingsError, match="another seed"):
        other.restore(tmp_path / "checkpoint.pt")


def test_dice_loss_by_formula_and_mild_on_an_empty_slice() -> None:
    target = torch.zeros(1, 4, 4, dtype=torch.long)
    target[0, :2] = LIVER
    logits = torch.zeros(1, len(CLASSES), 4, 4)
    p = 1 / len(CLASSES)
    expected = 1 - (2 * 8 * p + 1) / (16 * p + 8 + 1)
    assert float(liver_dice_loss(logits, target)) == pytest.approx(expected, rel=1e-5)
    sure = torch.full((1, len(CLASSES), 4, 4), -20.0)
    sure[:, 0] = 20.0
    assert float(liver_dice_loss(sure, torch.zeros_like(target))) == pytest.approx(0, abs=1e-5)


def test_the_rate_warms_up_to_its_peak_and_ends_at_a_hundredth() -> None:
    settings = TrainSettings(stages=(Stage(32, 1000, 2),))
    rates = [learning_rate(s, settings) for s in range(1000)]
    assert max(rates) == pytest.approx(settings.peak_rate, rel=0.01)
    assert rates[0] < 0.05 * settings.peak_rate
    assert rates[-1] == pytest.approx(0.01 * settings.peak_rate, rel=0.01)
    assert np.argmax(rates) == pytest.approx(60, abs=1)


def test_stages_follow_one_another() -> None:
    assert [SETTINGS.stage_at(s).size for s in (0, 11, 12, 19)] == [32, 32, 64, 64]
    with pytest.raises(SettingsError, match="behind the last stage"):
        SETTINGS.stage_at(20)


def test_the_network_is_the_papers_and_an_unknown_name_is_refused() -> None:
    network = build("unet-resnext50")
    encoder = sum(p.numel() for n, p in network.named_parameters() if n.startswith("encoder."))
    # ResNeXt50-32x4d has 25.03 M parameters with its 2.05 M classifier (Xie 2017, table 1: 25.0 M)
    assert encoder == pytest.approx(22.98e6, rel=0.001)
    with pytest.raises(SettingsError, match="unknown network 'vnet'"):
        build("vnet")


def test_the_conventional_u_net_has_the_textbook_size_and_keeps_the_images() -> None:
    network = build("unet")
    # 31.0 M weights of the original (Ronneberger 2015), less biases, plus batch norms
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(31.04e6, rel=0.002)
    assert network.eval()(torch.zeros(1, 3, 48, 32)).shape == (1, len(CLASSES), 48, 32)


def test_export_agrees_with_torch_at_any_size_and_int8_is_small(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = build("unet-resnext50").eval()
    image = torch.rand(2, 3, 64, 96)
    with torch.no_grad():
        expected = network(image).softmax(1).numpy()
    export(network, tmp_path / "full.onnx", "fp32", {"name": "t"})
    export(network, tmp_path / "small.onnx", "int8", {"name": "t"})

    def answer(name: str) -> np.ndarray:
        return onnxruntime.InferenceSession(tmp_path / name).run(None, {"image": image.numpy()})[0]

    np.testing.assert_allclose(answer("full.onnx"), expected, atol=2e-5)
    np.testing.assert_allclose(answer("small.onnx"), expected, atol=0.05)
    assert (tmp_path / "small.onnx").stat().st_size < 40e6
    assert json.loads((tmp_path / "small.json").read_text())["classes"][LIVER] == "liver"


def test_int8_weights_are_within_half_a_step_of_the_originals() -> None:
    model = to_onnx(build("unet-resnext50").eval())
    before = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
    after = {t.name: onnx.numpy_helper.to_array(t) for t in shrink(model, "int8").graph.initializer}
    small = [n for n in after if n.endswith("_int8")]
    assert len(small) > 50
    for name in small:
        scale = after[name.replace("_int8", "_scale")][:, None, None, None]
        error = np.abs(after[name] * scale - before[name.removesuffix("_int8")])
        assert (error <= scale / 2 * (1 + math.sqrt(np.finfo(np.float32).eps))).all()


def trained_a_little(bank: list[BankVolume], folder: Path) -> torch.nn.Module:
    """A network whose batch norms have seen data, so that folding and unfolding them is no identity."""
    settings = TrainSettings(stages=(Stage(64, 3, 4),), threads=1)
    trainer = Trainer(settings)
    for _ in run(trainer, lambda s, t: make_batch(bank, torch.ones(2), seed=5, step=s, batch=4, size=64), folder):
        pass
    return trainer.averaged_network()


def test_training_goes_on_from_an_exported_network(bank: list[BankVolume], tmp_path: Path) -> None:
    """Folded batch norms are unfolded again: the same function, in evaluation and with batch statistics."""
    network = trained_a_little(bank, tmp_path)
    images = make_batch(bank, torch.ones(2), seed=6, step=0, batch=8, size=64).image
    export(network, tmp_path / "net.onnx", "fp32", {"name": "t"})
    twin = Trainer(TrainSettings(stages=(Stage(64, 3, 4),), seed=9, threads=1))
    twin.start_from(tmp_path / "net.onnx", images)
    with torch.no_grad():
        expected = network(images).softmax(1)
        torch.testing.assert_close(twin.network.eval()(images).softmax(1), expected, atol=2e-3, rtol=0)
        torch.testing.assert_close(twin.network.train()(images).softmax(1), expected, atol=2e-3, rtol=0)


def test_weights_to_start_from_are_named_when_they_do_not_fit(tmp_path: Path) -> None:
    trainer = Trainer(SETTINGS)
    images = torch.rand(1, 3, 32, 32)
    with pytest.raises(ModelError, match="no weights at"):
        trainer.start_from(tmp_path / "none.pt", images)
    (tmp_path / "junk.pt").write_bytes(b"junk")
    with pytest.raises(ModelError, match=r"junk\.pt is not a checkpoint"):
        trainer.start_from(tmp_path / "junk.pt", images)
    (tmp_path / "junk.onnx").write_bytes(b"junk")
    with pytest.raises(ModelError, match=r"junk\.onnx is not an ONNX network"):
        trainer.start_from(tmp_path / "junk.onnx", images)
    export(build("unet").eval(), tmp_path / "other.onnx", "fp32", {"name": "t"})
    with pytest.raises(ModelError, match=r"other\.onnx holds the weights of another network"):
        trainer.start_from(tmp_path / "other.onnx", images)

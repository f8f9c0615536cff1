"""The segmenter with a transparent engine, and the shipped network as users meet it."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from livermre.exam.errors import ModelError
from livermre.exam.plane import Plane
from livermre.exam.types import Acquisition, Exam, ModelCard, Slice
from livermre.segment import find_model, load_segmenter
from livermre.segment.engine import ModelFile
from livermre.segment.segmenter import Segmenter, _neighbours
from livermre.simulate.anatomy import BodyPlan, make_anatomy
from livermre.simulate.tissue import LIVER_TISSUES, Tissue


def exam_of(volume: np.ndarray, spacing_mm: tuple[float, float, float]) -> Exam:
    dz, dy, dx = spacing_mm
    shape = (volume.shape[1], volume.shape[2])
    planes = [Plane(shape, (dy, dx), (0, 0, i * dz), (0, 1, 0), (1, 0, 0), dz) for i in range(len(volume))]
    return Exam(tuple(Slice(p, v) for p, v in zip(planes, volume, strict=True)), Acquisition("test"), "test")


class Bright:
    """An engine that calls a pixel liver as far as the middle slice is bright there."""

    name = "bright"

    def __call__(self, image: np.ndarray) -> np.ndarray:
        return np.stack([1 - image[:, 1], image[:, 1]], axis=1)


def test_the_mask_comes_back_on_the_exams_own_pixels() -> None:
    volume = np.full((2, 90, 70), 1.0, np.float32)
    volume[:, 30:60, 20:40] = 50.0
    segmenter = Segmenter(ModelFile(Path(), ModelCard("bright", "0", ""), 4.0, 1), Bright())
    found = segmenter.segment(exam_of(volume, (10, 4.0, 4.0)))
    assert found.liver.shape == volume.shape
    centre = np.argwhere(found.liver[0]).mean(0)
    np.testing.assert_allclose(centre, (44.5, 29.5), atol=0.5)


def test_far_or_missing_neighbours_are_replaced_by_the_slice_itself() -> None:
    assert _neighbours((0.0, 10.0, 60.0, 70.0)) == [(0, 0, 1), (0, 1, 1), (2, 2, 3), (2, 3, 3)]
    assert _neighbours((5.0,)) == [(0, 0, 0)]


def test_altered_or_foreign_weights_are_refused(tmp_path: Path) -> None:
    weights = tmp_path / "mine.onnx"
    with pytest.raises(ModelError, match=r"no network weights at mine\.onnx"):
        find_model(weights)
    weights.write_bytes(b"weights")
    with pytest.raises(ModelError, match=r"has no mine\.json beside it"):
        find_model(weights)
    card = {"name": "mine", "version": "1", "pixel_mm": 4, "classes": ["other", "liver"], "sha256": "0" * 64}
    weights.with_suffix(".json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match="was altered"):
        find_model(weights)
    card["sha256"] = hashlib.sha256(b"weights").hexdigest()
    weights.with_suffix(".json").write_text(json.dumps(card))
    assert find_model(weights).liver == 1
    with pytest.raises(ModelError, match="not a network that OpenVINO can run"):
        load_segmenter(weights, device="cpu")
    weights.with_suffix(".json").write_text('{"name": "mine"}')
    with pytest.raises(ModelError, match="is not a livermre model card"):
        find_model(weights)


def test_the_shipped_weights_are_small_and_carry_their_story() -> None:
    model = find_model()
    assert model.path.stat().st_size <= 40e6
    card = json.loads(model.path.with_suffix(".json").read_text())
    assert {"licence", "training", "results", "sha256"} <= set(card)


def test_the_network_is_loaded_once_in_a_process() -> None:
    assert load_segmenter().engine is load_segmenter().engine


@pytest.fixture(scope="module")
def body() -> tuple[Exam, np.ndarray]:
    """An average simulated body in plain contrast: 24 slices, true liver."""
    labels = make_anatomy(BodyPlan(), np.random.default_rng(5)).labels[::3]
    brightness = np.full(256, 0.45, np.float32)
    for tissue, value in ((Tissue.AIR, 0), (Tissue.LUNG, 0.03), (Tissue.LIVER, 0.6), (Tissue.SKIN_FAT, 0.9)):
        brightness[tissue] = value
    volume = brightness[labels] + np.random.default_rng(0).normal(0, 0.02, labels.shape).astype(np.float32)
    return exam_of(np.abs(volume), (9.0, 2.5, 2.5)), np.isin(labels, [int(t) for t in LIVER_TISSUES])


def test_the_shipped_network_outlines_a_plain_simulated_liver(body: tuple[Exam, np.ndarray]) -> None:
    exam, true = body
    found = load_segmenter().segment(exam).liver
    # no claim of accuracy (docs/model-card.md): a body mirrored or upside down stays below
    assert 2 * (found & true).sum() / (found.sum() + true.sum()) > 0.8


def test_a_body_stored_mirrored_gives_the_same_outline_mirrored(body: tuple[Exam, np.ndarray]) -> None:
    """Columns stored left to right, with a plane that says so: the outline must mirror with them."""
    exam, _ = body
    width = exam.shape[2]
    mirrored = []
    for s in exam.slices[8:12]:
        far = s.plane.world_mm(0.0, float(width - 1))
        plane = Plane(s.plane.shape, s.plane.spacing_mm, tuple(far), s.plane.to_next_row, (-1, 0, 0), 9)
        mirrored.append(Slice(plane, s.magnitude[:, ::-1]))
    straight = load_segmenter().segment(Exam(exam.slices[8:12], exam.acquisition, "a"))
    turned = load_segmenter().segment(Exam(tuple(mirrored), exam.acquisition, "b"))
    np.testing.assert_array_equal(turned.liver[:, :, ::-1], straight.liver)


_TWICE = """
import hashlib, sys
import numpy as np
from livermre.segment import load_segmenter
engine = load_segmenter().engine
image = np.random.default_rng(0).random((4, 3, 96, 128), dtype=np.float32)
print(hashlib.sha256(engine(image).tobytes()).hexdigest())
"""


def test_two_processes_give_the_same_bits() -> None:
    answers = {
        subprocess.run([sys.executable, "-c", _TWICE], capture_output=True, text=True, check=True).stdout for _ in "ab"
    }
    assert len(answers) == 1
    assert len(answers.pop().strip()) == 64


def test_int8_and_the_fallback_engine_agree_with_openvino() -> None:
    onnxruntime = pytest.importorskip("onnxruntime", reason="the extra [onnx] is not installed")
    image = np.random.default_rng(1).random((1, 3, 96, 96), dtype=np.float32)
    session = onnxruntime.InferenceSession(find_model().path)
    other = session.run(None, {session.get_inputs()[0].name: image})[0]
    # fp32 against fp32; bf16 units keep 8 bits of mantissa through 50 layers
    tolerance = 0.002 if load_segmenter(device="cpu").engine.name.endswith("f32") else 0.1
    np.testing.assert_allclose(load_segmenter(device="cpu").engine(image), other, atol=tolerance)

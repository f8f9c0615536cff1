"""inversion.png: what is not confident cannot be taken for a measurement."""

import io
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from livermre.exam.flags import flag
from livermre.exam.plane import Plane
from livermre.exam.types import Acquisition, Exam, Slice, Waves
from livermre.report.colours import SCALE, rgb, stiffness_index
from livermre.report.inversion_picture import _DOUBT, _STROKE, SURE, inversion_picture

SHAPE = (64, 80)


def exam(confidence: np.ndarray, kpa: float = 3.0) -> Exam:
    plane = Plane(SHAPE, (3.0, 3.0), (0, 0, 0), (0, 1, 0), (1, 0, 0), 8.0)
    one = Slice(plane, np.full(SHAPE, 50.0), np.full(SHAPE, kpa), np.broadcast_to(confidence, SHAPE).astype(np.float32))
    return Exam((one,), Acquisition("test"), "test", stiffness_source="livermre")


def waves() -> Waves:
    ones = np.ones((1, *SHAPE), np.float32)
    return Waves("helmholtz", "|G*|", 0 * ones, ones, (None,), (None,), (None,))


def pixels(one: Exam) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(inversion_picture(one, waves()))).convert("RGB")).astype(int)


def share(image: np.ndarray, colour: tuple[int, int, int]) -> int:
    return int((np.abs(image - colour).sum(-1) == 0).sum())


def of(kpa: float) -> tuple[int, int, int]:
    red, green, blue = SCALE[int(stiffness_index(np.array([kpa]))[0])]
    return int(red), int(green), int(blue)


def test_below_the_limit_nothing_is_coloured_and_above_everything_is() -> None:
    colour, legend = of(3.0), 40 * 14
    doubted, trusted = pixels(exam(np.float32(SURE - 0.01))), pixels(exam(np.float32(SURE)))
    assert share(doubted, colour) < 100 < 10000 < share(trusted, colour)  # but for its place on the scale
    grey = share(doubted, rgb(_DOUBT)) + share(doubted, rgb(_STROKE))
    assert grey > 10000 and share(doubted, rgb(_STROKE)) > 0.15 * grey  # hatched, not plain: a scale may hold a grey
    assert share(trusted, rgb(_DOUBT)) + share(trusted, rgb(_STROKE)) <= legend


def test_half_of_a_slice_in_doubt_is_half_hatched() -> None:
    left = np.where(np.arange(SHAPE[1]) < SHAPE[1] // 2, 0.5, 0.99)
    image = pixels(exam(left))
    grey = share(image, rgb(_DOUBT)) + share(image, rgb(_STROKE))
    assert grey == pytest.approx(share(image, of(3.0)), rel=0.1)


def test_the_legend_and_the_reason_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    module = sys.modules[inversion_picture.__module__]
    monkeypatch.setattr(module, "draw_text", lambda pen, at, text, *a, **k: said.append(text))
    plain = exam(np.float32(0.5))
    inversion_picture(plain, waves())
    assert "confidence below 0.95: no measurement" in said
    assert not any(t.startswith("No measurement:") for t in said)
    silent = flag("phase_without_vibration", ratio=1.1, area_mm2=3000.0)
    inversion_picture(replace(plain, flags=(silent,)), waves())
    assert any(t.startswith("No measurement: The phase does not show a vibration") for t in said)

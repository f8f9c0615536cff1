"""Brightness normalisation: laws that any scanner unit obeys."""

import numpy as np
import pytest

from livermre.segment.normalise import squash


def image() -> np.ndarray:
    rng = np.random.default_rng(0)
    body = np.zeros((3, 40, 40))
    body[:, 8:32, 8:32] = rng.uniform(50, 150, (3, 24, 24))
    return body


def test_the_unit_of_the_scanner_does_not_matter() -> None:
    np.testing.assert_allclose(squash(image() * 37.5), squash(image()), rtol=1e-5)


def test_the_foreground_level_becomes_one_half() -> None:
    assert np.median(squash(image())[:, 8:32, 8:32]) == pytest.approx(0.5, abs=0.02)


def test_order_of_brightness_is_kept() -> None:
    x = image().ravel()
    assert np.all(np.diff(squash(image()).ravel()[np.argsort(x)]) >= 0)


def test_a_bright_coil_moves_the_middle_less_than_a_percentile_would() -> None:
    """One twentieth of the body fifty times brighter: the rest keeps its contrast instead of turning black."""
    bright = image()
    bright[:, 8:32, 8:9] *= 50
    assert np.median(squash(bright)[:, 8:32, 10:32]) > 0.05
    assert np.median((bright / np.percentile(bright, 99))[:, 8:32, 10:32]) < 0.05


def test_missing_and_negative_pixels_count_as_dark() -> None:
    holed = image()
    holed[0, 0, 0], holed[0, 0, 1], holed[0, 0, 2] = np.nan, -5, np.inf
    out = squash(holed)
    assert np.isfinite(out).all()
    assert not out[0, 0, :3].any()


def test_an_empty_image_stays_empty() -> None:
    assert not squash(np.zeros((3, 8, 8))).any()


def test_training_uses_the_same_formula() -> None:
    torch = pytest.importorskip("torch")
    from livermre.train.synthesis import normalise

    x = image().astype(np.float32)
    np.testing.assert_allclose(normalise(torch.from_numpy(x)[None])[0].numpy(), squash(x), atol=1e-6)

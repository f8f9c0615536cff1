"""Outlines, hatching and turning: where lines must run is known by formula."""

import numpy as np
import pytest

from livermre.exam.plane import Plane
from livermre.report.outline import body, hatching, outlines
from livermre.report.upright import upright
from report.cases import disc


def area(loop: np.ndarray) -> float:
    r, c = loop.T
    return abs(float(np.sum(r * np.roll(c, -1) - c * np.roll(r, -1)))) / 2


def test_outline_of_a_disc_is_its_circle():
    (loop,) = outlines(disc((80, 90), 40.0, 50.0, 20.0))
    radius = np.hypot(loop[:, 0] - 40, loop[:, 1] - 50)
    # a pixelated circle keeps within a pixel's half diagonal of the true one
    assert radius.min() > 20 - 0.75
    assert radius.max() < 20 + 0.75
    assert area(loop) == pytest.approx(np.pi * 20**2, rel=0.02)


def test_holes_and_touching_borders_close():
    ring = disc((60, 60), 30, 30, 20) & ~disc((60, 60), 30, 30, 8)
    assert len(outlines(ring)) == 2
    (loop,) = outlines(np.ones((5, 7), bool))
    assert area(loop) == pytest.approx(35, abs=1.5)  # corners are cut
    assert outlines(np.zeros((5, 7), bool)) == []


@pytest.mark.parametrize("seed", range(5))
def test_random_masks_give_closed_loops_around_every_pixel(seed):
    mask = np.random.default_rng(seed).random((17, 23)) > 0.5
    loops = outlines(mask)
    assert sum(len(loop) for loop in loops) > 0
    for loop in loops:
        steps = np.abs(np.roll(loop, -1, axis=0) - loop).max()
        assert steps <= 1.0  # neighbours on one cell: nothing jumps


def test_hatching_covers_the_mask_and_nothing_else():
    mask = disc((64, 64), 30, 30, 15)
    strokes = hatching(mask, 4)
    middles = strokes.mean(axis=1)
    assert len(strokes) > 8
    assert mask[tuple(np.rint(middles).astype(int).T)].all()
    assert hatching(np.zeros((4, 4), bool), 3).shape == (0, 2, 2)


def test_body_is_found_without_ghosts_and_noise():
    rng = np.random.default_rng(1)
    truth = disc((128, 128), 64, 64, 40)
    image = 200.0 * truth + np.abs(rng.normal(0, 4, truth.shape))
    image[64, :] += 60.0 * ~truth[64]  # a ghost line
    found = body(image)
    assert np.count_nonzero(found ^ truth) < 0.12 * truth.sum()
    assert body(np.zeros((20, 30))).all()


PLANES = {
    "axial": ((0, 1, 0), (1, 0, 0), ("R", "L", "A", "P")),
    "axial, turned round": ((0, -1, 0), (-1, 0, 0), ("R", "L", "A", "P")),
    "axial, transposed": ((1, 0, 0), (0, 1, 0), ("R", "L", "A", "P")),
    "coronal": ((0, 0, -1), (1, 0, 0), ("R", "L", "H", "F")),
    "coronal, upside down": ((0, 0, 1), (1, 0, 0), ("R", "L", "H", "F")),
    "sagittal": ((0, 0, -1), (0, 1, 0), ("A", "P", "H", "F")),
}


@pytest.mark.parametrize("name", PLANES)
def test_every_plane_is_turned_to_the_reading_position(name):
    row, column, letters = PLANES[name]
    plane = Plane((6, 8), (2.0, 3.0), (0, 0, 0), row, column, 5.0)
    turn = upright(plane)
    assert turn.letters == letters
    rows, columns = np.mgrid[:6, :8]
    world = np.moveaxis(plane.world_mm(rows, columns), -1, 0)
    shown = turn.apply(world)
    across, down = shown[:, 0, -1] - shown[:, 0, 0], shown[:, -1, 0] - shown[:, 0, 0]
    assert across.max() > 0 >= across.min()  # left to right: towards the patient's left, or back
    assert (down.max() > 0) == (letters[2] == "A")  # top to bottom: towards the back, or the feet
    assert abs(shown[:, 1, 0] - shown[:, 0, 0]).max() == turn.spacing_mm[0]

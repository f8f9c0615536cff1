"""Draws a body: the order of the painting, and the canvas it is painted on."""

import numpy as np

from livermre.simulate.anatomy import bowel, liver, organs, torso, vessels
from livermre.simulate.anatomy.canvas import Canvas, smooth_noise, turn_matrix
from livermre.simulate.anatomy.plan import BodyPlan
from livermre.simulate.anatomy.volume import Anatomy, checked_spacing
from livermre.simulate.tissue import Tissue

ABOVE_MM = 44.0  # of lungs and heart over the dome
BELOW_MM = 84.0  # free of liver at the lower end
GRAINS_MM = (64.0, 24.0, 10.0)
WARP_MM = (5.0, 1.5)  # bends of the first two grains


def make_anatomy(
    plan: BodyPlan,
    rng: np.random.Generator,
    spacing_mm: tuple[float, float, float] = (3.0, 2.5, 2.5),
    extent_mm: tuple[float, float, float] | None = None,
) -> Anatomy:
    """The body of a plan; the same plan and a generator in the same state give the same bytes.

    extent_mm: field of view (z, row, column); by default as much as the body needs, about (260-330, 300-340, 400-440).
    Raises ValueError for a spacing or extent that is not positive.
    """
    spacing = checked_spacing(spacing_mm)
    extent = checked_spacing(extent_mm) if extent_mm is not None else _extent(plan)
    canvas = _blank(plan, rng, spacing, extent)
    _paint(canvas, plan)
    return Anatomy(canvas.labels, spacing)


def _extent(plan: BodyPlan) -> tuple[float, float, float]:
    """The field of view (z, row, column) in mm that shows the body, the liver-free end below and some air."""
    length = max(260.0, ABOVE_MM + plan.liver_height + plan.riedel + 12 + BELOW_MM)
    depth = plan.front + max(plan.belly, 0) + 72 + 2.9 * plan.fat + 45 + 20 * plan.breasts
    width = 2 * (plan.half_width + 1.5 * plan.fat) + 30 + 1.4 * sum(plan.arms)
    return length, float(np.clip(depth, 300, 400)), float(np.clip(width, 400, 490))


def _paint(canvas: Canvas, plan: BodyPlan) -> None:
    """Early painters take their place; later ones get what is left, so that neighbours fit each other."""
    torso.paint_trunk(canvas, plan)
    torso.paint_spine(canvas, plan)
    torso.paint_hips(canvas, plan)
    torso.paint_chest(canvas, plan)
    vessels.paint_great_vessels(canvas, plan)
    organs.paint_kidneys(canvas, plan)
    organs.paint_gallbladder(canvas, plan)
    liver.paint_liver(canvas, plan)
    vessels.paint_liver_vessels(canvas, plan)
    vessels.paint_lesions(canvas, plan)
    organs.paint_spleen(canvas, plan)
    organs.paint_pancreas(canvas, plan)
    bowel.paint_stomach(canvas, plan)
    bowel.paint_colon(canvas, plan)
    bowel.paint_small_bowel(canvas, plan)
    torso.paint_arms(canvas, plan)


def _blank(plan: BodyPlan, rng: np.random.Generator, spacing: tuple, extent: tuple) -> Canvas:
    """An empty canvas with warped body coordinates."""
    step = np.array(spacing)
    shape = tuple(int(n) for n in np.maximum(np.rint(np.array(extent) / step), 1))
    middle = 0.5 * (plan.front + max(plan.belly, 0) - 72) + rng.normal(0, 6)
    origin = np.array(
        [
            ABOVE_MM - (shape[0] - 1) * step[0],
            middle + 0.5 * (shape[1] - 1) * step[1],
            -0.5 * (shape[2] - 1) * step[2] + rng.normal(0, 6),
        ]
    )
    turn = turn_matrix(plan.tilt_deg)
    warp = _warp(plan, rng, shape, step)
    x, a, h = _coordinates(shape, step, origin, turn, warp)
    bump = tuple(smooth_noise(rng, shape, tuple(grain / step)) for grain in GRAINS_MM)
    scale = (plan.half_width / 150, (plan.front + 72) / 220)
    labels = np.full(shape, Tissue.AIR, np.uint8)
    return Canvas(labels, np.zeros(shape, bool), x, a, h, bump, warp, step, origin, turn, rng, scale)


def _warp(plan: BodyPlan, rng: np.random.Generator, shape: tuple, step: np.ndarray) -> np.ndarray:
    """Displacement of (x, a, h), float32 [3, z, row, column] in mm."""
    warp = np.empty((3, *shape), np.float32)
    for axis in range(3):
        warp[axis] = sum(
            size * smooth_noise(rng, shape, tuple(grain / step))
            for size, grain in zip(WARP_MM, GRAINS_MM, strict=False)
        )
    return warp * np.float32(plan.lumpiness)


def _coordinates(
    shape: tuple, step: np.ndarray, origin: np.ndarray, turn: np.ndarray, warp: np.ndarray
) -> list[np.ndarray]:
    """Warped (x, a, h) of every voxel, float32."""
    h = (origin[0] + np.arange(shape[0]) * step[0])[:, None, None]
    a = (origin[1] - np.arange(shape[1]) * step[1])[None, :, None]
    x = (origin[2] + np.arange(shape[2]) * step[2])[None, None, :]
    return [
        (row[0] * x + row[1] * a + row[2] * h).astype(np.float32) + bend for row, bend in zip(turn, warp, strict=True)
    ]

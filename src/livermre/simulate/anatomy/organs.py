"""Solid neighbours of the liver: gallbladder, kidneys, adrenals, spleen, pancreas."""

import numpy as np

from livermre.simulate.anatomy.canvas import Box, Canvas, along_path, smooth_path
from livermre.simulate.anatomy.liver import under_surface
from livermre.simulate.anatomy.plan import BodyPlan
from livermre.simulate.tissue import Tissue


def paint_gallbladder(canvas: Canvas, plan: BodyPlan) -> None:
    """A pear half sunk into the lower surface of the liver; painted before the liver, which then keeps its fossa."""
    if plan.gallbladder == 0:
        return
    x, a = canvas.rng.uniform(-62, -42), canvas.rng.uniform(92, 108)
    low = float(under_surface(np.array(x), np.array(a), plan))
    path = smooth_path(canvas.place([(-36, 80, -86), (x + 5, a - 8, low + 14), (x, a + 8, low - 2)]), 3, 6)
    canvas.tube(path, plan.gallbladder * along_path([4, 9, 16, 16, 13], len(path)), Tissue.GALLBLADDER, rough=0.1)


def paint_kidneys(canvas: Canvas, plan: BodyPlan) -> None:
    """Kidneys in their fat, hilum towards the spine, and the adrenals above them."""
    for sign, tissue, height in ((-1, Tissue.KIDNEY_RIGHT, -114), (1, Tissue.KIDNEY_LEFT, -104)):
        top = height * (0.6 + 0.4 * plan.liver_height / 132) + float(canvas.rng.normal(0, 9))
        side = 60 + 4 * plan.muscle + 12 * plan.visceral_fat + float(canvas.rng.normal(0, 3))
        centre = np.array([sign * side, float(canvas.rng.normal(7, 4)), top - 12])
        _paint_kidney(canvas, plan, centre, sign, tissue)
        _paint_adrenal(canvas, centre, sign)


def _paint_kidney(canvas: Canvas, plan: BodyPlan, centre: np.ndarray, sign: int, tissue: Tissue) -> None:
    radii = np.cbrt(plan.kidney_ml / 155) * np.array([27, 29, 54]) * canvas.rng.uniform(0.94, 1.06, 3)
    box = canvas.box(tuple(centre - radii), tuple(centre + radii))
    field = canvas.ellipsoid(box, centre, tuple(radii), (-0.28 * sign, 0.16)) + canvas.rough(box, 1.0, 0.5)
    pit = centre + np.array([-sign * 25, 12, 0])
    sinus = canvas.ellipsoid(box, pit, (22, 13, 20)) + canvas.rough(box, 1.2)
    field = np.maximum(field, -sinus)
    level = _level(canvas, box, field, plan.kidney_ml * canvas.rng.uniform(0.94, 1.06), (-3, 4))
    canvas.fill(box, field < level, tissue)
    fat = plan.perirenal * (0.5 + plan.visceral_fat) * (1 if sign > 0 else 0.7)
    canvas.reserve(box, (field < level + fat) | (sinus < 0))


def _paint_adrenal(canvas: Canvas, centre: np.ndarray, sign: int) -> None:
    top = np.array([sign * 36, 30, centre[2] + 62])
    for foot in ((-6, -20, -24), (10, -20, -22)):
        path = smooth_path([top + (0, 14, 0), top, top + np.array(foot) * (sign, 1, 1)], 2, 3)
        canvas.tube(path, 3.0, Tissue.GLAND)


def paint_spleen(canvas: Canvas, plan: BodyPlan) -> None:
    """The spleen under the left dome along the wall behind, its inner face hollowed, sized to the plan."""
    grow = np.cbrt(plan.spleen_ml / 210)
    lift = float(canvas.rng.normal(0, 6))
    centre = canvas.place(
        (106 - 6 * (grow - 1), 6 + 26 * (grow - 1), -56 + 0.4 * plan.left_dome - 34 * (grow - 1) + lift)
    )[0]
    radii = grow * np.array([32, 50, 48])
    box = canvas.box(tuple(centre - 1.4 * radii), tuple(centre + 1.4 * radii))
    field = canvas.ellipsoid(box, centre, tuple(radii), (-0.2, 0.25)) + canvas.rough(box, 2.0 * plan.lumpiness, 0.5)
    hollow = canvas.ellipsoid(box, centre + np.array([-44, 26, 0]) * grow, tuple(0.85 * radii))
    field = np.maximum(field, -hollow)
    canvas.fill(box, field < _level(canvas, box, field, plan.spleen_ml, (-10, 16)), Tissue.SPLEEN)


def _level(canvas: Canvas, box: Box, field: np.ndarray, volume_ml: float, limits: tuple[float, float]) -> float:
    """The distance at which a solid holds a volume of free voxels, within limits (mm) that leave its shape alone."""
    values = field[canvas.free[box]]
    voxels = int(volume_ml * 1000 / np.prod(canvas.spacing))
    level = np.partition(values, voxels)[voxels] if voxels < values.size else limits[1]
    return float(np.clip(level, *limits))


def paint_pancreas(canvas: Canvas, plan: BodyPlan) -> None:
    """Head beside the duodenum, neck before the great veins, tail towards the spleen; lobulated."""
    low = float(canvas.rng.normal(0, 5))
    points = [(-34, 64, -124 + low), (-20, 74, -112 + low), (2, 82, -100 + low), (40, 66, -88), (86, 30, -72)]
    path = smooth_path(canvas.place(points), 3)
    size = canvas.rng.uniform(0.8, 1.15)
    canvas.tube(path, size * along_path([14, 14, 9, 10.5, 11, 8], len(path)), Tissue.PANCREAS, rough=0.25)

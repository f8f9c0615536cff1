"""The liver: lobes as smooth solids in coordinates of an average body, cut by dome and wall, sized to the plan."""

import numpy as np
from scipy import ndimage

from livermre.simulate.anatomy.canvas import Box, Canvas, ramp, smooth_max, smooth_min
from livermre.simulate.anatomy.plan import BodyPlan, Resection
from livermre.simulate.tissue import Tissue

FAR_MM = -80.0  # where a cut is out of reach: deeper than any liver voxel lies, so that the cut leaves no trace


def paint_liver(canvas: Canvas, plan: BodyPlan) -> None:
    """Liver and, where planned, ascites around it and at the flanks; raises nothing."""
    bottom = -plan.liver_height - plan.riedel - 12
    box = canvas.box((-230, -70, bottom), (150, 230, 15))
    field = _solid(canvas, plan, box)
    gap = 3 + plan.ascites * (9 + 5 * canvas.bump[0][box])
    allowed = canvas.free[box] & ((canvas.notes["under_wall"][box] > gap) if plan.ascites else True)
    allowed &= canvas.h[box] > bottom
    mask = _largest(allowed & (field < _level(canvas, plan, field[allowed])))
    canvas.notes["liver_box"] = box
    canvas.fill(box, mask, Tissue.LIVER)
    if plan.ascites:
        _paint_ascites(canvas, plan, box, mask)


def under_surface(x: np.ndarray, a: np.ndarray, plan: BodyPlan) -> np.ndarray:
    """Height of the visceral surface of the right lobe over (x, a) of the average body, mm below the dome."""
    k = plan.liver_height / 132
    tip = -130 + 22 * plan.cirrhosis
    rise = (50 - 12 * plan.right_round) * ramp(x, -112, -18)
    behind = 26 * ramp(a, 35, -25) + 10 * ramp(a, 95, 140)
    tongue = plan.riedel * np.exp(-(((x + 100) / 34) ** 2) - ((a - 65) / 60) ** 2)
    return k * (tip + rise + behind) - tongue


def _average(canvas: Canvas, box: Box) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x = canvas.x[box] / np.float32(canvas.scale[0])
    return x, canvas.a[box] / np.float32(canvas.scale[1]), canvas.h[box]


def _solid(canvas: Canvas, plan: BodyPlan, box: Box) -> np.ndarray:
    """Distance to the liver before dome and wall cut it (about, mm, inside negative), float32 on the box."""
    x, a, h = _average(canvas, box)
    right = _right_lobe(x, a, h, plan)
    left = _left_lobe(x, a, h, plan)
    whole = smooth_min(right, left, 14)
    swell = 1 + 0.5 * plan.cirrhosis
    caudate = _ball(x, a, h, (-9, 62, -52), (15 * swell, 15 * swell, 27 * swell))
    whole = smooth_min(whole, caudate, 5)
    whole = _cut_fissures(canvas, plan, whole, x, a, h)
    field = _resect(canvas, plan, whole, x, a, h) + _border(canvas, plan, box)
    return field / (1 - 0.6 * ramp(x, -30, 10))  # the thin left lobe yields less to the planned volume


def _border(canvas: Canvas, plan: BodyPlan, box: Box) -> np.ndarray:
    """Unevenness of the capsule: nodular in cirrhosis."""
    return canvas.rough(box, 2.2 * plan.lumpiness, 0.5 + 1.1 * plan.cirrhosis)


def _ball(x: np.ndarray, a: np.ndarray, h: np.ndarray, centre: tuple, radii: tuple) -> np.ndarray:
    parts = zip((x, a, h), centre, radii, strict=True)
    r = np.sqrt(sum(((v - np.float32(c)) / np.float32(s)) ** 2 for v, c, s in parts))
    return (r - 1) * np.float32(min(radii))


def _right_lobe(x: np.ndarray, a: np.ndarray, h: np.ndarray, plan: BodyPlan) -> np.ndarray:
    k = plan.liver_height / 132
    shrink = 1 - 0.14 * plan.cirrhosis
    full = 0.92 + 0.16 * plan.right_round
    reach = 96 * k + plan.riedel
    solid = _ball(x, a, h, (-60, 62, 20 - reach), (94 * shrink * full, 86 * shrink * full, reach + 12))
    below = under_surface(x, a, plan) - h
    medial = x + 13 + 17 * ramp(a, 75, 20) + 0.12 * (h + 50)
    return smooth_max(smooth_max(solid, below * np.float32(0.8), 22), medial, 12)


def _left_lobe(x: np.ndarray, a: np.ndarray, h: np.ndarray, plan: BodyPlan) -> np.ndarray:
    """A wedge that thins and rises towards its tip, along the front wall."""
    k = plan.liver_height / 132
    tip = plan.left_lobe + 28 * plan.cirrhosis
    along = np.clip((x + 30) * np.float32(1 / (tip + 30)), 0, 1)
    thick = plan.left_thickness * (1 + 0.2 * plan.cirrhosis)
    half_a = 34 * thick * (1 - 0.72 * along**1.4)
    half_h = 44 * k * (1 - 0.55 * along)
    middle_a = 112 - 10 * (thick - 1) - 34 * along**2 * (tip / 110)
    middle_h = k * (-62 + 26 * along)
    r = np.sqrt(((a - middle_a) / half_a) ** 2 + ((h - middle_h) / half_h) ** 2 + np.float32(0.01))
    return smooth_max(smooth_max((r - 1) * half_a, x - tip, 10), -40 - x, 10)


def _cut_fissures(
    canvas: Canvas, plan: BodyPlan, whole: np.ndarray, x: np.ndarray, a: np.ndarray, h: np.ndarray
) -> np.ndarray:
    """The notch of the round ligament from below, the cleft before the caudate lobe and the hilum."""
    place = float(canvas.rng.uniform(-6, 12))
    opening = canvas.rng.uniform(3, 7) * (1 + plan.cirrhosis) * ramp(h, -50, -92)
    notch = opening - np.abs(x - place - 0.15 * (a - 90))
    notch = np.where(a > 68, notch, FAR_MM)
    cleft = 2.2 - np.abs(a - 80 - 0.2 * x)
    cleft = np.where((x > -16) & (h > -82) & (h < -28), cleft, FAR_MM)
    hilum = -_ball(x, a, h, (-24, 76, -84), (22, 15, 13))
    return np.maximum(smooth_max(smooth_max(whole, notch, 4), hilum, 6), cleft)


def _resect(
    canvas: Canvas, plan: BodyPlan, whole: np.ndarray, x: np.ndarray, a: np.ndarray, h: np.ndarray
) -> np.ndarray:
    """What surgery left."""
    if plan.resection is Resection.RIGHT:
        return smooth_max(whole, -52 + float(canvas.rng.uniform(-8, 8)) - x - 0.2 * (h + 60), 12)
    if plan.resection is Resection.LEFT:
        return smooth_max(whole, x - float(canvas.rng.uniform(-12, 4)), 10)
    if plan.resection is Resection.WEDGE:
        centre = (canvas.rng.uniform(-120, -60), canvas.rng.uniform(135, 155), canvas.rng.uniform(-120, -60))
        return smooth_max(whole, -_ball(x, a, h, centre, (45, 45, 40)), 8)
    return whole


def _level(canvas: Canvas, plan: BodyPlan, values: np.ndarray) -> float:
    """The distance at which the solid holds the planned volume, kept within what leaves its shape alone."""
    voxels = int(plan.liver_ml * 1000 / np.prod(canvas.spacing))
    if voxels >= values.size:
        return 14.0
    return float(np.clip(np.partition(values, voxels)[voxels], -8, 14))


def _largest(mask: np.ndarray) -> np.ndarray:
    """The largest connected part of a mask; the mask itself when empty."""
    parts, count = ndimage.label(mask)
    if count < 2:
        return mask
    return parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))


def _paint_ascites(canvas: Canvas, plan: BodyPlan, box: Box, liver: np.ndarray) -> None:
    """Fluid as a rim around the liver, at the flanks and, later bowel floats in it, low in the belly."""
    under = canvas.notes["under_wall"]
    steps = 1 + round(2 * plan.ascites)
    rim = ndimage.binary_dilation(liver, iterations=steps) & (canvas.a[box] > 10 * canvas.scale[1])
    near_wall = (under[box] < 16 * plan.ascites + 6) & (canvas.h[box] > -100)
    canvas.fill(box, (rim | near_wall & (canvas.x[box] < 20)) & (under[box] > 0), Tissue.ASCITES)
    flank = (under > 0) & (under < plan.ascites * (16 + 6 * canvas.bump[0])) & (canvas.a > -15) & (canvas.h < -60)
    canvas.fill((slice(None),) * 3, flank & (np.abs(canvas.x) > 40), Tissue.ASCITES)

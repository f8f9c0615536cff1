"""The trunk: skin, fat, wall, ribs, spine, lungs, diaphragm, hip bones and arms."""

import numpy as np

from livermre.simulate.anatomy.canvas import Canvas, along_path, ramp, smooth_max, smooth_path
from livermre.simulate.anatomy.plan import BodyPlan
from livermre.simulate.tissue import Tissue

WHOLE = (slice(None), slice(None), slice(None))
BACK_MM = -72.0  # muscular surface behind the spine's canal
HEIGHTS = [-300, -240, -185, -120, -40, 20, 70]


def paint_trunk(canvas: Canvas, plan: BodyPlan) -> None:
    """Skin, fat, muscular wall, ribs and the cavity, which is left free; notes depth under the wall's inner side."""
    depth, side, facing = _depth(canvas, plan)
    fat = _fat_thickness(canvas, plan, facing)
    chest = ramp(canvas.h - _costal_margin(facing), -8, 8)
    wall = _wall_thickness(canvas, plan, facing, chest)
    canvas.labels[depth > -fat] = Tissue.SKIN_FAT
    canvas.labels[depth > 0] = Tissue.MUSCLE
    cavity = depth > wall
    canvas.labels[cavity] = Tissue.INNER_FAT
    canvas.free[...] = cavity
    canvas.notes["under_wall"] = depth - wall
    _paint_ribs(canvas, depth / wall, chest, facing, side)
    _paint_midline(canvas, depth, wall, chest, facing)


def _profile(canvas: Canvas, values: list[float]) -> np.ndarray:
    """Values at HEIGHTS read at every voxel's height, float32."""
    coarse = np.arange(-320, 90, 2.0)
    table = np.interp(coarse, HEIGHTS, values).astype(np.float32)
    return table[np.clip((canvas.h + 320) * 0.5, 0, len(table) - 1).astype(np.int16)]


def _depth(canvas: Canvas, plan: BodyPlan) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(depth under the muscular surface in mm, |x| / half width, facing: 1 front, 0 side, -1 back), float32."""
    hip = 0.5 * (plan.waist + 1.02)
    width = plan.half_width * _profile(canvas, [hip, hip, plan.waist, 1.0, 1.0, 0.97, 0.88])
    low = plan.front + plan.belly
    front = _profile(
        canvas, [low - 12, low, low, plan.front + 0.35 * plan.belly, plan.front, plan.front - 4, plan.front - 22]
    )
    furrow = 9 * plan.muscle * np.exp(-((canvas.x / 19) ** 2))
    a = canvas.a - np.where(canvas.a < -30, furrow, 0)
    half = (front - BACK_MM) * np.float32(0.5)
    u = np.abs(canvas.x) / width + np.float32(1e-3)
    facing = (a - BACK_MM - half) / half
    v = np.abs(facing) + np.float32(1e-3)
    n = np.float32(plan.squareness)
    un, vn = u**n, v**n
    r = np.maximum((un + vn) ** (1 / n), np.float32(0.05))
    slope = r * np.sqrt((un / u / width) ** 2 + (vn / v / half) ** 2) / (un + vn)
    return (1 - r) / np.maximum(slope, np.float32(1e-4)), u, np.clip(facing, -1, 1)


def _fat_thickness(canvas: Canvas, plan: BodyPlan, facing: np.ndarray) -> np.ndarray:
    """Skin and fat over the muscles, mm: thick behind the flanks and at the belly, thin over spine and ribs."""
    low = ramp(canvas.h, -60, -190)
    share = 0.55 + 0.6 * np.clip(-facing + 0.25, 0, 1) + low * (0.35 + 0.45 * np.clip(facing, 0, 1))
    share = share * (1 + 0.14 * canvas.bump[0])
    share = share * (1 - 0.42 * np.exp(-((canvas.x / 30) ** 2)) * (facing < 0))
    return 2.0 + plan.fat * np.maximum(share, 0.15) + _breasts(canvas, plan)


def _breasts(canvas: Canvas, plan: BodyPlan) -> np.ndarray | float:
    if plan.breasts == 0:
        return 0.0
    aside = (np.abs(canvas.x) - 0.5 * plan.half_width) / (0.4 * plan.half_width)
    return (10 + 38 * plan.breasts) * np.exp(-(aside**2) - ((canvas.h - 30) / 42) ** 2) * ramp(canvas.a, 40, 110)


def _costal_margin(facing: np.ndarray) -> np.ndarray:
    """Height of the lower edge of the rib cage: high in front, low at the side and behind."""
    return -12 - 112 * (1 - np.exp(-2.2 * np.clip(1 - facing, 0, 2)))


def _wall_thickness(canvas: Canvas, plan: BodyPlan, facing: np.ndarray, chest: np.ndarray) -> np.ndarray:
    """Muscular wall, mm: rectus, a thin seam beside it, obliques at the flank; one even layer at the ribs."""
    flat = np.abs(canvas.x) / np.float32(plan.half_width)
    rectus = 9 * ramp(flat, 0.5, 0.38)
    oblique = 17 * ramp(flat, 0.48, 0.85)
    belly = (
        np.float32(plan.muscle) * np.where(facing > -0.2, np.maximum(rectus, oblique), 14 + 14 * ramp(flat, 0.7, 0.45))
        + 2.5
    )
    ribs = 12 + 3 * ramp(facing, 0, -0.7)
    return (belly + (ribs - belly) * chest) * (1 + 0.1 * canvas.bump[1])


def _paint_ribs(canvas: Canvas, level: np.ndarray, chest: np.ndarray, facing: np.ndarray, side: np.ndarray) -> None:
    """Ribs: bands in the middle of the chest wall that sink from back to front; the breastbone."""
    pitch = float(canvas.rng.uniform(25, 31))
    sunk = np.float32(canvas.rng.uniform(36, 48)) * np.arctan2(facing, side)  # of the rib, from its root at the spine
    phase = (canvas.h + sunk + 2.5 * canvas.bump[0] + float(canvas.rng.uniform(0, pitch))) / pitch
    band = (phase - np.floor(phase)) < canvas.rng.uniform(0.34, 0.44)
    bone = band & (level > 0.25) & (level < 0.85) & (chest > 0.5)
    sternum = (side < 0.12) & (facing > 0.7) & (level > 0.1) & (level < 0.9) & (canvas.h > -6)
    canvas.labels[bone | sternum] = Tissue.BONE


def _paint_midline(canvas: Canvas, depth: np.ndarray, wall: np.ndarray, chest: np.ndarray, facing: np.ndarray) -> None:
    """Seams of fat in the belly's wall: the white line and the plane between the oblique muscles."""
    inside = (depth > 1) & (depth < wall) & (chest < 0.5)
    white = (np.abs(canvas.x) < 3.5) & (facing > 0.6)
    plane = (np.abs(depth / wall - 0.5) < 0.09) & (np.abs(facing) < 0.65) & (wall > 15)
    canvas.labels[inside & (white | plane)] = Tissue.INNER_FAT


def paint_spine(canvas: Canvas, plan: BodyPlan) -> None:
    """Vertebrae with canal, arch and processes, back muscles, psoas and the muscle beside it."""
    box = canvas.box((-95, -80, -320), (95, 60, 90))
    h = canvas.h[box]
    x = canvas.x[box] - np.float32(6 * plan.scoliosis) * np.sin(h * np.float32(0.02))
    a = canvas.a[box] - spine_front(h)
    size = 1 + 0.0009 * (-h - 20)
    _paint_back_muscles(canvas, plan, box, x, a)
    beat = np.cos(h * np.float32(2 * np.pi / 33))
    body = (np.abs(x) / (20.5 * size + 1.4 * beat)) ** 2.4 + (np.abs(a) / (16.5 * size + 1.2 * beat)) ** 2.4 < 1
    arch = (np.abs(x) / (17 + 14 * (beat > 0.35))) ** 2 + ((a + 30) / 8.5) ** 2 < 1
    spine = (np.abs(x) < 4) & (a < -30) & (a > -56 - 5 * beat) & (beat > -0.5)
    canvas.fill(box, body | arch | spine, Tissue.BONE, anywhere=True)
    canal = (x / 9.5) ** 2 + ((a + 23) / 8) ** 2 < 1
    canvas.fill(box, canal, Tissue.SPINAL_CANAL, anywhere=True)


def spine_front(h: np.ndarray) -> np.ndarray:
    """How far the centre of the vertebral bodies lies before the origin at height h: the lumbar curve."""
    return 2 + 16 * ramp(h, -40, -175) - 6 * ramp(h, -40, 60)


def _paint_back_muscles(canvas: Canvas, plan: BodyPlan, box: tuple, x: np.ndarray, a: np.ndarray) -> None:
    m = np.float32(plan.muscle * np.sqrt(canvas.scale[0]))
    rough = canvas.rough(box, 1.2)
    back = ((np.abs(x) - 34) / (33 * m)) ** 2 + ((a + 50) / (24 * m)) ** 2 < 1 + 0.05 * rough
    canvas.fill(
        box, back & (canvas.labels[box] >= Tissue.SKIN_FAT) | back & canvas.free[box], Tissue.MUSCLE, anywhere=True
    )
    for sign in (-1, 1):
        psoas = smooth_path(
            [(sign * 22, 8, -95), (sign * 34, 12, -150), (sign * 46, 18, -200), (sign * 60, 38, -300)], 5
        )
        canvas.tube(psoas, m * along_path([3, 13, 21, 25, 26], len(psoas)), Tissue.MUSCLE)
        square = smooth_path([(sign * 48, -28, -90), (sign * 64, -26, -150), (sign * 78, -26, -225)], 5)
        canvas.tube(square, m * along_path([5, 12, 14], len(square)), Tissue.MUSCLE)


def dome_height(canvas: Canvas, plan: BodyPlan, box: tuple) -> np.ndarray:
    """Height of the diaphragm at every voxel of the box, float32 mm: right dome, lower left dome, the heart's bed."""
    x, a = canvas.x[box] / np.float32(canvas.scale[0]), canvas.a[box] / np.float32(canvas.scale[1])
    k = np.float32(plan.lung_depth)
    right = -k * (34 * ((x + 66) / 66) ** 2 + 48 * ((a - 64) / 95) ** 2)
    left = np.float32(plan.left_dome) - k * (34 * ((x - 74) / 62) ** 2 + 44 * ((a - 52) / 90) ** 2)
    bed = -24 - 0.5 * plan.heart * 8 - 0.012 * (x - 15) ** 2 - 0.006 * (a - 90) ** 2
    return smooth_max(smooth_max(right, left, 12), bed, 14) + 1.5 * canvas.bump[1][box]


def paint_chest(canvas: Canvas, plan: BodyPlan) -> None:
    """Lungs, the fat between them, heart and gullet above the diaphragm; what lies above it is no longer free."""
    box = canvas.box((-260, -90, -85), (260, 240, 120))
    above = (canvas.h[box] > dome_height(canvas, plan, box)) & canvas.free[box]
    x, a = canvas.x[box], canvas.a[box]
    between = (np.abs(x - 4) < 24 - 0.1 * np.clip(a, 0, 100)) & (a > 8)
    heart = _heart(canvas, plan, box)
    canvas.fill(box, above & ~between & (heart > 4 + 8 * plan.visceral_fat), Tissue.LUNG)
    canvas.fill(box, above & (heart < 0), Tissue.HEART)
    canvas.reserve(box, above)


def _heart(canvas: Canvas, plan: BodyPlan, box: tuple) -> np.ndarray:
    """Distance to the heart, lying on the diaphragm left of the midline."""
    centre = canvas.place((22 + canvas.rng.uniform(-8, 8), 88, 20))[0]
    size = plan.heart * np.array([64, 45, 58])
    return canvas.ellipsoid(box, centre, tuple(size), (-0.35, -0.15)) + canvas.rough(box, 2.0, 0.7)


def paint_hips(canvas: Canvas, plan: BodyPlan) -> None:
    """Iliac wings with the muscles on both faces, at the lower end of the volume."""
    box = canvas.box((-220, -100, -330), (220, 120, plan.pelvis + 5))
    x, a, h = np.abs(canvas.x[box]) / np.float32(canvas.scale[0]), canvas.a[box], canvas.h[box]
    away = x - (82 + 0.45 * np.clip(a + 50, 0, 80) + 0.15 * (h - plan.pelvis) + 3 * canvas.bump[1][box])
    wing = (h < plan.pelvis - 0.006 * (a - 5) ** 2) & (a > -62) & (a < 75)
    inside = canvas.labels[box] >= Tissue.MUSCLE
    inside |= canvas.free[box]
    canvas.fill(box, wing & inside & (away > -11) & (away < 20), Tissue.MUSCLE, anywhere=True)
    canvas.fill(box, wing & inside & (np.abs(away) < 4.5), Tissue.BONE, anywhere=True)


def paint_arms(canvas: Canvas, plan: BodyPlan) -> None:
    """Arms beside the trunk, a gap of air away, cut by the edge of the picture where the body is wide."""
    for sign, radius in zip((-1, 1), plan.arms, strict=True):
        if radius == 0:
            continue
        gap = canvas.rng.uniform(4, 16)
        x = sign * (plan.half_width + 1.1 * plan.fat + 3 + gap + radius)
        a = canvas.rng.uniform(0, 45)
        path = smooth_path([(x, a - 15, 110), (x, a, -40), (x + sign * 6, a + 18, -140), (x, a + 40, -340)], 7)
        canvas.tube(
            path, radius * along_path([1.1, 1, 0.85, 0.75], len(path)), Tissue.ARM, canvas.labels == Tissue.AIR, 0.06
        )

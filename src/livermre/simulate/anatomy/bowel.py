"""The gut: gullet, stomach, duodenum, colon, and the loops of small bowel that fill what is left."""

import numpy as np

from livermre.simulate.anatomy.canvas import Canvas, along_path, ramp, smooth_noise, smooth_path
from livermre.simulate.anatomy.liver import under_surface
from livermre.simulate.anatomy.plan import BodyPlan, Resection
from livermre.simulate.tissue import Tissue


def paint_stomach(canvas: Canvas, plan: BodyPlan) -> None:
    """Gullet, stomach from the left dome to the pylorus, duodenum around the head of the pancreas."""
    gullet = smooth_path([(8, 34, 110), (10, 40, 20), (18, 46, -22), (34, 52, -42)], 4)
    canvas.tube(gullet, along_path([7, 8, 8], len(gullet)), Tissue.OESOPHAGUS, canvas.labels == Tissue.INNER_FAT)
    drop = float(canvas.rng.uniform(-26, 6))
    jitter = canvas.rng.normal(0, 5, (5, 3))
    points = (
        np.array([(58, 30, -36), (72, 56, -54), (70, 90, -84 + drop), (30, 106, -112 + drop), (-24, 94, -106)]) + jitter
    )
    path = smooth_path(canvas.place(points), 5, 14)
    size = 0.45 + 0.6 * plan.stomach
    canvas.tube(path, size * along_path([32, 42, 41, 33, 24, 15], len(path)), Tissue.STOMACH, rough=0.14)
    _paint_duodenum(canvas)


def _paint_duodenum(canvas: Canvas) -> None:
    low = float(canvas.rng.uniform(-185, -155))
    points = canvas.place(
        [
            (-24, 94, -106),
            (-48, 78, -112),
            (-52, 56, -0.5 * (112 - low)),
            (-38, 52, low),
            (12, 58, low),
            (40, 66, low + 32),
        ]
    )
    path = smooth_path(points, 4, 7)
    beat = 1 + 0.15 * np.sin(np.arange(len(path)))
    canvas.tube(path, canvas.rng.uniform(9, 14) * beat, Tissue.SMALL_BOWEL)


def paint_colon(canvas: Canvas, plan: BodyPlan) -> None:
    """Colon: caecum, hepatic flexure under the right lobe, a sagging transverse part, splenic flexure, descent."""
    rng, r = canvas.rng, plan.colon
    flexure = float(under_surface(np.array(-84.0), np.array(70.0), plan)) - r + float(rng.normal(0, 6))
    if plan.resection is Resection.RIGHT:
        flexure += 50  # bowel moves up to where the right lobe was
    front = (plan.front + 0.8 * plan.belly) / canvas.scale[1] - r - 14
    sag = flexure + float(rng.uniform(-70, 15))
    right = [(-92, 38, -310), (-98 + rng.normal(0, 6), 30, -200), (-96, 36, min(flexure - 18, -120))]
    across = [
        (-82, 70, flexure),
        (-58, 0.9 * front, flexure - 10),
        (-10, front, sag),
        (40, front, sag + 10),
        (88, 84, -104),
    ]
    left = [(104, 52, -70 + rng.normal(0, 12)), (118, 14, -112), (112, 6, -200), (100, 30, -310)]
    path = smooth_path(canvas.place(right + across + left), 5, 12) + _wander(rng, right + across + left)
    radii = r * along_path([1.5, 1.35, 1.2, 1.1, 1.05, 1.05, 1.05, 0.85, 0.7, 0.65], len(path))
    haustra = 1 + 0.16 * np.sin(np.arange(len(path)) * 5 * 2 * np.pi / rng.uniform(28, 40))
    canvas.tube(path, radii * haustra, Tissue.COLON, rough=0.12)


def _wander(rng: np.random.Generator, points: list) -> np.ndarray:
    """One offset for a whole path, mm, float64 [3]."""
    return rng.normal(0, [3, 3, 4])


def paint_small_bowel(canvas: Canvas, plan: BodyPlan) -> None:
    """Loops in every free place below liver and stomach, parted by thin fat; ascites floods the gaps when planned."""
    grain = tuple(0.46 * plan.bowel / canvas.spacing)
    wave = smooth_noise(canvas.rng, canvas.labels.shape, grain)
    loops = np.abs(wave) - 0.1 * np.abs(canvas.bump[2])
    share = 0.12 + 0.55 * plan.bowel_fat * (0.45 + plan.visceral_fat) + 0.12 * canvas.bump[0]
    share = share + _mesentery(canvas, plan)
    top = -66 if plan.resection is not Resection.RIGHT else -40
    where = (
        canvas.free & (canvas.notes["under_wall"] > 1.5) & (canvas.a > 22 + 20 * ramp(np.abs(canvas.x), 60, 95) - 15)
    )
    where &= canvas.h < top + 10 * canvas.bump[0] - 40 * ramp(canvas.x, 20, -60)
    canvas.fill((slice(None),) * 3, where & (loops > share), Tissue.SMALL_BOWEL)
    if plan.ascites:
        flood = where & canvas.free & (loops < share) & (canvas.a < 60 + 70 * plan.ascites)
        canvas.fill((slice(None),) * 3, flood & (loops < 0.6 * share + plan.ascites), Tissue.ASCITES)


def _mesentery(canvas: Canvas, plan: BodyPlan) -> np.ndarray:
    """Extra room for fat around the root of the mesentery, before the great vessels, float32."""
    x, a = canvas.x / np.float32(52 * canvas.scale[0]), (canvas.a - np.float32(54 * canvas.scale[1])) / np.float32(34)
    return np.float32(0.5 + 0.9 * plan.visceral_fat) * np.exp(-x * x - a * a)

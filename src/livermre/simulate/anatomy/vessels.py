"""Great vessels, the portal vein, the trees inside the liver, and lesions."""

import numpy as np

from livermre.simulate.anatomy.canvas import Canvas, along_path, smooth_path
from livermre.simulate.anatomy.plan import BodyPlan
from livermre.simulate.anatomy.torso import spine_front
from livermre.simulate.tissue import Tissue


def paint_great_vessels(canvas: Canvas, plan: BodyPlan) -> None:
    """Aorta, its mesenteric branch, the cava and the splanchnic veins that make the portal vein."""
    any_inner = canvas.labels == Tissue.INNER_FAT
    wobble = canvas.rng.normal(0, 3, 4)
    lumbar = float(spine_front(np.array(-180.0))) + 22
    aorta = smooth_path(
        [(22, 14, 110), (18, 20, 20), (9, 30, -50), (5 + wobble[0], 36, -110), (3, lumbar + 8, -205)], 4
    )
    canvas.tube(
        aorta,
        along_path([12, 12, 11, 10, 9], len(aorta)) * canvas.rng.uniform(0.85, 1.15),
        Tissue.ARTERY,
        any_inner,
        0.06,
    )
    cava = smooth_path(
        [(-16, 70, 25), (-20, 60, -20), (-23, 48, -70), (-24 + wobble[1], 42, -130), (-20, lumbar + 4, -205)], 4
    )
    canvas.tube(
        cava, along_path([13, 12, 11, 10, 10], len(cava)) * canvas.rng.uniform(0.75, 1.15), Tissue.VEIN, any_inner, 0.08
    )
    for sign in (-1, 1):
        _paint_iliacs(canvas, sign, lumbar)
    _paint_portal(canvas, plan)
    mesenteric = smooth_path([(7, 48, -95), (9, 62, -115), (6, 74, -190)], 3)
    canvas.tube(mesenteric, 3.6, Tissue.ARTERY)


def _paint_iliacs(canvas: Canvas, sign: int, lumbar: float) -> None:
    artery = smooth_path([(3, lumbar + 8, -203), (sign * 28, lumbar + 6, -240), (sign * 52, lumbar + 20, -320)], 4)
    canvas.tube(artery, 6.0, Tissue.ARTERY)
    vein = smooth_path([(-18, lumbar + 2, -203), (sign * 26 - 6, lumbar - 6, -245), (sign * 46, lumbar + 6, -320)], 4)
    canvas.tube(vein, 7.0, Tissue.VEIN)


def _paint_portal(canvas: Canvas, plan: BodyPlan) -> None:
    swell = 1 + 0.3 * plan.cirrhosis
    shift = float(canvas.rng.normal(0, 4))
    portal = canvas.place([(0, 66, -102 + shift), (-14, 72, -90), (-30, 76, -82), (-40, 78, -80)])
    canvas.tube(smooth_path(portal, 3, 6), 7.0 * swell, Tissue.PORTAL_VEIN)
    splenic = canvas.place([(0, 64, -102 + shift), (30, 58, -88), (62, 40, -76), (88, 24, -66)])
    canvas.tube(smooth_path(splenic, 3), 4.5 * swell, Tissue.PORTAL_VEIN)
    mesenteric = canvas.place([(0, 66, -102 + shift), (-4, 72, -130), (-2, 78, -200)])
    canvas.tube(smooth_path(mesenteric, 3), 5.0, Tissue.PORTAL_VEIN)


def paint_liver_vessels(canvas: Canvas, plan: BodyPlan) -> None:
    """Hepatic veins that run to the cava under the dome and portal branches from the hilum, only inside the liver."""
    inside = canvas.labels == Tissue.LIVER
    spots = np.argwhere(inside[::3, ::3, ::3]) * 3
    if len(spots) < 50:
        return
    points = _to_body(canvas, spots)
    k = plan.vessel_radius
    _grow(canvas, inside, points, np.array([-21.0, 58.0, -24.0]), _ends(canvas, points, 3, -45), k, 4)
    _grow(canvas, inside, points, canvas.place((-34, 77, -81))[0], _ends(canvas, points, 4, -85), k, 5)


def _to_body(canvas: Canvas, spots: np.ndarray) -> np.ndarray:
    """Body coordinates (x, a, h), float64 [n, 3], of voxels."""
    z, r, c = spots.T
    return np.stack([canvas.x[z, r, c], canvas.a[z, r, c], canvas.h[z, r, c]], axis=1).astype(float)


def _ends(canvas: Canvas, points: np.ndarray, count: int, height: float) -> np.ndarray:
    """Ends of the main branches, spread from right-behind over right-front to the left lobe."""
    wanted = [(-105, 35, height), (-85, 105, height), (-20, 110, height + 5), (30, 105, height + 15)]
    if count == 3:
        wanted = [wanted[0], (-60, 110, height), wanted[3]]
    goals = canvas.place(wanted) + canvas.rng.normal(0, 14, (len(wanted), 3))
    return np.stack([_nearest(points, goal) for goal in goals])


def _nearest(points: np.ndarray, goal: np.ndarray) -> np.ndarray:
    return points[np.argmin(((points - goal) ** 2).sum(axis=1))]


def _grow(
    canvas: Canvas,
    inside: np.ndarray,
    points: np.ndarray,
    root: np.ndarray,
    ends: np.ndarray,
    radius: float,
    twigs: int,
) -> None:
    """Main branches from the root to the ends, each with twigs, each twig with its own."""
    for end in ends:
        main = _branch(canvas, inside, root, end, radius * float(canvas.rng.uniform(0.8, 1.15)))
        for _ in range(twigs):
            twig = _side_branch(canvas, inside, points, main, 55, 0.6 * radius)
            for _ in range(2):
                _side_branch(canvas, inside, points, twig, 32, 0.4 * radius)


def _branch(canvas: Canvas, inside: np.ndarray, start: np.ndarray, end: np.ndarray, radius: float) -> np.ndarray:
    """Paints one bent, thinning branch and returns its path."""
    length = float(np.linalg.norm(end - start))
    bends = start + (end - start) * np.array([[0.33], [0.66]]) + canvas.rng.normal(0, 0.1 * length + 0.5, (2, 3))
    path = smooth_path(np.vstack([start, bends, end]), 2.0, 0.12 * length + 1)
    canvas.tube(path, np.maximum(along_path([radius, 0.5 * radius], len(path)), 1.5), Tissue.LIVER_VESSEL, inside, 0.0)
    return path


def _side_branch(
    canvas: Canvas, inside: np.ndarray, points: np.ndarray, path: np.ndarray, reach: float, radius: float
) -> np.ndarray:
    """A branch that leaves a path somewhere for a liver voxel nearby, away from the path's own start."""
    start = path[int(canvas.rng.uniform(0.2, 0.9) * (len(path) - 1))]
    onward = path[-1] - path[0]
    onward = onward / (np.linalg.norm(onward) + 1e-6)
    goal = start + reach * (0.6 * onward + 0.8 * canvas.rng.normal(0, 0.7, 3))
    return _branch(canvas, inside, start, _nearest(points, goal), radius)


def paint_lesions(canvas: Canvas, plan: BodyPlan) -> None:
    """Blobs of mixed size inside the liver."""
    spots = np.argwhere(canvas.labels[::2, ::2, ::2] == Tissue.LIVER) * 2
    for _ in range(plan.lesions if len(spots) else 0):
        centre = _to_body(canvas, spots[canvas.rng.integers(len(spots))][None])[0]
        radii = plan.lesion_radius * canvas.rng.uniform(0.6, 1.3, 3)
        box = canvas.box(tuple(centre - radii), tuple(centre + radii))
        field = canvas.ellipsoid(box, centre, tuple(radii)) + canvas.rough(box, 0.16 * plan.lesion_radius, 0.4)
        own = np.isin(canvas.labels[box], (Tissue.LIVER, Tissue.LIVER_VESSEL))
        canvas.labels[box][(field < 0) & own] = Tissue.LIVER_LESION

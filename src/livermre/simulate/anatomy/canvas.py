"""The canvas: a label volume, the warped body coordinates of its voxels, and brushes that paint on it."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from livermre.simulate.tissue import Tissue

Box = tuple[slice, slice, slice]
REACH_MM = 22.0  # how far warp and turn may carry a border out of its box


def spline_weights(count: int, step: float) -> np.ndarray:
    """Cubic B-spline weights, float32 [count, coarse], of points 1/step coarse cells apart."""
    position = np.arange(count, dtype=np.float32)[:, None] / step + 1.5
    knots = np.arange(int(np.ceil(count / step)) + 4, dtype=np.float32)[None, :]
    far = np.abs(position - knots)
    near = 2 / 3 - far**2 + far**3 / 2
    return np.where(far < 1, near, np.clip(2 - far, 0, None) ** 3 / 6).astype(np.float32)


def smooth_noise(rng: np.random.Generator, shape: tuple[int, ...], step: tuple[float, ...]) -> np.ndarray:
    """Smooth Gaussian-like noise, float32 of the shape, mean near 0, sd about 1; step: grain in voxels per axis."""
    weights = [spline_weights(n, max(s, 1.0)) for n, s in zip(shape, step, strict=True)]
    coarse = rng.standard_normal([w.shape[1] for w in weights]).astype(np.float32)
    coarse = np.einsum("zyx,cx->zyc", coarse, weights[2], optimize=True)
    coarse = np.einsum("zyc,ry->zrc", coarse, weights[1], optimize=True)
    full = (weights[0] @ coarse.reshape(coarse.shape[0], -1)).reshape(shape)
    return full * np.float32(1 / 0.33)  # the B-spline averages neighbours: it keeps about a third of the sd


def turn_matrix(tilt_deg: tuple[float, float, float]) -> np.ndarray:
    """Rotation, float64 [3, 3], of (x, a, h) by angles about h, a and x."""
    (cz, cy, cx), (sz, sy, sx) = np.cos(np.deg2rad(tilt_deg)), np.sin(np.deg2rad(tilt_deg))
    about_h = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    about_a = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    return about_h @ about_a @ about_x


@dataclass
class Canvas:
    """Labels being painted and the coordinates to paint by.

    labels: uint8 [z, row, column]. free: bool, inner fat that an organ may still take.
    x, a, h: float32, mm left of the spine, before the spine, above the liver's dome; warped, so what is drawn
        straight in them comes out bent. bump: float32, unit noise of three grains (64, 24, 10 mm).
    """

    labels: np.ndarray
    free: np.ndarray
    x: np.ndarray
    a: np.ndarray
    h: np.ndarray
    bump: tuple[np.ndarray, ...]
    warp: np.ndarray
    spacing: np.ndarray
    origin: np.ndarray  # of voxel (0, 0, 0): h, a, x before the turn
    turn: np.ndarray
    rng: np.random.Generator
    scale: tuple[float, float] = (1.0, 1.0)  # of this body to the average one, sideways and front-back
    notes: dict = field(default_factory=dict)

    def place(self, points: ArrayLike) -> np.ndarray:
        """Points (x, a, h) of the average body carried to this one, float64 [n, 3]."""
        return np.atleast_2d(np.asarray(points, float)) * (*self.scale, 1.0)

    def to_index(self, points: ArrayLike) -> np.ndarray:
        """Where points (x, a, h) of the body lie, float64 [n, 3] voxel index (z, row, column)."""
        targets = np.atleast_2d(np.asarray(points, float))
        rough = np.rint(self._unwarped(targets)).astype(int)
        rough = np.clip(rough, 0, np.array(self.labels.shape) - 1)
        return self._unwarped(targets - self.warp[:, rough[:, 0], rough[:, 1], rough[:, 2]].T)

    def _unwarped(self, points: np.ndarray) -> np.ndarray:
        x, a, h = (points @ self.turn).T  # the inverse of a rotation is its transpose
        away = np.stack([h - self.origin[0], self.origin[1] - a, x - self.origin[2]], axis=1)
        return away / self.spacing

    def box(self, low: tuple[float, ...], high: tuple[float, ...], reach: float = REACH_MM) -> Box:
        """The voxels between two body points (x, a, h), with a margin for warp and turn."""
        corners = np.array(np.meshgrid(*zip(low, high, strict=True))).reshape(3, -1).T
        index = self._unwarped(corners)
        pad = reach / self.spacing
        start = np.clip(np.floor(index.min(0) - pad), 0, self.labels.shape).astype(int)
        stop = np.clip(np.ceil(index.max(0) + pad) + 1, 0, self.labels.shape).astype(int)
        z, row, column = (slice(int(lo), int(max(lo, hi))) for lo, hi in zip(start, stop, strict=True))
        return z, row, column

    def rough(self, box: Box, mid: float, fine: float = 0.0) -> np.ndarray:
        """Border noise in mm on the box, float32; each call mixes the grains differently."""
        low, middle, small = (bump[box] for bump in self.bump)
        sign = self.rng.choice([-1.0, 1.0], 3)
        return (
            np.float32(0.5 * mid * sign[0]) * low
            + np.float32(mid * sign[1]) * middle
            + np.float32(fine * sign[2]) * small
        )

    def ellipsoid(
        self, box: Box, centre: np.ndarray, radii: ArrayLike, lean: tuple[float, float] = (0, 0)
    ) -> np.ndarray:
        """Signed distance (about, mm, inside negative) to an ellipsoid, float32 on the box; lean: dx/dh and da/dh."""
        x, a, h = (axis[box] - np.float32(c) for axis, c in zip((self.x, self.a, self.h), centre, strict=True))
        half = np.asarray(radii, np.float32)
        x, a = x - np.float32(lean[0]) * h, a - np.float32(lean[1]) * h
        r = np.sqrt((x / half[0]) ** 2 + (a / half[1]) ** 2 + (h / half[2]) ** 2)
        return (r - 1) * np.cbrt(np.prod(half))

    def fill(self, box: Box, mask: np.ndarray, tissue: Tissue, anywhere: bool = False) -> None:
        """Paints the mask on the box: where free, or anywhere; what is painted is no longer free."""
        mask = mask if anywhere else mask & self.free[box]
        self.labels[box][mask] = tissue
        self.free[box][mask] = False

    def reserve(self, box: Box, mask: np.ndarray) -> None:
        """Keeps fat where it is: no organ may take it."""
        self.free[box] &= ~mask

    def tube(
        self, points: ArrayLike, radii: ArrayLike, tissue: Tissue, onto: np.ndarray | None = None, rough: float = 0.15
    ) -> None:
        """Paints balls along a path (x, a, h in mm) wherever `onto` (bool volume; the free voxels if None) allows."""
        target = self.free if onto is None else onto
        centres = self.to_index(points)
        for index, radius in zip(centres, np.broadcast_to(radii, len(centres)), strict=True):
            self._ball(index, float(radius), tissue, target, rough)

    def _ball(self, index: np.ndarray, radius: float, tissue: Tissue, target: np.ndarray, rough: float) -> None:
        reach = radius * (1 + 2 * rough) / self.spacing
        start = np.maximum(np.ceil(index - reach), 0).astype(int)
        stop = np.minimum(np.floor(index + reach), np.array(self.labels.shape) - 1).astype(int) + 1
        if (stop <= start).any():
            return
        box = tuple(slice(int(lo), int(hi)) for lo, hi in zip(start, stop, strict=True))
        z, r, c = (
            ((np.arange(lo, hi) - i) * s) ** 2 for lo, hi, i, s in zip(start, stop, index, self.spacing, strict=True)
        )
        far = (z[:, None, None] + r[None, :, None] + c[None, None, :]).astype(np.float32)
        limit = radius**2 if rough == 0 else (radius * (1 + rough * np.clip(self.bump[1][box], -2, 2))) ** 2
        mask = (far <= limit) & target[box]
        self.labels[box][mask] = tissue
        self.free[box][mask] = False


def smooth_path(points: ArrayLike, step: float, smooth: float = 10.0) -> np.ndarray:
    """A rounded path through about the given points, float64 [n, 3], one point every `step` mm."""
    corners = np.asarray(points, float)
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1))])
    at = np.linspace(0, along[-1], max(int(along[-1] / step), 2) + 1)
    dense = np.stack([np.interp(at, along, column) for column in corners.T], axis=1)
    return ndimage.gaussian_filter1d(dense, smooth / step, axis=0, mode="nearest")


def along_path(values: list[float], count: int) -> np.ndarray:
    """Values spread evenly along a path of `count` points, float64 [count]."""
    return np.interp(np.linspace(0, 1, count), np.linspace(0, 1, len(values)), values)


def smooth_min(first: np.ndarray, second: np.ndarray, blend: float) -> np.ndarray:
    """The smaller of two distances with a rounded seam `blend` mm wide."""
    overlap = np.maximum(blend - np.abs(first - second), 0)
    return np.minimum(first, second) - overlap * overlap * np.float32(0.25 / blend)


def smooth_max(first: np.ndarray, second: np.ndarray, blend: float) -> np.ndarray:
    """The larger of two distances with a rounded edge `blend` mm wide."""
    return -smooth_min(-first, -second, blend)


def ramp(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below `low`, 1 above `high`, smooth between (or the other way round when high < low)."""
    t = np.clip((values - np.float32(low)) * np.float32(1 / (high - low)), 0, 1)
    return t * t * (3 - 2 * t)

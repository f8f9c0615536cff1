"""A small exam with known arrays, which the makers write in each vendor's way."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Phantom:
    """Known truth: magnitude (S,O,R,C), stiffness (S,R,C) kPa or NaN, confidence (S,R,C), phase (S,D,O,R,C) rad."""

    magnitude: np.ndarray
    stiffness_kpa: np.ndarray
    confidence: np.ndarray
    phase_rad: np.ndarray
    spacing_mm: tuple[float, float]
    thickness_mm: float
    origins_mm: np.ndarray  # (S, 3), head to foot on purpose: the reader has to turn them
    cosines: tuple[float, ...]
    frequency_hz: float = 60.0
    field_t: float = 1.5

    @property
    def slices(self) -> int:
        return self.stiffness_kpa.shape[0]

    @property
    def shape(self) -> tuple[int, int]:
        return self.stiffness_kpa.shape[1:]

    @property
    def offsets(self) -> int:
        return self.phase_rad.shape[2]

    @property
    def directions(self) -> int:
        return self.phase_rad.shape[1]


def phantom(
    slices: int = 3, rows: int = 48, columns: int = 40, offsets: int = 4, directions: int = 1, seed: int = 7
) -> Phantom:
    """An oval body with a stiff inclusion, smooth confidence and random phase; rows and columns differ."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:rows, :columns]
    body = ((y - rows / 2) / (rows * 0.42)) ** 2 + ((x - columns / 2) / (columns * 0.42)) ** 2 < 1
    stiffness = np.empty((slices, rows, columns), dtype=np.float64)
    for s in range(slices):
        stiffness[s] = 2.0 + 0.1 * s + 0.01 * x + 0.02 * y
        stiffness[s, 10 + s : 18 + s, 12:20] += 3.0
    stiffness = np.where(body, np.round(stiffness, 3), np.nan)
    confidence = np.where(body, np.round(0.999 - 0.008 * np.abs(x - columns / 2), 3), 0.0)
    magnitude = np.where(body, 400 + 3 * x + y, 10) + rng.integers(0, 9, (slices, offsets, rows, columns))
    phase = rng.uniform(-np.pi, np.pi, (slices, directions, offsets, rows, columns))
    phase[..., 0, 0], phase[..., 0, 1] = -np.pi, np.pi * 0.999
    cosines, normal = _oblique()
    origins = np.array([[-120.0, -150.0, 80.0]] * slices) - np.arange(slices)[:, None] * 11.0 * normal
    return Phantom(
        magnitude=magnitude.astype(np.int64),
        stiffness_kpa=stiffness,
        confidence=np.broadcast_to(confidence, stiffness.shape).copy(),
        phase_rad=phase,
        spacing_mm=(2.5, 2.0),
        thickness_mm=10.0,
        origins_mm=origins,
        cosines=cosines,
    )


def _oblique() -> tuple[tuple[float, ...], np.ndarray]:
    a, b = np.deg2rad(4.0), np.deg2rad(-3.0)
    column = np.array([np.cos(a), np.sin(a), 0.0])
    row = np.array([-np.sin(a) * np.cos(b), np.cos(a) * np.cos(b), np.sin(b)])
    return tuple(float(v) for v in (*column, *row)), np.cross(column, row)

"""Exams with known arrays for the writers: any number of slices, offsets and directions, in any plane."""

import numpy as np

from livermre.exam.plane import Plane
from livermre.exam.types import Acquisition, Exam, Slice

Vectors = tuple[tuple[float, float, float], tuple[float, float, float]]
"""Directions to the next row and to the next column."""

AXIAL: Vectors = ((0.0, 1.0, 0.0), (1.0, 0.0, 0.0))
CORONAL: Vectors = ((0.0, 0.0, -1.0), (1.0, 0.0, 0.0))


def oblique(about_x: float = 12.0, about_z: float = -7.0) -> Vectors:
    """Axial planes tilted and turned, degrees."""
    a, b = np.deg2rad([about_x, about_z])
    column = np.array([np.cos(b), np.sin(b), 0.0])
    row = np.array([-np.sin(b) * np.cos(a), np.cos(b) * np.cos(a), np.sin(a)])
    return tuple(map(float, row)), tuple(map(float, column))  # type: ignore[return-value]


def exam(
    slices: int = 4,
    offsets: int = 4,
    directions: int = 1,
    vectors: Vectors = AXIAL,
    rows: int = 30,
    columns: int = 36,
    sequence: str = "GRE",
    frequency_hz: float | None = 60.0,
    step_mm: float = 11.0,
    seed: int = 3,
) -> Exam:
    """Random magnitude and phase, smooth stiffness in an oval with no value around it, a wave of one harmonic."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:rows, :columns]
    body = ((y - rows / 2) / (0.45 * rows)) ** 2 + ((x - columns / 2) / (0.45 * columns)) ** 2 < 1
    first = Plane((rows, columns), (2.1, 1.7), (-150.25, -120.5, -33.125), *vectors, 10.0)
    time = 2 * np.pi * np.arange(offsets) / offsets
    made = []
    for i in range(slices):
        origin = np.asarray(first.origin_mm) + i * step_mm * first.normal
        plane = Plane(first.shape, first.spacing_mm, tuple(map(float, origin)), *vectors, 10.0)
        start = rng.uniform(-np.pi, np.pi, (1, directions, 1, rows, columns))
        made.append(
            Slice(
                plane=plane,
                magnitude=np.where(body, rng.uniform(200, 900, body.shape), rng.uniform(0, 9, body.shape)),
                stiffness_kpa=np.where(body, 2.0 + 0.3 * i + 0.02 * x + rng.uniform(0, 0.2, body.shape), np.nan),
                confidence=np.where(body, rng.uniform(0.2, 1.0, body.shape), 0.0),
                phase_rad=rng.uniform(-np.pi, np.pi, (1, directions, offsets, rows, columns)),
                wave_rad=3.7 * np.cos(start + time[:, None, None]),
            )
        )
    return Exam(tuple(made), Acquisition("simulated", 1.5, frequency_hz, sequence, "2D"), "simulated")

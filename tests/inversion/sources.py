"""Exact waves, simulated: plane waves and point sources that obey the wave equation, and exams made of them."""

import numpy as np
from scipy.special import hankel2

from livermre.exam.plane import Plane
from livermre.exam.types import Acquisition, Exam, Slice

SHAPE = (160, 192)
SPACING_MM = 1.5


def wavenumber(kpa: complex, frequency_hz: float = 60.0) -> complex:
    """Radians/mm of a shear wave in a medium of complex modulus kpa and 1000 kg/m3."""
    return complex(2 * np.pi * frequency_hz * np.sqrt(1000 / (kpa * 1e3)) * 1e-3)


def places_mm(shape: tuple[int, int] = SHAPE, spacing_mm: float = SPACING_MM) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.indices(shape).astype(float)
    return (y - shape[0] / 2) * spacing_mm, (x - shape[1] / 2) * spacing_mm


def plane_wave(k: complex, angle: float, **grid) -> np.ndarray:
    y, x = places_mm(**grid)
    return np.exp(-1j * k * (np.sin(angle) * y + np.cos(angle) * x))


def body(shape: tuple[int, int] = SHAPE) -> np.ndarray:
    y, x = places_mm(shape)
    return (y / (0.42 * SPACING_MM * shape[0])) ** 2 + (x / (0.42 * SPACING_MM * shape[1])) ** 2 < 1


def shaken(kpa: complex, rng: np.random.Generator, amplitude: float = 0.5, sources: int = 6) -> np.ndarray:
    """Waves of random sources beyond the right side of the body, of that mean amplitude in its inner part."""
    y, x = places_mm()
    wave = np.zeros(SHAPE, complex)
    for _ in range(sources):
        a = np.pi + rng.uniform(-1, 1)
        far = np.hypot(y - 130 * np.sin(a), x - 150 * np.cos(a))
        wave += (rng.normal() + 1j * rng.normal()) * hankel2(0, wavenumber(kpa) * far)
    return wave * amplitude / np.abs(wave)[inner()].mean()


def bulk(rng: np.random.Generator, amplitude: float) -> np.ndarray:
    """Smooth motion of the whole body: a complex polynomial of third degree."""
    y, x = (p / 150 for p in places_mm())
    field = sum((rng.normal() + 1j * rng.normal()) * y**i * x**j / (1 + i + j) for i in range(4) for j in range(4 - i))
    return field * amplitude / np.abs(field)[inner()].mean()


def inner() -> np.ndarray:
    """Where stiffness is looked at: the half of the body near the sources, well inside."""
    y, x = places_mm()
    return ((y / 65) ** 2 + ((x + 40) / 45) ** 2 < 1) & body()


def exam_of(
    harmonic: np.ndarray,
    rng: np.random.Generator,
    noise_rad: float = 0.0,
    offsets: int = 4,
    frequency_hz: float | None = 60.0,
    slices: int = 1,
) -> Exam:
    """A simulated exam with that complex first harmonic (R, C) or (F, D, R, C), rad, on top of a static phase."""
    motion = np.broadcast_to(harmonic, (*((1, 1) if harmonic.ndim == 2 else ()), *harmonic.shape))
    turns = np.exp(2j * np.pi * np.arange(offsets) / offsets)[:, None, None]
    inside = body()
    made = []
    for i in range(slices):
        phase = (motion[:, :, None] * turns).real + 0.4
        phase = phase + noise_rad * rng.normal(size=phase.shape)
        phase = np.where(inside, phase, rng.uniform(-np.pi, np.pi, phase.shape))
        magnitude = np.where(inside, 100.0, 2.0) + rng.uniform(0, 1, SHAPE)
        plane = Plane(SHAPE, (SPACING_MM, SPACING_MM), (0, 0, 10.0 * i), (0, 1, 0), (1, 0, 0), 8.0)
        made.append(Slice(plane, magnitude, phase_rad=np.angle(np.exp(1j * phase))))
    return Exam(tuple(made), Acquisition("simulated", frequency_hz=frequency_hz), "simulated")

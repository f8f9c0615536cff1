"""Motion in three directions: its curl, which holds shear and no compression, where the slices allow it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import ndimage

from livermre.exam.flags import Flag, flag
from livermre.exam.plane import Plane
from livermre.exam.types import Acquisition
from livermre.inversion.result import Components
from livermre.inversion.settings import InversionSettings
from livermre.inversion.slices import Motion

EVEN = 0.1
"""Slice distances may differ by this share of the distance: positions are rounded, gaps are whole slices."""

PER_WAVE = 4
"""Slices a wavelength, at least: a central difference over two steps h sees sin(k h) / (k h) of a slope, 2/pi of it at
a quarter wavelength, nothing at half a one, and beyond it the wrong sign."""

_TOWARDS = {
    "R": (-1, 0, 0), "L": (1, 0, 0), "A": (0, -1, 0), "P": (0, 1, 0), "I": (0, 0, -1), "S": (0, 0, 1),
}  # fmt: skip
"""Unit vectors (LPS) of the letters of `Acquisition.directions`."""

_AXES = ("RL", "AP", "IS")


def curl(wave: np.ndarray, spacing_mm: tuple[float, float], step_mm: float) -> np.ndarray:
    """Curl (3, S, R, C) complex64, rad/mm, of motion with three components by central differences.

    wave        (3, S, R, C) complex, rad: components along columns (x), rows (y) and slices (z), at least 3 slices
    spacing_mm  (to the next row, to the next column), mm
    step_mm     distance of neighbouring slices, mm
    """

    def slope(component: int, axis: int) -> np.ndarray:
        return np.gradient(wave[component], (step_mm, *spacing_mm)[axis], axis=axis)

    x, y, z = 0, 1, 2
    along = {x: 2, y: 1, z: 0}  # axis of [slice, row, column] in which each direction runs
    parts = (
        slope(z, along[y]) - slope(y, along[z]),
        slope(x, along[z]) - slope(z, along[x]),
        slope(y, along[x]) - slope(x, along[y]),
    )
    return np.stack(parts).astype(np.complex64)


def joined(
    motions: Sequence[Motion | None],
    acquisition: Acquisition,
    frequencies_hz: tuple[float, ...],
    settings: InversionSettings,
    filtered: bool,
) -> tuple[list[Motion | None], Components, tuple[Flag, ...]]:
    """The motions to fit, how their components were joined ("one", "curl" or "sum"), and the flag that says so.

    filtered  True for the scanner's filtered waves, whose components are taken as they are
    """
    known = [m for m in motions if m is not None]
    count = known[0].harmonic.wave.shape[1]
    if count == 1:
        return list(motions), "one", ()
    obstacle = "filtered waves are taken as they are" if filtered else ""
    obstacle = obstacle or _obstacle(motions, acquisition, frequencies_hz, settings)
    if obstacle:
        return list(motions), "sum", (flag("components_summed", count=count, reason=obstacle),)
    step = _step_mm(known)
    return (
        list(_by_curl(known, acquisition, step, frequencies_hz, settings)),
        "curl",
        (flag("components_by_curl", step_mm=step),),
    )


def _step_mm(motions: Sequence[Motion]) -> float:
    return float(np.median(np.diff([m.acquired.plane.position_mm for m in motions])))


def _obstacle(
    motions: Sequence[Motion | None],
    acquisition: Acquisition,
    frequencies_hz: tuple[float, ...],
    settings: InversionSettings,
) -> str:
    """What forbids the curl, in words; empty where nothing does."""
    known = [m for m in motions if m is not None]
    count = known[0].harmonic.wave.shape[1]
    if count != 3:
        return f"a curl needs 3 directions, not {count}"
    if any(sum(d in pair for d in acquisition.directions) != 1 for pair in _AXES):
        return "the exam does not say along which axes the directions run"
    if len(known) < 3:
        return f"a curl needs 3 slices, not {len(known)}"
    if len(known) < len(motions) or any(m.flags for m in known):
        return "not every slice has phase that can be used"
    first = known[0].acquired.plane
    steps = np.diff([m.acquired.plane.position_mm for m in known])
    if np.ptp(steps) > EVEN * np.median(steps) or not all(_stacked(first, m.acquired.plane) for m in known):
        return "the slices are not one evenly spaced stack"
    widest = settings.lowpass_mm * settings.reference_hz / max(frequencies_hz) / PER_WAVE
    if np.median(steps) > widest:
        return (
            f"slices {np.median(steps):.1f} mm apart are too far for a slope through the slices; "
            f"at most {widest:.1f} mm, a quarter of the shortest wave"
        )
    return ""


def _stacked(a: Plane, b: Plane) -> bool:
    """Whether one plane lies straight over the other, pixel over pixel."""
    moved = np.asarray(b.origin_mm) - np.asarray(a.origin_mm)
    aside = moved - (moved @ a.normal) * a.normal
    alike = np.allclose(a.to_next_row, b.to_next_row, atol=1e-3) and np.allclose(
        a.to_next_column, b.to_next_column, atol=1e-3
    )
    return a.shape == b.shape and np.allclose(a.spacing_mm, b.spacing_mm) and alike and bool(np.abs(aside).max() < 0.5)


def _by_curl(
    motions: Sequence[Motion],
    acquisition: Acquisition,
    step_mm: float,
    frequencies_hz: tuple[float, ...],
    settings: InversionSettings,
) -> list[Motion]:
    """Each motion with the curl as its wave, in rad: times the middle wavelength of the band over 2 pi.

    So a shear wave in the middle of the band keeps its amplitude. Kept is what has body in both neighbouring slices.
    """
    plane = motions[0].acquired.plane
    count = len(frequencies_hz)
    whole = np.zeros((count, 3, len(motions), *plane.shape), dtype=np.complex64)
    inside = np.zeros((len(motions), *plane.shape), dtype=bool)
    towards = np.array([_TOWARDS[d] for d in acquisition.directions], dtype=float)
    turn = np.stack([plane.to_next_column, plane.to_next_row, plane.normal]) @ towards.T
    for i, m in enumerate(motions):
        whole[:, :, i, m.rows, m.columns] = np.einsum("ad,fdrc->farc", turn, m.harmonic.wave)
        inside[i, m.rows, m.columns] = m.body
    middle = np.sqrt(settings.highpass_mm * settings.lowpass_mm) * settings.reference_hz / np.asarray(frequencies_hz)
    rotated = np.stack(
        [curl(w, plane.spacing_mm, step_mm) * np.float32(mm / (2 * np.pi)) for w, mm in zip(whole, middle, strict=True)]
    )
    deep = ndimage.binary_erosion(inside, np.ones((3, 1, 1)), border_value=1)
    out = []
    for i, m in enumerate(motions):
        kept = m.kept & deep[i, m.rows, m.columns] & ndimage.binary_erosion(m.body, border_value=1)
        wave = rotated[:, :, i, m.rows, m.columns] * kept
        enough = kept if kept.any() else m.kept
        out.append(replace(m, kept=enough, smooth=m.smooth & kept, harmonic=replace(m.harmonic, wave=wave)))
    return out

"""Whether the offsets show a vibration at all, and in this order: the first harmonic against what is left over.

Offsets without a vibration are noise that knows no order. Then what is left over beside the first harmonic holds, of
the energy that changes with time, its share of the dimensions: (N - 3) / (N - 1) of N offsets. That holds on average in
each pixel, for any distribution and any strength of the noise, as long as no offset differs from the others. The
filter, the size of pixels and the anatomy do not enter: the test means the same on coarse and on fine pixels.

The mean over the offsets is one dimension more that noise fills like the others. It holds what stands still, too, which
a polarity difference leaves out but for what is smooth: with it, what is left over can only be more, a vibration harder
to prove. Three offsets leave nothing else over; a small area gains by it.
"""

import itertools
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np

from livermre.inversion.harmonic import first_harmonic
from livermre.inversion.offsets import MINIMUM
from livermre.inversion.scales import gain_of
from livermre.inversion.settings import InversionSettings
from livermre.inversion.spectrum import Grid, without_background

_Share = TypeVar("_Share", float, np.ndarray)

MARGIN_MM = 60.0

CELL_MM2 = 300.0
"""Area of one independent cell of band-passed noise at the reference frequency: the spread of the rest's share between
75 slices of simulated exams without a vibration."""

MOST_ORDERS_OF = 8
"""Up to so many offsets all orders are tried (2520), beyond it only exchanges of two."""


@dataclass(frozen=True)
class Moments:
    """Second moments of band-passed offsets over some pixels, each counting alike however strong its motion.

    sums    (N, N) float64: sum over pixels of x x' / |x|^2, x the motion at the N offsets
    pixels  how many, of the grid of the fit
    still   whether x holds its mean over the offsets, too
    """

    sums: np.ndarray
    pixels: int
    still: bool = False

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(self.sums + other.sums, self.pixels + other.pixels, self.still)

    @property
    def spare(self) -> int:
        """Dimensions beside the first harmonic's two."""
        return len(self.sums) - (2 if self.still else 3)


def band_passed(
    phase_rad: np.ndarray,
    body: np.ndarray,
    spacing_mm: tuple[float, float],
    frequencies_hz: tuple[float, ...],
    settings: InversionSettings,
) -> tuple[np.ndarray, int]:
    """Band-passed phase (F, D, O, r, c) float32, rad, of every offset on a grid of every n-th pixel, and n.

    phase_rad  (F, D, O, R, C) float32, rad, unwrapped
    body       (R, C) bool
    """
    factor = factor_of(spacing_mm, settings)
    motion, inside = coarser(phase_rad, factor), body[::factor, ::factor]
    grid = Grid.of(inside.shape, (spacing_mm[0] * factor, spacing_mm[1] * factor), MARGIN_MM)
    count = motion.shape[-3]
    if count % 2:
        motion = np.concatenate([motion, np.zeros_like(motion[..., :1, :, :])], axis=-3)
    pairs = motion[..., 0::2, :, :] + np.complex64(1j) * motion[..., 1::2, :, :]  # real filters: two at once
    spectra = grid.transform(without_background(pairs, inside, grid, settings.background_mm))
    gains = np.stack([gain_of(grid, settings.reference_hz / f, settings) for f in frequencies_hz])
    passed = grid.back(spectra * gains[:, None, None])
    both = np.stack([passed.real, passed.imag], axis=-3)
    return both.reshape(*motion.shape[:-2], *inside.shape)[..., :count, :, :], factor


def moments(passed: np.ndarray, where: np.ndarray, still: bool = False) -> Moments:
    """Moments of band-passed phase (F, D, O, r, c) over the pixels of where (r, c) bool; components add up.

    still  True leaves the mean over the offsets in
    """
    chosen = passed[..., where].astype(np.float64)  # (F, D, O, pixels)
    if not still:
        chosen -= chosen.mean(-2, keepdims=True)
    energy = (chosen**2).sum((0, 1, 2))
    chosen = chosen[..., energy > 0] / np.sqrt(energy[energy > 0])
    return Moments(np.einsum("fdip,fdjp->ij", chosen, chosen), int(chosen.shape[-1]), still)


def band_share(passed: np.ndarray) -> np.ndarray | None:
    """(r, c) float32, share 0..1 of the energy that changes with time that the first harmonic holds; None of three.

    passed  (F, D, O, r, c) float32, rad, band-passed offsets; components and frequencies add up

    Noise fills every dimension alike, 2 / (O - 1) on the mean over pixels. Where nothing moves the share is 0.
    """
    count = passed.shape[-3]
    if count <= MINIMUM:
        return None
    motion = passed - passed.mean(-3, keepdims=True)
    every = (motion**2).sum((0, 1, 2))
    first = np.abs(first_harmonic(motion)) ** 2 * (count / 2)
    return np.minimum(first.sum((0, 1)) / np.maximum(every, np.finfo(np.float32).tiny), 1).astype(np.float32)


def left_over(found: Moments, order: tuple[int, ...] | None = None) -> float:
    """Share, 0..1, of the energy that the first harmonic of offsets in this order does not hold; NaN without pixels.

    order  place in time of each offset; None for the order in which they are given
    """
    places = np.arange(len(found.sums)) if order is None else np.asarray(order)
    return float(_left_over(found, places[None])[0])


def against_noise(found: Moments) -> float | None:
    """Energy of the first harmonic over that of what is left over, each by its number of dimensions: 1 for noise.

    None for three offsets without their mean, which leave nothing over, and without pixels.
    """
    spare = found.spare
    if spare < 1 or found.pixels == 0:
        return None
    return _over_noise(1 - left_over(found), spare)


def over_noise(share: _Share, offsets: int) -> _Share:
    """The same from the first harmonic's mean share (0..1) of the energy that changes with time, of four offsets on."""
    return _over_noise(share, offsets - 3)


def _over_noise(share: _Share, spare: int) -> _Share:
    return share / 2 * spare / np.maximum(1 - share, 1e-9)


def weaker_turn(found: Moments) -> float | None:
    """The same of the weaker of the first harmonic's two dimensions alone: as strong as the other in travelling waves.

    An artefact of one shape that each offset holds in another strength, as ghosts of a pulse are, lies along one line
    through all dimensions: by chance along the harmonic, but then in one of its two. None where `against_noise` is.
    """
    if found.spare < 1 or found.pixels == 0:
        return None
    count = len(found.sums)
    turns = 2 * np.pi * np.arange(count) / count
    plane = np.stack([np.cos(turns), np.sin(turns)]) * np.sqrt(2 / count)
    weaker = float(np.linalg.eigvalsh(plane @ found.sums @ plane.T)[0])
    rest = max(left_over(found) * float(np.trace(found.sums)), 1e-9)
    return weaker * found.spare / rest


def deviations(found: Moments, pixel_mm2: float, cell_mm2: float) -> float:
    """How far below noise's share the rest lies, in standard deviations of noise over so many independent cells.

    pixel_mm2  area of a pixel of the moments
    cell_mm2   area over which band-passed noise is alike

    In one cell of noise the rest's share follows a beta distribution of half its dimensions and 1.
    """
    spare = found.spare
    a = spare / 2
    spread = np.sqrt(a / ((a + 1) ** 2 * (a + 2)))
    cells = max(found.pixels * pixel_mm2 / cell_mm2, 1.0)
    return float((spare / (spare + 2) - left_over(found)) / spread * np.sqrt(cells))


def better_order(found: Moments) -> tuple[tuple[int, ...], float] | None:
    """The order that leaves least over, and how much less than the given one (0..1); None for three offsets.

    Another start and the reverse are the same vibration and count as one order.
    """
    if len(found.sums) < 4 or found.pixels == 0:
        return None
    orders = _orders(len(found.sums))
    rests = _left_over(found, orders)
    best = int(np.argmin(rests))
    return tuple(int(i) for i in orders[best]), float(rests[0] - rests[best])


def _left_over(found: Moments, orders: np.ndarray) -> np.ndarray:
    count = len(found.sums)
    turns = np.exp(2j * np.pi * orders / count)
    held = np.einsum("oi,ij,oj->o", turns, found.sums, turns.conj()).real * 2 / count
    return 1 - held / max(float(np.trace(found.sums)), 1e-12)


@lru_cache(maxsize=8)
def _orders(count: int) -> np.ndarray:
    """Places in time (orders, N) of N offsets, the given order first; beyond eight offsets exchanges of two alone."""
    given = tuple(range(count))
    if count <= MOST_ORDERS_OF:  # the first stays where it is (start), the second comes before the last (direction)
        rest = (p for p in itertools.permutations(given[1:]) if p[0] < p[-1])
        return np.array([(0, *p) for p in rest])
    swapped = [list(given) for _ in range(count * (count - 1) // 2 + 1)]
    for order, (i, j) in zip(swapped[1:], itertools.combinations(given, 2), strict=True):
        order[i], order[j] = j, i
    return np.array(swapped)


def factor_of(spacing_mm: tuple[float, float], settings: InversionSettings) -> int:
    """Every how many-th pixel the fit's grid takes."""
    return max(int(settings.grid_mm / max(spacing_mm)), 1)


def coarser(images: np.ndarray, factor: int) -> np.ndarray:
    """Means over factor x factor pixels, of as many as the image has every factor-th."""
    if factor == 1:
        return images
    short = [(0, -n % factor) for n in images.shape[-2:]]
    full = np.pad(images, [(0, 0)] * (images.ndim - 2) + short, mode="edge")
    rows, columns = (n // factor for n in full.shape[-2:])
    return full.reshape(*full.shape[:-2], rows, factor, columns, factor).mean((-3, -1), dtype=images.dtype)

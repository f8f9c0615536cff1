"""One slice: from its acquired images to the motion in the body's box, and from there to maps on the whole image."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import ndimage

from livermre.exam.flags import Flag
from livermre.exam.types import Slice
from livermre.inversion.harmonic import offsets_of
from livermre.inversion.maps import Maps, maps_of
from livermre.inversion.offsets import MINIMUM
from livermre.inversion.quality import CONFIDENT, doubts, slice_quality, trusted
from livermre.inversion.result import SliceQuality
from livermre.inversion.settings import InversionSettings
from livermre.inversion.short_waves import Ring, Shares, ring_of, shares
from livermre.inversion.unwrapping import box, foreground, unwrap
from livermre.inversion.vibration import Moments, band_passed, band_share, moments
from livermre.inversion.wave import Harmonic, harmonic_of, has_mean, roughness_of

Start = Literal["phase", "wave"]


@dataclass(frozen=True)
class Motion:
    """The motion of one slice, all images cut to the box (rows, columns) around its body.

    acquired  the slice
    offsets   how many
    body      (r, c) bool
    kept      (r, c) bool, the body without its rim
    harmonic  the first harmonic; what is filtered and fitted
    passed    (F, D, O, r', c') float32, band-passed phase of the offsets on every factor-th pixel; None from waves
    has_mean  whether the offsets come with their mean: what was taken off tells no noise
    ring      the band against shorter waves; None from waves and where pixels are too coarse
    smooth    (r, c) bool, where neighbours agree so that the phase could be unwrapped
    flags     why its offsets cannot be trusted
    """

    acquired: Slice
    rows: slice
    columns: slice
    offsets: int
    body: np.ndarray
    kept: np.ndarray
    harmonic: Harmonic
    passed: np.ndarray | None
    has_mean: bool
    ring: Ring | None
    factor: int
    smooth: np.ndarray
    flags: tuple[Flag, ...]


@dataclass(frozen=True)
class Done:
    """One slice: its new images, the maps on the whole image, its quality, and what its offsets say.

    body, sure  moments of the offsets over the smooth part of the body, and over the confident pixels; None from waves
    still       moments with the offsets' mean over the confident pixels; None where that was taken off
    band        the band's share of the confident pixels, of three offsets alone
    pixel_mm2   area of a pixel of these moments
    band_share  (R, C) float32, what the first harmonic holds of the band-passed energy, NaN outside the body's box;
                None where nothing is left over to compare with
    short_share (2, R, C) float32, what the band holds of itself and of shorter waves along columns and along rows; None
                where they cannot be seen
    """

    slice: Slice
    maps: Maps
    quality: SliceQuality
    body: Moments | None
    sure: Moments | None
    still: Moments | None
    band: Shares | None
    pixel_mm2: float
    band_share: np.ndarray | None
    short_share: np.ndarray | None


def motion_of(
    s: Slice, image: np.ndarray, frequencies_hz: tuple[float, ...], settings: InversionSettings, start: Start
) -> Motion:
    """The motion of one slice from its images (F, D, O, R, C), rad: acquired phase or filtered waves."""
    body = foreground(s.magnitude)
    rows, columns = box(body, 0)
    inside = body[rows, columns]
    cut = image[..., rows, columns]
    phase = unwrap(cut, inside) if start == "phase" else cut
    harmonic = harmonic_of(phase, inside, wrapped=False)
    kept = _without_edge(inside, s.plane.spacing_mm, settings.edge_mm)
    if start == "wave":
        smooth = np.ones_like(kept)
        return Motion(s, rows, columns, image.shape[2], inside, kept, harmonic, None, False, None, 1, smooth, ())
    passed, factor = band_passed(phase, kept, s.plane.spacing_mm, frequencies_hz, settings)
    rough = roughness_of(cut, s.plane.spacing_mm, settings.confidence_window_mm)
    smooth = rough <= settings.most_roughness_rad
    flags = doubts(s, cut, harmonic, kept, settings)
    ring = ring_of(harmonic.wave, kept, s.plane.spacing_mm, frequencies_hz, settings)
    mean = has_mean(image)
    return Motion(s, rows, columns, image.shape[2], inside, kept, harmonic, passed, mean, ring, factor, smooth, flags)


def maps_from(m: Motion, frequencies_hz: tuple[float, ...], settings: InversionSettings, start: Start) -> Done:
    """Maps and quality of one slice, from its motion."""
    spacing = m.acquired.plane.spacing_mm
    maps = maps_of(m.harmonic.wave, m.kept, spacing, frequencies_hz, settings, filtered=start == "wave")
    body = sure = still = band = None
    if m.passed is not None:
        step = slice(None, None, m.factor)
        confident = (m.smooth & (maps.confidence >= CONFIDENT))[step, step]
        body, sure = moments(m.passed, (m.kept & m.smooth)[step, step]), moments(m.passed, confident)
        still = moments(m.passed, confident, still=True) if m.has_mean else None
        only = m.offsets == MINIMUM  # nothing is left over in time: only shorter waves tell the noise
        band = shares(m.ring, confident) if only and m.ring is not None else None
    maps = trusted(maps, m.smooth & (not m.flags))
    quality = slice_quality(m.acquired, m.harmonic, maps, m.kept, start == "phase", m.flags)
    full = Maps(
        _whole(maps.stiffness_kpa, m, np.nan),
        _whole(maps.confidence, m, 0),
        None if maps.modulus_kpa is None else _whole(maps.modulus_kpa, m, np.nan),
        _whole(maps.wave, m, 0),
    )
    wave = offsets_of(full.wave, m.offsets)
    own = replace(m.acquired, stiffness_kpa=full.stiffness_kpa, confidence=full.confidence, wave_rad=wave)
    pixel_mm2 = spacing[0] * spacing[1] * m.factor**2
    short = None if m.ring is None else _fine(m.ring.share, m)
    return Done(own, full, quality, body, sure, still, band, pixel_mm2, _band_share(m), short)


def _band_share(m: Motion) -> np.ndarray | None:
    share = None if m.passed is None else band_share(m.passed)
    return None if share is None else _fine(share, m)


def _fine(coarse: np.ndarray, m: Motion) -> np.ndarray:
    """An image of every n-th pixel on the whole grid, NaN outside the body's box."""
    rows, columns = m.body.shape
    return _whole(coarse.repeat(m.factor, -2).repeat(m.factor, -1)[..., :rows, :columns], m, np.nan)


def withdrawn(done: Done, flags: tuple[Flag, ...] = ()) -> Done:
    """The same slice without a value and with no confidence; the wave stays, for people to look at."""
    maps = trusted(done.maps, False)
    own = replace(done.slice, stiffness_kpa=maps.stiffness_kpa, confidence=maps.confidence)
    quality = replace(done.quality, confident_share=0.0, flags=(*done.quality.flags, *flags))
    return replace(done, slice=own, maps=maps, quality=quality)


def _without_edge(body: np.ndarray, spacing_mm: tuple[float, float], edge_mm: float) -> np.ndarray:
    if edge_mm <= 0:
        return body
    padded = np.pad(body, 1)  # the image's border is an edge, too
    kept = ndimage.distance_transform_edt(padded, sampling=spacing_mm)[1:-1, 1:-1] > edge_mm
    return kept if kept.any() else body


def _whole(part: np.ndarray, m: Motion, fill: float) -> np.ndarray:
    out = np.full((*part.shape[:-2], *m.acquired.plane.shape), fill, dtype=part.dtype)
    out[..., m.rows, m.columns] = part
    return out

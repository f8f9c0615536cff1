"""The clinical colour scale of stiffness (0-8 kPa), and every other colour of the page: defined here, once."""

import numpy as np

from livermre.exam.flags import Severity
from livermre.exam.reasons import Reason

TOP_KPA = 8.0
"""Upper end of the clinical scale; stiffer pixels take its last colour, as on the scanners."""

NO_VALUE = 255
"""Palette index of a pixel without a value: transparent."""

_LAST = 250
"""Palette index of TOP_KPA: 251 steps of 0.032 kPa, finer than an eye or a screen tells apart."""

# one colour a kPa, 0 to 8: purple, blue, cyan, green, yellow, orange, red, as elastograms are customarily shown
_ANCHORS = ("#3c0a5c", "#4329b4", "#1f6fee", "#17bfe0", "#23b24b", "#f2e52c", "#f8931d", "#e2231a", "#84060f")

LIVER = "#ffd21f"
REGION = "#ffffff"
CASING = "#000000"
HATCH = "#c2500a"
EMPTY = "#26292f"
INK, SOFT, LINE, WASH = "#14181d", "#5c6570", "#d9dee4", "#f4f6f8"

# safe for colour-blind readers (Okabe-Ito), each with its own sign so that colour never stands alone
SEVERITY_COLOUR = {Severity.BLOCKING: "#b3261e", Severity.WARNING: "#9a5b00", Severity.INFO: "#2b5f8a"}
SEVERITY_WORD = {Severity.BLOCKING: "Blocking", Severity.WARNING: "Doubt", Severity.INFO: "Note"}

# a fixed order of reasons, light to dark and hue apart: neighbours differ in lightness too
REASON_COLOURS = ("#8fa3b8", "#0072b2", "#e69f00", "#4d4d4d", "#d55e00", "#cc79a7", "#56b4e9", "#7a5195")
KEPT = "#1b7f5c"

# the bands of a stage table, from soft to stiff: one hue, growing darker
_SOFT, _STIFF = (232, 237, 242), (96, 118, 140)


def rgb(colour: str) -> tuple[int, int, int]:
    """(red, green, blue) 0..255 of "#rrggbb"."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _scale() -> np.ndarray:
    anchors = np.array([rgb(a) for a in _ANCHORS], dtype=float)
    at = np.linspace(0, TOP_KPA, _LAST + 1)
    stops = np.linspace(0, TOP_KPA, len(anchors))
    return np.rint(np.stack([np.interp(at, stops, anchors[:, i]) for i in range(3)], axis=1)).astype(np.uint8)


SCALE = _scale()
"""(251, 3) uint8: the colours of 0 to 8 kPa."""
SCALE.flags.writeable = False


def palette() -> np.ndarray:
    """(256, 3) uint8: the scale, then neutral grey up to NO_VALUE."""
    full = np.full((256, 3), 128, dtype=np.uint8)
    full[: _LAST + 1] = SCALE
    return full


# blue, white, red: below, at and above zero, for waves and differences (ColorBrewer's RdBu, safe for colour-blind eyes)
_BELOW, _ZERO, _ABOVE = "#2166ac", "#f7f7f7", "#b2182b"


def diverging() -> np.ndarray:
    """(256, 3) uint8: blue to white to red over 0 to 250, then neutral grey up to NO_VALUE."""
    stops = np.array([rgb(_BELOW), rgb(_ZERO), rgb(_ABOVE)], dtype=float)
    at = np.linspace(0, 2, _LAST + 1)
    full = np.full((256, 3), 128, dtype=np.uint8)
    full[: _LAST + 1] = np.rint(np.stack([np.interp(at, [0, 1, 2], stops[:, i]) for i in range(3)], axis=1))
    return full


def diverging_index(values: np.ndarray, reach: float) -> np.ndarray:
    """Indices (uint8) into `diverging` of values from -reach to reach: NaN becomes NO_VALUE, beyond takes the end."""
    known = np.isfinite(values)
    steps = np.clip((np.where(known, values, 0) / reach + 1) / 2, 0, 1) * _LAST
    return np.where(known, np.rint(steps), NO_VALUE).astype(np.uint8)


def stiffness_index(stiffness_kpa: np.ndarray) -> np.ndarray:
    """Palette indices (uint8) of stiffness in kPa: NaN becomes NO_VALUE, values beyond the ends take the end."""
    known = np.isfinite(stiffness_kpa)
    steps = np.clip(np.where(known, stiffness_kpa, 0) * (_LAST / TOP_KPA), 0, _LAST)
    return np.where(known, np.rint(steps), NO_VALUE).astype(np.uint8)


def kpa_of(colour: tuple[int, int, int]) -> float:
    """The stiffness whose colour is nearest to the one given, kPa."""
    distance = ((SCALE.astype(int) - np.asarray(colour)) ** 2).sum(axis=1)
    return float(np.argmin(distance)) * TOP_KPA / _LAST


_HEX = tuple(f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in SCALE.tolist())


def hex_of(kpa: float) -> str:
    """The colour "#rrggbb" of a stiffness in kPa."""
    return _HEX[min(max(round(kpa * _LAST / TOP_KPA), 0), _LAST)]


def reason_colour(reason: Reason) -> str:
    """The colour of a reason, the same on every page."""
    return REASON_COLOURS[list(Reason).index(reason) % len(REASON_COLOURS)]


def band_colours(count: int) -> list[str]:
    """One grey-blue for each band of a stage table, light (soft) to dark (stiff)."""
    shares = np.linspace(0, 1, count) if count > 1 else np.zeros(1)
    mixed = [[round(a + (b - a) * float(s)) for a, b in zip(_SOFT, _STIFF)] for s in shares]
    return [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in mixed]

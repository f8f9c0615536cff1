"""The rules of the region, one function each: a view of a slice in, the mask of pixels that it drops out."""

from collections.abc import Callable

import numpy as np

from livermre.exam.reasons import Reason
from livermre.roi.brightness import relative_brightness
from livermre.roi.grid import dilate, islands, robust_spread, touched
from livermre.roi.settings import RoiSettings
from livermre.roi.view import LiverView

Rule = Callable[[LiverView, RoiSettings], np.ndarray]

_FEW_PIXELS = 30
"""Fewer pixels carry no robust median; a rule that needs one then drops nothing."""


def edge(view: LiverView, settings: RoiSettings) -> np.ndarray:
    """Pixels closer to the liver's outline than the margin: waves reflect there and windows reach outside."""
    return view.depth_mm < settings.erode_mm


def vessel(view: LiverView, settings: RoiSettings) -> np.ndarray:
    """Vessels, fissures, gallbladder: patches brighter or darker than the parenchyma around them, with a margin."""
    ratio = relative_brightness(view, settings)
    inner = view.liver & (view.depth_mm >= settings.rim_mm)
    unlike = view.holes
    if np.count_nonzero(inner) >= _FEW_PIXELS:
        middle, spread = robust_spread(ratio[inner])
        deviation = np.abs(ratio - middle)
        unlike = unlike | _patches(deviation, spread, inner, view, settings)
    return dilate(unlike, settings.vessel_margin_mm, view.spacing_mm)


def _patches(
    deviation: np.ndarray, spread: float, inner: np.ndarray, view: LiverView, settings: RoiSettings
) -> np.ndarray:
    def beyond(times: float, contrast: float) -> np.ndarray:
        return inner & (deviation > max(times * spread, contrast))

    reach = beyond(settings.vessel_reach, settings.vessel_contrast / 2)
    seeds = beyond(settings.vessel_deviation, settings.vessel_contrast)
    sure = beyond(settings.vessel_sure_deviation, settings.vessel_contrast)
    large = islands(touched(reach, seeds), settings.vessel_minimum_mm2 / view.pixel_area_mm2, at_least=True)
    return large | touched(reach, sure)


def low_confidence(view: LiverView, settings: RoiSettings) -> np.ndarray:
    """Pixels of low or unknown confidence; none where the slice has no confidence map."""
    if view.confidence is None:
        return np.zeros_like(view.liver)
    return ~(view.confidence >= settings.confidence_threshold)


def no_value(view: LiverView, settings: RoiSettings) -> np.ndarray:
    """Pixels without a stiffness value: NaN, zero or less."""
    if view.stiffness_kpa is None:
        return np.ones_like(view.liver)
    return ~(np.isfinite(view.stiffness_kpa) & (view.stiffness_kpa > 0))


def hot_spot(view: LiverView, settings: RoiSettings) -> np.ndarray:
    """Patches far stiffer than their slice near the right or front edge, where the driver sits."""
    nothing = np.zeros_like(view.liver)
    trusted = view.liver & ~edge(view, settings) & ~low_confidence(view, settings) & ~no_value(view, settings)
    if view.stiffness_kpa is None or np.count_nonzero(trusted) < _FEW_PIXELS:
        return nothing
    middle, spread = robust_spread(view.stiffness_kpa[trusted])
    limit = max(settings.hot_spot_ratio * middle, middle + settings.hot_spot_deviation * spread)
    hot = trusted & (view.stiffness_kpa > limit)
    under_driver = (view.depth_mm <= settings.hot_spot_depth_mm) & (view.outward > 0)
    patches = islands(
        touched(hot, hot & under_driver), settings.hot_spot_minimum_mm2 / view.pixel_area_mm2, at_least=True
    )
    few = np.count_nonzero(patches) <= settings.hot_spot_share * np.count_nonzero(trusted)
    return patches if few else nothing


def left_lobe(view: LiverView, settings: RoiSettings) -> np.ndarray:
    """Pixels to the patient's left of a sagittal plane near the vena cava; none unless only the right lobe is asked."""
    if not settings.right_lobe_only:
        return np.zeros_like(view.liver)
    return view.to_right_mm < settings.right_lobe_offset_mm


def low_signal(view: LiverView, settings: RoiSettings) -> np.ndarray:
    """Pixels about as dark as the empty background; none where the images have no background to compare with."""
    if view.background is None:
        return np.zeros_like(view.liver)
    return view.magnitude < settings.low_signal_ratio * view.background


FIXED_RULES: tuple[tuple[Reason, Rule], ...] = (
    (Reason.VESSEL, vessel),
    (Reason.NO_VALUE, no_value),
    (Reason.HOT_SPOT, hot_spot),
    (Reason.LEFT_LOBE, left_lobe),
    (Reason.LOW_SIGNAL, low_signal),
)
"""Rules that stay as they are while margin and threshold are varied."""

VARIED_RULES: tuple[tuple[Reason, Rule], ...] = ((Reason.EDGE, edge), (Reason.LOW_CONFIDENCE, low_confidence))
"""Rules that the sensitivity analysis varies."""

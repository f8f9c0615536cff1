"""The measured region: liver minus edge, vessels, low confidence, invalid pixels and specks, each with its reason."""

from livermre.roi.region import draw_roi, given_roi
from livermre.roi.sensitivity import draw_with_variants, variants
from livermre.roi.settings import RoiSettings

__all__ = [
    "RoiSettings",
    "draw_roi",
    "draw_with_variants",
    "given_roi",
    "variants",
]

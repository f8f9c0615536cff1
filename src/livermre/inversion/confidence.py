"""Fit confidence: how far the number in a pixel can be trusted, 0..1."""

import numpy as np

from livermre.inversion.settings import InversionSettings


def confidence_of(quality: np.ndarray, settings: InversionSettings) -> np.ndarray:
    """(R, C) float32, 0..1, from the quality of the local fit (R, C), 0..1: a monotone map.

    confidence = 1 / (1 + (h / (1 - h) * (1 - q) / q) ^ p) with the quality h that means a half, and steepness p.
    """
    q = np.clip(quality, 1e-6, 1 - 1e-6)
    half = settings.confidence_half
    return (1 / (1 + (half / (1 - half) * (1 - q) / q) ** settings.confidence_power)).astype(np.float32)

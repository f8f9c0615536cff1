"""Formulas of the measurement on plain arrays."""

import numpy as np


def weighted_mean_kpa(mean_kpa: np.ndarray, area_mm2: np.ndarray) -> float:
    """Area-weighted mean stiffness of an exam.

    mean_kpa  (S,) float, kPa, one value a slice
    area_mm2  (S,) float, mm2, measured area of the same slices, at least one above zero

    Reference: QIBA profile "Magnetic Resonance Elastography of the Liver", 2019 (cited in
    doi 10.1007/s00330-021-08053-y; its text unverified).
    """
    return float(np.sum(mean_kpa * area_mm2) / np.sum(area_mm2))


def pooled_sd_kpa(sd_kpa: np.ndarray, pixels: np.ndarray) -> float | None:
    """Standard deviation within slices, pooled; None where no slice has two pixels.

    sd_kpa  (S,) float, kPa, sample standard deviation of each slice (0 for a slice of one pixel)
    pixels  (S,) int, pixels of the same slices
    """
    freedom = np.maximum(np.asarray(pixels) - 1, 0)
    if freedom.sum() == 0:
        return None
    return float(np.sqrt(np.sum(freedom * np.square(sd_kpa)) / freedom.sum()))


def between_slice_sd_kpa(mean_kpa: np.ndarray, area_mm2: np.ndarray) -> float | None:
    """Standard deviation of slice means, weighted by area so that a slice of a few pixels counts little.

    None for fewer than two slices. Equal areas give the sample standard deviation.

    mean_kpa  (S,) float, kPa
    area_mm2  (S,) float, mm2, all above zero
    """
    if len(mean_kpa) < 2:
        return None
    weight = area_mm2 / np.sum(area_mm2)
    squares = np.sum(weight * (mean_kpa - np.sum(weight * mean_kpa)) ** 2)
    return float(np.sqrt(squares / (1 - np.sum(weight**2))))

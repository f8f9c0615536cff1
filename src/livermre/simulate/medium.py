"""Stiffness of a labelled body: one complex modulus a tissue, a grain within it, and what carries no wave at all."""

from collections.abc import Mapping

import numpy as np

from livermre.simulate.priors import VOIDS
from livermre.simulate.tissue import Tissue as T

_GUT = (T.STOMACH, T.COLON)


def gas_of(labels: np.ndarray, share: float) -> np.ndarray:
    """Gas (S, R, C) bool: the share of each slice's stomach and colon that lies highest in a patient on the back."""
    gas = np.zeros(labels.shape, bool)
    for image, out in zip(labels, gas, strict=True):
        for organ in _GUT:
            rows, columns = np.nonzero(image == organ)
            if rows.size > 20:
                high = rows < np.quantile(rows, share)
                out[rows[high], columns[high]] = True
    return gas


def solid_of(labels: np.ndarray, gas: np.ndarray) -> np.ndarray:
    """Where waves run (S, R, C) bool."""
    return ~np.isin(labels, VOIDS) & ~gas


def modulus_kpa(
    labels: np.ndarray,
    grain: np.ndarray,
    liver: complex,
    others: Mapping[T, complex],
    frequency_hz: float,
) -> np.ndarray:
    """G* (..., R, C) complex128, kPa: 0 in air and lung.

    labels  (..., R, C) uint8
    grain   (..., R, C) float, local factor of solid tissue
    liver, others  G* at 60 Hz; a loss angle d goes with |G*| ~ f^(2d/pi), the law of a spring-pot
    """
    table = np.zeros(max(T) + 1, complex)
    for tissue, g in {**others, T.LIVER: liver}.items():
        table[tissue] = g * (frequency_hz / 60) ** (2 / np.pi * np.angle(g))
    return table[labels] * grain

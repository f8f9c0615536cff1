"""The band of a named cut-off table, with the chance that the true stiffness lies in each band."""

from dataclasses import replace

import numpy as np
from scipy import special

from livermre.exam.flags import Flag, flag
from livermre.exam.types import Acquisition, Dimension, Stage, Stiffness
from livermre.stiffness.calibrated import chances_within, load_calibration
from livermre.stiffness.table import CutoffTable

_LIKELY_SHARE = 0.5
"""Below this chance of its band a stage is called uncertain (project's choice)."""
_FREQUENCY_TOLERANCE_HZ = 5.0
"""Drivers run at 60.1 Hz and headers round; the nearest other clinical frequencies are 40, 50 and 80 Hz."""

CUTOFF_QUANTITY = "|G*|"
"""What every published cut-off is made for."""
_MEANING = {"rho c^2": "rho c^2 (density times the square of the wave speed)"}


def stage(
    stiffness: Stiffness,
    table: CutoffTable,
    acquisition: Acquisition,
    quantity: str = CUTOFF_QUANTITY,
    calibration: str | None = None,
) -> tuple[Stage | None, tuple[Flag, ...]]:
    """The band of an exam in a table, or None and the flags that say why not.

    A table for another frequency or dimension is refused, for cut-offs do not transfer. An unknown dimension is
    taken as 2-D and said so. A stiffness without number gives no stage and no further flag.

    quantity  what the stiffness is; for anything but |G*| there is no stage, with a flag even where there is no number
    calibration  name of the calibration that the interval may have; the chances then come from it, too
    """
    if quantity != CUTOFF_QUANTITY:
        return None, (flag("quantity_not_g", quantity=_MEANING.get(quantity, quantity)),)
    if stiffness.mean_kpa is None:
        return None, ()
    if acquisition.frequency_hz is None:
        return None, (flag("no_frequency"),)
    flags = () if acquisition.dimension else (flag("dimension_assumed"),)
    dimension: Dimension = acquisition.dimension or "2D"
    if abs(acquisition.frequency_hz - table.frequency_hz) > _FREQUENCY_TOLERANCE_HZ or dimension != table.dimension:
        return None, (*flags, _mismatch(table, acquisition.frequency_hz, dimension))
    if not table.verified:
        flags = (*flags, flag("table_unverified", table=table.name))
    found = _stage(stiffness.mean_kpa, stiffness.repeat_interval_95_kpa, table)
    interval = stiffness.interval_95_kpa
    if calibration and interval and any(f.code == "interval_calibrated" for f in stiffness.flags):
        chances = chances_within(load_calibration(calibration), stiffness.mean_kpa, interval[1], table)
        found = replace(found, probabilities=chances)
    return found, (*flags, *_doubt(found))


def _doubt(stage: Stage) -> tuple[Flag, ...]:
    """Says so where the interval reaches well into other bands."""
    if stage.probabilities is None or stage.probabilities[stage.band] >= _LIKELY_SHARE:
        return ()
    return (flag("band_uncertain", band=stage.band, percent=100 * stage.probabilities[stage.band]),)


def band_probabilities(mean_kpa: float, sd_kpa: float, table: CutoffTable) -> dict[str, float]:
    """Chance that the true stiffness lies in each band, for a normal error of the given SD (kPa); sums to 1."""
    edges = np.concatenate([[-np.inf], table.cutoffs_kpa, [np.inf]])
    if sd_kpa <= 0:
        chance = np.zeros(len(table.bands))
        chance[table.band_index(mean_kpa)] = 1.0
    else:
        chance = np.diff(special.ndtr((edges - mean_kpa) / sd_kpa))
    return {band: float(p) for band, p in zip(table.bands, chance, strict=True)}


def _stage(mean_kpa: float, repeat_interval_kpa: tuple[float, float] | None, table: CutoffTable) -> Stage:
    probabilities = None
    if repeat_interval_kpa is not None:
        half = repeat_interval_kpa[1] - mean_kpa  # the lower end may have been cut at 0
        probabilities = band_probabilities(mean_kpa, half / float(special.ndtri(0.975)), table)
    return Stage(
        table=table.name,
        frequency_hz=table.frequency_hz,
        band=table.bands[table.band_index(mean_kpa)],
        probabilities=probabilities,
        margin_kpa=min(abs(mean_kpa - c) for c in table.cutoffs_kpa),
        cutoffs_kpa=table.cutoffs_kpa,
        bands=table.bands,
        source=table.source_sentence,
    )


def _mismatch(table: CutoffTable, frequency_hz: float, dimension: Dimension) -> Flag:
    return flag(
        "table_frequency_mismatch",
        table=table.name,
        table_hz=table.frequency_hz,
        table_dimension=table.dimension,
        exam_hz=frequency_hz,
        exam_dimension=dimension,
    )

"""Stiffness in kPa per slice and exam, its intervals, its stage by a named table, and its change over time."""

from livermre.stiffness.calibrated import calibrated
from livermre.stiffness.compare import CompareSettings, compare, earlier_kpa
from livermre.stiffness.interval import coverage_sentence, interval
from livermre.stiffness.measure import mean_kpa, measure
from livermre.stiffness.settings import IntervalSettings, MeasureSettings
from livermre.stiffness.stage import stage
from livermre.stiffness.table import CutoffTable, load_table, table_names

__all__ = [
    "CompareSettings",
    "CutoffTable",
    "IntervalSettings",
    "MeasureSettings",
    "calibrated",
    "compare",
    "coverage_sentence",
    "earlier_kpa",
    "interval",
    "load_table",
    "mean_kpa",
    "measure",
    "stage",
    "table_names",
]

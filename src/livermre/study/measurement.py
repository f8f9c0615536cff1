"""Automatic stiffness against every reference: agreement first, correlation beside the published one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from livermre.evaluate.agreement_intervals import agreement_intervals
from livermre.evaluate.bands import ChangedBands, changed_bands
from livermre.evaluate.bland_altman import BlandAltman, bland_altman
from livermre.evaluate.icc import Icc, icc
from livermre.evaluate.interval import Interval
from livermre.evaluate.noninferiority import Noninferiority, noninferiority
from livermre.evaluate.regression import MethodLine, deming, passing_bablok
from livermre.stiffness import CutoffTable
from livermre.study.sample import Sample
from livermre.study.tables import Cell, Table

MARGIN = 0.02
"""Noninferiority: the network may differ from readers by 2 % more than readers from each other (project's choice)."""

PUBLISHED_R = {"training": 0.952, "validation": 0.943}
"""Su, Shih, Xu, JMIR Med Inform 2025;13:e80351: correlation on 319 patients of one hospital."""

NOT_PATIENTS = "Simulated patients are not patients: these numbers check the software and say nothing about people."


@dataclass(frozen=True)
class Measurement:
    """Automatic against one reference, in the exams where both have a number.

    by_patient  every statistic of evaluate.agreement_intervals, intervals by resampling patients: what is reported
    kpa, percent, icc  the same with the intervals of their formulas, which hold for one exam a patient; else None
    bands       how often the number lies in another band of the cut-off table than the reference
    """

    reference: str
    exams: int
    left_out: int
    by_patient: Mapping[str, Interval]
    kpa: BlandAltman | None
    percent: BlandAltman | None
    icc: Icc | None
    passing_bablok: MethodLine
    deming: MethodLine
    bands: ChangedBands


def measurement(sample: Sample, table: CutoffTable, draws: int, seed: int) -> dict[str, Measurement]:
    """Automatic against every reference that the sample has."""
    return {
        name: against(name, sample.kpa, values, sample.patients, table, draws, seed)
        for name, values in sample.references.items()
    }


def between_readers(sample: Sample, table: CutoffTable, draws: int, seed: int) -> Measurement | None:
    """The second reader against the first: the human limit on the same maps; None with fewer than two readers."""
    readers = _readers(sample)
    if len(readers) < 2:
        return None
    name = "reader 2 against reader 1"
    return against(name, readers[1], readers[0], sample.patients, table, draws, seed)


def beside_readers(sample: Sample, draws: int, seed: int) -> Noninferiority | None:
    """Whether the network differs from readers no more than they from each other; None with fewer than two.

    Distances of logarithms, so that 0.02 is about 2 %.
    """
    readers = _readers(sample)
    if len(readers) < 2:
        return None
    return noninferiority(
        np.log(sample.kpa), np.log(np.column_stack(readers)), sample.patients, margin=MARGIN, draws=draws, seed=seed
    )


def _readers(sample: Sample) -> list[np.ndarray]:
    return [v for name, v in sample.references.items() if name.startswith("reader ")]


def against(
    name: str,
    measured: np.ndarray,
    reference: np.ndarray,
    patients: list[str],
    table: CutoffTable,
    draws: int,
    seed: int,
) -> Measurement:
    """One column of kPa against another, (N,) float each, NaN where missing."""
    both = np.isfinite(measured) & np.isfinite(reference)
    who = [p for p, b in zip(patients, both, strict=True) if b]
    x, y = measured[both], reference[both]
    single = len(set(who)) == len(who)
    return Measurement(
        reference=name,
        exams=int(both.sum()),
        left_out=int((~both).sum()),
        by_patient=agreement_intervals(x, y, who, draws=draws, seed=seed),
        kpa=bland_altman(x, y) if single else None,
        percent=bland_altman(x, y, scale="percent of mean") if single else None,
        icc=icc(np.column_stack([x, y])) if single else None,
        passing_bablok=passing_bablok(x, y, patient=who, draws=draws, seed=seed),
        deming=deming(x, y, patient=who, draws=draws, seed=seed),
        bands=changed_bands(x, y, table.cutoffs_kpa, patient=who),
    )


Found = Mapping[str, Mapping[str, Measurement]]
"""Network -> reference -> measurement."""


def agreement_table(found: Found, title: str, key: str = "agreement") -> Table:
    """Bias, limits and coefficients of every network and reference."""
    names = ("bias", "bias_percent", "lower_limit_percent", "upper_limit_percent", "icc_agreement", "ccc")
    columns = ("bias, kPa", "bias, %", "lower limit, %", "upper limit, %", "ICC(A,1)", "Lin CCC")
    rows = _rows(found, (*names, "slope_of_percent_difference"), lambda m: (m.left_out,))
    note = (
        "Limits of agreement: bias ± 1.96 SD of the differences in percent of the pair's mean. Slope: change of the "
        "difference in percent per kPa (proportional bias). No pair: exams without one of the two numbers, left out. "
        "Intervals: bootstrap over patients."
    )
    digits = {"bias, kPa": 3, "bias, %": 2, "lower limit, %": 1, "upper limit, %": 1, "slope, %/kPa": 2}
    return Table(key, title, ("network", "reference", "exams", *columns, "slope, %/kPa", "no pair"), rows, note, digits)


def error_table(found: Found, title: str) -> Table:
    """Correlation, errors and the shares within 5, 10 and 19 percent."""
    names = ("pearson", "spearman", "mae", "mape", "within_5_percent", "within_10_percent", "within_19_percent")
    columns = ("Pearson r", "Spearman", "MAE, kPa", "MAPE, %", "within 5 %", "within 10 %", "within 19 %")
    rows = _rows(found, names, lambda m: (m.passing_bablok.slope, m.passing_bablok.intercept, m.bands.changed))
    note = (
        "Correlation forgives bias and scale; it is given because the reference study reports it. 19 % is the change "
        "that the QIBA profile calls a true one. Last columns: Passing-Bablok (rank interval; bootstrap over patients "
        "where they have several exams), and share of exams in another band (Wilson at the effective number of "
        "patients)."
    )
    last = ("Passing-Bablok slope", "intercept, kPa", "other band")
    return Table("errors", title, ("network", "reference", "exams", *columns, *last), rows, note, {"MAPE, %": 2})


def _rows(
    found: Found, names: tuple[str, ...], more: Callable[[Measurement], tuple[Cell, ...]]
) -> tuple[tuple[Cell, ...], ...]:
    return tuple(
        (network, name, m.exams, *(m.by_patient[n] for n in names), *more(m))
        for network, by_reference in found.items()
        for name, m in by_reference.items()
    )


def noninferiority_table(found: Mapping[str, Noninferiority], title: str) -> Table:
    """Distance to readers beside the distance between readers."""
    verdict = {True: "yes", False: "no", None: None}
    rows = tuple(
        (network, n.exams, n.machine, n.readers, n.excess, n.margin, verdict[n.noninferior])
        for network, n in found.items()
    )
    columns = ("network", "exams", "network to readers", "reader to reader", "excess", "margin", "noninferior")
    note = (
        "Mean absolute differences of ln kPa (0.02 is about 2 %); noninferior where the excess ends below the margin."
    )
    return Table("noninferiority", title, columns, rows, note, 4)


def correlation_table(found: Mapping[str, Mapping[str, Interval]], simulated: bool) -> Table:
    """Pearson's r of every network in every subset, beside the published one.

    found  network -> subset -> r against the primary reference
    """
    rows: list[tuple[Cell, ...]] = []
    for network, by_subset in found.items():
        for subset, r in by_subset.items():
            rows.append((network, subset, r.n, r, PUBLISHED_R.get(subset)))
    note = "Published: Su, Shih, Xu, JMIR Med Inform 2025;13:e80351, 319 patients of one hospital, no interval given."
    columns = ("network", "subset", "exams", "Pearson r (95 % CI)", "published r")
    title = "Correlation of automatic with reference stiffness, beside the reference study"
    return Table("correlation", title, columns, tuple(rows), f"{note} {NOT_PATIENTS}" if simulated else note)

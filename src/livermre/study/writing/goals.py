"""What the project set itself to reach, and whether this study does; set before, never moved after."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from livermre.evaluate.interval import Interval
from livermre.study.analysis import Analysis
from livermre.study.tables import Cell, Table, shown


@dataclass(frozen=True)
class Goal:
    """One goal.

    found   what was found; None where it cannot be told
    enough  whether a value is good enough
    by      which value decides: the estimate, or the lower end of its interval
    """

    asks: str
    found: Callable[[Analysis], Interval | None]
    enough: Callable[[float], bool]
    by: str = "estimate"
    digits: int = 3

    def verdict(self, a: Analysis) -> str:
        """The number, and reached, not reached, or reached by the estimate alone and why that is not certain."""
        found = self.found(a)
        value = None if found is None else getattr(found, self.by)
        if found is None or value is None:
            return f"{shown(found, self.digits)}: cannot be told"
        if not self.enough(value):
            return f"{shown(found, self.digits)}: not reached"
        return f"{shown(found, self.digits)}: {self._certainty(found)}"

    def _certainty(self, found: Interval) -> str:
        ends = [e for e in (found.low, found.high) if e is not None]
        if self.by != "estimate" or (len(ends) == 2 and all(map(self.enough, ends))):
            return "reached"
        if len(ends) == 2:
            return "reached by the estimate, but the interval holds worse"
        return f"reached by the estimate; without an interval ({found.reason or 'none was made'}) not certain"


def _outline(name: str) -> Callable[[Analysis], Interval | None]:
    return lambda a: None if a.segmentation is None else a.segmentation.exam[name].mean


def _agreement(name: str) -> Callable[[Analysis], Interval | None]:
    def found(a: Analysis) -> Interval | None:
        first = next(iter(a.measurement.values()), None)
        return None if first is None else first.by_patient[name]

    return found


def _recall(a: Analysis) -> Interval | None:
    return None if a.trust is None else a.trust.gate.recall.interval


def _precision(a: Analysis) -> Interval | None:
    return None if a.trust is None else a.trust.gate.precision


GOALS = (
    Goal("mean IoU an exam at least 0.90", _outline("IoU"), lambda v: v >= 0.9),
    Goal(
        "mean Dice an exam at least 0.923, the harder reading of the published 85.68 %",
        _outline("Dice"),
        lambda v: v >= 0.923,
    ),
    Goal(
        "ICC(A,1) to the reference with a lower bound of at least 0.98",
        _agreement("icc_agreement"),
        lambda v: v >= 0.98,
        "low",
    ),
    Goal("bias to the reference within 1 %", _agreement("bias_percent"), lambda v: abs(v) <= 1, digits=2),
    Goal("lower limit of agreement within 8 %", _agreement("lower_limit_percent"), lambda v: abs(v) <= 8, digits=1),
    Goal("upper limit of agreement within 8 %", _agreement("upper_limit_percent"), lambda v: abs(v) <= 8, digits=1),
    Goal("non-diagnostic exams recognised with recall at least 0.95", _recall, lambda v: v >= 0.95, digits=2),
    Goal(
        "the same at precision at least 0.90 where one in ten is non-diagnostic",
        _precision,
        lambda v: v >= 0.9,
        digits=2,
    ),
)


def goals_table(found: Mapping[str, Analysis]) -> Table:
    """Every goal, and for each network the number and whether it reaches the goal."""
    rows: list[tuple[Cell, ...]] = [(goal.asks, *(goal.verdict(a) for a in found.values())) for goal in GOALS]
    return Table("goals", "Goals set before", ("goal", *found), tuple(rows))

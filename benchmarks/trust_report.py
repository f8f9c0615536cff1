"""Tables, figure and calibration file from the rows of the trust benchmark."""

import json
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import numpy as np
from trust_calibrate import calibration, content, cross_fitted, intervals, scores
from trust_exams import FAILURE, FIRST, SECOND, SEEDS
from trust_figure import figure
from trust_gate import gate_lines
from trust_rows import Columns, band_of, columns

from livermre.evaluate.calibration import calibration as chance_calibration
from livermre.evaluate.proportion import Proportion, share_of
from livermre.stiffness import load_table
from livermre.stiffness.calibrated import Calibration, band_chances
from livermre.version import __version__

FLOOR, SLOPE, EDGES_KPA = 0.05, 1.0, ()
"""Of the score. The floor is the error that no spread shows (oblique waves above all); its likelihood on the exams of
the first generator is flat about 0.04. No groups: a group of few exams has a quantile of chance."""
PILOT = 60
"""So many patients of the second generator were in the pilot, too, in coarser images."""
STRATA: dict[str, Callable[[Columns], np.ndarray]] = {
    "stage": lambda c: c.of("stage"),
    "vendor": lambda c: c.of("vendor"),
    "measured, kPa": lambda c: band_of(c.mean),
    "sequence": lambda c: c.of("sequence"),
    "field, T": lambda c: c.of("field_t").astype(str),
    "slices": lambda c: c.of("slices").astype(str),
    "outline": lambda c: c.of("outline"),
}
NAME = "simulated-60hz"


def report(rows: Sequence[dict], out: Path) -> None:
    """Write OUT/tables.md, OUT/trust.svg and OUT/simulated-60hz.json."""
    first, second = columns(rows, FIRST), columns(rows, SECOND)
    how = calibration(first, FLOOR, SLOPE, EDGES_KPA)
    lines = [_counts(rows)]
    lines += _coverage(first, second, how)
    lines += _reverse(first, second)
    lines += _vendor_route(rows)
    lines += _chances(second, how)
    lines += gate_lines(rows, how)
    text = "\n".join(lines) + "\n"
    (out / "tables.md").write_text(text, encoding="utf-8")
    inside = _inside(second, *intervals(how, second))
    made = content(first, FLOOR, SLOPE, EDGES_KPA, _card(rows), (int(inside.sum()), int(inside.size)))
    (out / f"{NAME}.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    (out / "trust.svg").write_text(figure(rows, second, how), encoding="utf-8")
    print(text)


def _card(rows: Sequence[dict]) -> dict[str, object]:
    used = [r for r in rows if r["set"] == FIRST]
    return {
        "what": "95 % interval for the mean true |G*| of the measured region, livermre's inversion of simulated phase",
        "generator": "livermre.simulate (first generator), three patients a painted body; stages and vendors in equal "
        "numbers; 2 to 4 slices; the true outline for two of three exams, the shipped network's for the others",
        "checked_on": "livermre.simulate.second: other bodies (label maps of real people and transplants), grid of "
        "3 mm, other priors",
        "exams_made": len(used),
        "seeds": [SEEDS[FIRST], SEEDS[FIRST] + len(used) - 1],
        "date": date.today().isoformat(),
        "livermre": __version__,
        "command": f"python benchmarks/trust.py --shapes SHAPES --exams {len(rows)} --out DIR --report",
        "simulated_patients_are_not_patients": True,
    }


def _counts(rows: Sequence[dict]) -> str:
    parts = []
    for name in (FIRST, SECOND, FAILURE):
        made = [r for r in rows if r["set"] == name]
        given = sum(bool(r["own"].get("reportable")) for r in made)
        parts.append(f"{name} {len(made)} exams, {given} with a number")
    return "; ".join(parts)


def _inside(found: Columns, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    return (low <= found.true) & (found.true <= high)


def exact(hits: np.ndarray) -> Proportion:
    """Share with the exact interval of Clopper and Pearson."""
    return share_of(hits, method="exact")


def shown(p: Proportion) -> str:
    """Share in percent with its interval."""
    return f"{100 * (p.share or 0):.1f} ({100 * (p.low or 0):.1f}-{100 * (p.high or 0):.1f})"


def strata_of(found: Columns) -> list[tuple[str, np.ndarray]]:
    """Name and members of every stratum, all exams first."""
    parts = [("all", np.ones(found.mean.size, bool))]
    if any(r["set"] == SECOND for r in found.rows):
        parts.append((f"all but the pilot's {PILOT} patients", found.of("number") >= PILOT))
    for by, names in STRATA.items():
        values = names(found)
        parts += [(f"{by}: {name}", values == name) for name in sorted(set(values))]
    return parts


def _coverage(first: Columns, second: Columns, how: Calibration) -> list[str]:
    low, high = intervals(how, second)
    raw, now = _inside(second, second.low, second.high), _inside(second, low, high)
    lines = [
        "", "Coverage of the 95 % interval on the second generator, % (exact 95 % interval)", "",
        "| exams | n | before | now | truth below / above | half width before / now, % |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for name, keep in strata_of(second):
        under, over = int((second.true < low)[keep].sum()), int((second.true > high)[keep].sum())
        width = [
            float(np.median(((b - a) / 2 / second.mean)[keep])) for a, b in ((second.low, second.high), (low, high))
        ]
        lines.append(
            f"| {name} | {keep.sum()} | {shown(exact(raw[keep]))} | {shown(exact(now[keep]))} | {under} / {over} "
            f"| {100 * width[0]:.1f} / {100 * width[1]:.1f} |"
        )
    own = _inside(first, *cross_fitted(first, FLOOR, SLOPE, EDGES_KPA))
    raw = _inside(first, first.low, first.high)
    lines += [
        "",
        f"On the first generator: before {shown(exact(raw))}, now, ten-fold, {shown(exact(own))}, n = {own.size}.",
    ]
    for name, keep in strata_of(first)[1:]:
        if name.startswith(("stage", "vendor")):
            lines.append(f"  {name}: before {shown(exact(raw[keep]))}, now {shown(exact(own[keep]))}, n = {keep.sum()}")
    return lines


def _reverse(first: Columns, second: Columns) -> list[str]:
    """Calibrated on the second, checked on the first; and errors of both, which is the shift."""
    how = calibration(second, FLOOR, SLOPE, EDGES_KPA)
    hit = _inside(first, *intervals(how, first))
    own = _inside(second, *cross_fitted(second, FLOOR, SLOPE, EDGES_KPA))
    lines = ["", f"The other way round (second calibrates): on the first {shown(exact(hit))}, n = {hit.size}; "
             f"on itself, ten-fold, {shown(exact(own))}."]  # fmt: skip
    for name, found in (("first", first), ("second", second)):
        error = 100 * (found.mean / found.true - 1)
        z = -np.sign(error) * scores(found, FLOOR, SLOPE)
        q = np.quantile(z, [0.025, 0.5, 0.975])
        lines.append(
            f"  {name}: error {error.mean():+.1f} % (SD {error.std(ddof=1):.1f}), |error| 95th percentile "
            f"{np.quantile(abs(error), 0.95):.1f} %; score "
            f"with its sign (above 0: read too soft) at 2.5 / 50 / 97.5 %: {q[0]:.2f} / {q[1]:.2f} / {q[2]:.2f}"
        )
    return lines


def _vendor_route(rows: Sequence[dict]) -> list[str]:
    """The same calibration on maps by other filters, as a scanner's would be."""
    how = calibration(columns(rows, FIRST), FLOOR, SLOPE, EDGES_KPA)
    lines = ["", "Maps by other filters (window and high-pass within 15 % of ours):"]
    for name in (FIRST, SECOND):
        found = columns(rows, name, "vendor_route")
        raw, now = _inside(found, found.low, found.high), _inside(found, *intervals(how, found))
        lines.append(f"  {name}: before {shown(exact(raw))}, now {shown(exact(now))}, n = {raw.size}")
    return lines


def _chances(second: Columns, how: Calibration) -> list[str]:
    """Chance of lying at or above each cut-off: said against seen."""
    table = load_table("rdes149")
    made = [band_chances(how, m, s, table) for m, s in zip(second.mean, second.relative_sd, strict=True)]
    before = [r["own"]["probabilities"] for r in second.rows]
    lines = ["", f"Chance that the true |G*| lies at or above a cut-off ({table.name}), second generator:", "",
             "| cut-off, kPa | n above | before: slope, seen / said, Brier | now |", "|---|---|---|---|"]  # fmt: skip
    every: dict[str, list] = {"before": [], "now": []}
    for i, cut in enumerate(table.cutoffs_kpa, start=1):
        above, cells = second.true >= cut, []
        for label, chances in (("before", before), ("now", made)):
            p = np.clip([sum(list(c.values())[i:]) for c in chances], 0, 1)
            every[label] += list(zip(p, above, strict=True))
            cells.append(_chance_cell(above, p))
        lines.append(f"| {cut:g} | {above.sum()} | {cells[0]} | {cells[1]} |")
    for label, pairs in every.items():
        p, seen = np.array(pairs, float).T
        bins = [(p >= a) & (p < b) for a, b in ((0, 0.05), (0.05, 0.25), (0.25, 0.75), (0.75, 0.95), (0.95, 1.01))]
        cells = "; ".join(f"{100 * p[k].mean():.1f} said, {100 * seen[k].mean():.1f} seen (n {k.sum()})" for k in bins)
        lines.append(f"  all cut-offs, {label}: {cells}")
    return lines


def _chance_cell(above: np.ndarray, p: np.ndarray) -> str:
    c = chance_calibration(above.astype(float), p, clip=1e-3)
    slope, ratio = c.slope, c.observed_over_expected
    words = "-" if slope.estimate is None else f"{slope.estimate:.2f} ({slope.low:.2f}-{slope.high:.2f})"
    seen = "-" if ratio.estimate is None else f"{ratio.estimate:.2f}"
    return f"{words}, {seen}, {np.mean((p - above) ** 2):.4f}"

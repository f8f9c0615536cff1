"""Bias, spread and confidence of our inversion on simulated exams, and what they do beyond its limits."""

import itertools
import sys
from dataclasses import dataclass, replace

import numpy as np
from inversion_baselines import BASELINES, baselines
from inversion_vibration import vibration
from scipy import ndimage

from livermre.exam.types import LiverMask
from livermre.inversion import invert
from livermre.roi import RoiSettings, draw_roi
from livermre.simulate.box import simulate_box
from livermre.simulate.scan import ScanSettings, SimulatedScan, scan, simulate_patient
from livermre.stiffness import MeasureSettings

CONFIDENT = 0.95
STIFFNESSES = (1.5, 2.0, 3.0, 4.0, 6.0, 8.0)


@dataclass(frozen=True)
class Row:
    """One simulated exam: bias of means, %, over the confident pixels of the judged area; None where too few."""

    kpa: float
    oblique: bool
    seed: int
    bias: float | None
    region_bias: float | None
    baseline_bias: dict[str, float]
    baseline_spread: dict[str, float]
    share: float
    confidence: np.ndarray
    error: np.ndarray


def judged(made: SimulatedScan) -> np.ndarray:
    """True parenchyma (S, R, C) as deep in the liver and as far from vessels and lesions as the region rules ask."""
    rules, spacing = RoiSettings(), made.exam.spacing_mm
    out = []
    for liver, parenchyma in zip(made.liver, made.parenchyma, strict=True):
        whole = ndimage.binary_fill_holes(liver)
        deep = ndimage.distance_transform_edt(whole, sampling=spacing) >= rules.erode_mm
        clear = ndimage.distance_transform_edt(~(whole & ~parenchyma), sampling=spacing) > rules.vessel_margin_mm
        out.append(deep & clear & parenchyma)
    return np.stack(out)


def simulated_exam(kpa: float, oblique: bool, seed: int, slices: int, **fixed: float) -> SimulatedScan:
    """A simulated 1.5 T GRE exam without iron; bulk motion 2 to 4 times the shear, as drawn from the seed."""
    patient = simulate_patient(seed, stiffness_kpa=kpa, r2star_per_s=30.0, sequence="GRE", field_t=1.5)
    ratio = float(np.random.default_rng((seed, 9)).uniform(2, 4))
    settings = ScanSettings(slices=slices, theta0_rad=None if oblique else 0.0, bulk_ratio=ratio)
    return scan(patient, settings=replace(settings, **fixed))


def judge(kpa: float, oblique: bool, seed: int, made: SimulatedScan) -> Row:
    """Everything that the tables need of one exam."""
    found = invert(made.exam)
    true, ours, c = made.stiffness_true_kpa, found.stiffness_kpa, found.exam.confidence
    where = judged(made)
    known = where & np.isfinite(ours)
    use = known & (c >= CONFIDENT)
    enough = use.sum() * np.prod(made.exam.spacing_mm) >= MeasureSettings().minimum_area_mm2
    region = draw_roi(found.exam, LiverMask(made.liver.astype(np.float32), made.liver, None)).keep
    wave_speed = 2 / (1 + np.cos(np.arctan(made.truth.parameters["loss"])))  # rho c2 over |G*|
    ratios = {n: m[use] / (true[use] * (wave_speed if n == "lfe" else 1)) for n, m in baselines(made.exam).items()}
    ratios["ours"] = ours[use] / true[use]
    return Row(
        kpa,
        oblique,
        seed,
        _bias(ours[use], true[use]) if enough else None,
        _bias(ours[region], true[region]) if region.any() else None,
        {n: _bias(r * true[use], true[use]) for n, r in ratios.items()} if enough else {},
        {n: 100 * float(np.median(np.abs(r - 1))) for n, r in ratios.items()} if enough else {},
        float(use.sum() / max(where.sum(), 1)),
        c[known],
        100 * np.abs(ours[known] / true[known] - 1),
    )


def _bias(found: np.ndarray, true: np.ndarray) -> float:
    known = np.isfinite(true)
    return 100 * (float(found[known].mean() / true[known].mean()) - 1)


def simulated(count: int, slices: int, seed: int = 5000) -> None:
    """Bias and spread of simulated exams, and how far confidence tells the error of a pixel."""
    rows = []
    for n, (i, kpa), oblique in itertools.product(range(count), enumerate(STIFFNESSES), (False, True)):
        number = seed + 100 * i + n
        rows.append(judge(kpa, oblique, number, simulated_exam(kpa, oblique, number, slices)))
        r = rows[-1]
        print(f"# {kpa:g} {oblique} {number} {r.bias} {r.region_bias} {r.share:.2f}", file=sys.stderr, flush=True)
    print(f"simulated exams of {slices} slices, seeds {seed} + 100 i + n, n < {count}, i the stiffness")
    for oblique in (False, True):
        here = [r for r in rows if r.oblique == oblique]
        print("obliquity drawn" if oblique else "waves in the plane")
        print("kPa | n | bias of the mean %, mean (sd) | region of the rules | direct | lfe | share confident")
        for kpa in STIFFNESSES:
            print(_line(kpa, [r for r in here if r.kpa == kpa]))
        reliability(here)


def _line(kpa: float, rows: list[Row]) -> str:
    kept = [r for r in rows if r.bias is not None]
    columns = [[r.bias for r in kept], [r.region_bias for r in rows if r.region_bias is not None]]
    columns += [[r.baseline_bias[n] for r in kept] for n in BASELINES]
    cells = " | ".join(f"{np.mean(c):+.1f} ({np.std(c, ddof=1):.1f})" if len(c) > 1 else "-" for c in columns)
    errors = " / ".join(f"{np.mean([r.baseline_spread[n] for r in kept]):.0f}" for n in ("ours", *BASELINES))
    return f"  {kpa:g} | {len(kept)} | {cells} | {np.mean([r.share for r in rows]):.2f} | median pixel error % {errors}"


def reliability(rows: list[Row]) -> None:
    """Error of a pixel by confidence, all pixels of the judged areas together."""
    c, e = np.concatenate([r.confidence for r in rows]), np.concatenate([r.error for r in rows])
    print("confidence | share of pixels | median and 90th percentile of the error of a pixel, %")
    for low, high in itertools.pairwise((0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 1.01)):
        m = (c >= low) & (c < high)
        print(f"  {low:g}-{min(high, 1):g} | {m.mean():.2f} | {np.median(e[m]):.0f} / {np.percentile(e[m], 90):.0f}")


def limits(count: int, seed: int = 5900) -> None:
    """What obliquity and noise do to the same exams, and what the box's small discs read."""
    for name, values, kpa in (
        ("theta0_rad", (0.0, 0.15, 0.3, 0.5), 3.0),
        ("snr", (16.0, 8.0, 4.0, 2.0), 2.0),
        ("shear_rad", (0.4, 0.2, 0.1, 0.05), 2.0),
    ):
        print(
            f"{name} at {kpa:g} kPa, {count} exams of 2 slices, seeds {seed} on | bias %, mean (sd) | share confident"
        )
        for value in values:
            rows = []
            for n in range(count):
                fixed = {"theta0_rad": 0.0, "snr": 12.0, "shear_rad": 0.4} | {name: value}
                rows.append(judge(kpa, False, seed + n, simulated_exam(kpa, False, seed + n, 2, **fixed)))
            bias = [r.bias for r in rows if r.bias is not None]
            cell = f"{np.mean(bias):+.1f} ({np.std(bias, ddof=1):.1f})" if len(bias) > 1 else "-"
            print(f"  {value:g} | n {len(bias)} | {cell} | {np.mean([r.share for r in rows]):.2f}", flush=True)
    vibration(10 * count)
    box_confidence()


def box_confidence() -> None:
    """Stiffness and confidence inside the discs of the four-target box."""
    for hz, snr in itertools.product((60.0, 100.0), (None, 20.0)):
        made = simulate_box(hz, snr=snr)
        found = invert(made.exam)
        cells = []
        for region in range(2, 6):
            m = made.regions == region
            c = found.exam.confidence[0][m]
            cells.append(f"{found.stiffness_kpa[0][m].mean():.1f} ({c.mean():.3f}, {c.min():.3f})")
        print(f"box {hz:g} Hz snr {snr}: kPa (confidence mean, least) of discs 10, 5, 3, 2 mm | {' | '.join(cells)}")

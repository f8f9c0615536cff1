"""Can the simulator's exams be told from the real one? Eight quantities of both, side by side, with named distances.

    python benchmarks/realism.py DATA [--n 50] [--first 1000] [--out PNG] [--json FILE]

DATA is the folder that holds `ge-mrtouch`. Simulated are exams like the real one in what is known of it: GE, gradient
echo, 1.5 T, 60 Hz, four slices, a soft liver of 1.45 to 2.05 kPa (the vendor's regions read 1.74 on average); all else
is drawn from the priors. Every quantity is taken inside the liver (hand contours, or the simulated truth), slice by
slice, and averaged over the slices of an exam. The real exam tuned the priors of motion and noise: this is a check of
that tuning, not a test on new data.

Distances: the percentile of the real exam among the simulated ones (it should lie between 5 and 95), and how many
robust standard deviations (1.4826 MAD) it is from their median.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from segmentation import ge_contours

from livermre.dicom import ReadOptions, read
from livermre.exam.types import Exam
from livermre.inversion import first_harmonic, foreground, harmonics, invert, unwrap
from livermre.simulate.scan import scan, simulate_patient

PANELS = {
    "bulk / shear amplitude": "",
    "wave amplitude": "rad",
    "first-harmonic amplitude": "rad",
    "phase noise (second harmonic)": "rad",
    "correlation raw / filtered": "",
    "spectral centroid of the wave": "cycles/m",
    "confident area a slice": "mm2",
    "stiffness texture (SD / mean, surer half)": "",
}
BINS = np.arange(0, 105, 5.0)  # cycles/m
CONFIDENT = 0.95


@dataclass(frozen=True)
class Signature:
    """Of one exam: the panels' values, and the share of wave power in each bin of spatial frequency."""

    values: np.ndarray
    spectrum: np.ndarray


def signature(exam: Exam, liver: np.ndarray) -> Signature:
    """Means over the slices of an exam with liver (S, R, C) bool."""
    found = invert(exam)
    slices = []
    for i, s in enumerate(exam.slices):
        body = foreground(s.magnitude)
        inside = liver[i] & body
        if np.count_nonzero(inside) < 200:
            continue
        phase = unwrap(s.phase_rad, body)
        raw, second = first_harmonic(phase)[0, 0], harmonics(phase)[0, 0, 2].real
        wave = found.wave[i, 0, 0]
        own = found.exam.slices[i]
        slices.append(_slice(raw, wave, second, own.stiffness_kpa, own.confidence, inside, exam.spacing_mm))
    values = np.mean([v for v, _ in slices], axis=0)
    return Signature(values, np.mean([p for _, p in slices], axis=0))


def _slice(
    raw: np.ndarray,
    wave: np.ndarray,
    second: np.ndarray,
    kpa: np.ndarray,
    confidence: np.ndarray,
    inside: np.ndarray,
    spacing_mm: tuple[float, float],
) -> tuple[np.ndarray, np.ndarray]:
    shear = np.abs(wave[inside]).mean()
    power = _spectrum(wave * inside, spacing_mm)
    sure = inside & (confidence >= CONFIDENT)
    noise = 1.4826 * np.median(np.abs(second[inside] - np.median(second[inside])))
    better = inside & (confidence >= np.median(confidence[inside]))
    values = [
        np.abs((raw - wave)[inside]).mean() / shear,
        shear,
        np.abs(raw[inside]).mean(),
        noise,
        _correlation(raw[inside], wave[inside]),
        float((power * (BINS[:-1] + 2.5)).sum()),
        np.count_nonzero(sure) * spacing_mm[0] * spacing_mm[1],
        kpa[better].std() / kpa[better].mean(),
    ]
    return np.array(values), power


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float(abs(np.vdot(a, b)) / np.sqrt(np.vdot(a, a).real * np.vdot(b, b).real))


def _spectrum(wave: np.ndarray, spacing_mm: tuple[float, float]) -> np.ndarray:
    """Share of power in each bin of radial frequency."""
    power = np.abs(np.fft.fft2(wave)) ** 2
    fr, fc = (np.fft.fftfreq(n, d / 1000) for n, d in zip(wave.shape, spacing_mm, strict=True))
    radius = np.hypot(fr[:, None], fc[None, :])
    found = np.histogram(radius, BINS, weights=power)[0]
    return found / found.sum()


def real(data: Path) -> Signature:
    """Of the GE exam."""
    exam = read([data / "ge-mrtouch" / "dicom"], ReadOptions())[0].exam
    return signature(exam, ge_contours(exam))


def simulated(seed: int) -> Signature:
    """Of one simulated exam."""
    kpa = float(np.random.default_rng(seed).uniform(1.45, 2.05))
    done = scan(simulate_patient(seed, stage="F0", stiffness_kpa=kpa, vendor="GE", sequence="GRE", field_t=1.5))
    return signature(done.exam, done.liver)


def compare(truth: Signature, others: list[Signature]) -> list[dict[str, object]]:
    """One row a panel: the real value, the simulated band, percentile and robust z of the real one."""
    rows = []
    for k, (name, unit) in enumerate(PANELS.items()):
        values = np.array([o.values[k] for o in others])
        values = values[np.isfinite(values)]
        low, middle, high = np.percentile(values, [5, 50, 95])
        spread = 1.4826 * np.median(np.abs(values - middle))
        x = float(truth.values[k])
        percentile = 100 * float(np.mean(values < x))
        rows.append({
            "panel": name, "unit": unit, "real": round(x, 3),
            "simulated_5_50_95": [round(float(v), 3) for v in (low, middle, high)],
            "percentile": round(percentile, 1), "robust_z": round((x - middle) / max(spread, 1e-9), 2),
            "inside": bool(low <= x <= high),
        })  # fmt: skip
    return rows


def draw(path: Path, rows: list[dict[str, object]], truth: Signature, others: list[Signature]) -> None:
    """All panels in one figure: histogram of the simulated exams, 5-95 % band, the real exam as a line."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(3, 3, figsize=(13, 10))
    for k, (row, axis) in enumerate(zip(rows, axes.flat, strict=False)):
        values = np.array([o.values[k] for o in others])
        axis.hist(values[np.isfinite(values)], 12, color="0.7")
        low, _, high = row["simulated_5_50_95"]
        axis.axvspan(low, high, color="tab:blue", alpha=0.12)
        axis.axvline(row["real"], color="tab:red")
        axis.set_title(f"{row['panel']}\nreal at percentile {row['percentile']:.0f}, z {row['robust_z']}", fontsize=9)
        axis.set_xlabel(row["unit"])
    axis, middle = axes.flat[8], BINS[:-1] + 2.5
    low, high = np.percentile([o.spectrum for o in others], [5, 95], axis=0)
    axis.fill_between(middle, low, high, color="tab:blue", alpha=0.2)
    axis.plot(middle, truth.spectrum, color="tab:red")
    axis.set_title(f"spectrum of the filtered wave\n{_share_inside(truth, others):.0%} of bins inside", fontsize=9)
    axis.set_xlabel("cycles/m")
    figure.suptitle(f"One real exam (red) among {len(others)} simulated ones (grey; band 5-95 %)")
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def _share_inside(truth: Signature, others: list[Signature]) -> float:
    low, high = np.percentile([o.spectrum for o in others], [5, 95], axis=0)
    return float(np.mean((truth.spectrum >= low) & (truth.spectrum <= high)))


def main() -> int:
    """Compare, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--n", type=int, default=50)
    parser.add_argument("--first", type=int, default=1000, help="seed of the first simulated exam")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    truth = real(options.data)
    others = []
    for seed in range(options.first, options.first + options.n):
        others.append(simulated(seed))
        print(f"simulated {len(others)} of {options.n}", end="\r", file=sys.stderr, flush=True)
    rows = compare(truth, others)
    for row in rows:
        low, middle, high = row["simulated_5_50_95"]
        print(
            f"{row['panel']:32s} real {row['real']:8.3f}  simulated {low:8.3f} {middle:8.3f} {high:8.3f}"
            f" {row['unit']:9s} percentile {row['percentile']:5.1f}  z {row['robust_z']:6.2f}"
            f"  {'inside' if row['inside'] else 'OUTSIDE'}"
        )
    inside = sum(bool(r["inside"]) for r in rows)
    print(f"{inside} of {len(rows)} inside; spectrum: {_share_inside(truth, others):.0%} of bins inside")
    if options.json:
        options.json.write_text(json.dumps({"n": options.n, "panels": rows}, indent=1) + "\n")
    if options.out:
        draw(options.out, rows, truth, others)
    return 0


if __name__ == "__main__":
    sys.exit(main())

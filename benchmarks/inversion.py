"""Our inversion against the vendor's map of one real exam (GE MR-Touch 2-D GRE, 60 Hz), and all methods side by side.

    python benchmarks/inversion.py DATA [--leave-one-out] [--simulated N] [--pictures DIR]

DATA is the folder that holds `ge-mrtouch`. Prints tables; writes nothing but the pictures asked for. Times are CPU time
of this process per slice, of reading nothing: unwrapping alone, then phase to map without it.
"""

import argparse
import itertools
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage
from segmentation import ge_contours

from livermre.dicom import ReadOptions, read
from livermre.exam.types import Exam
from livermre.inversion import InversionSettings, foreground, invert, unwrap
from livermre.inversion.settings import METHODS

CONFIDENT = 0.95
GRID = {"highpass_mm": (24.0, 27.0, 30.0), "lowpass_mm": (15.0, 17.5, 20.0), "window_mm": (4.0, 4.7, 5.5)}
"""What leave-one-out chooses from: the free parameters that move the real exam."""


class Real:
    """The real exam with the vendor's region and the hand-drawn liver, slices foot to head."""

    def __init__(self, data: Path) -> None:
        self.exam = read([data / "ge-mrtouch" / "dicom"], ReadOptions())[0].exam
        given = np.load(data / "ge-mrtouch" / "vendor_roi.npz")
        order = [int(np.argmin(np.abs(given["slice_z_mm"] - s.plane.origin_mm[2]))) for s in self.exam.slices]
        self.roi = np.stack([given["roi"][i].astype(bool) for i in order])
        self.sure = np.nan_to_num(self.exam.confidence) >= CONFIDENT
        self.liver = ge_contours(self.exam)
        self.kpa = self.exam.stiffness_kpa

    def row(self, kpa: np.ndarray, confidence: np.ndarray) -> str:
        """Ratios of means, r and Dice of one result."""
        cells = []
        for where in (self.roi, self.roi & self.sure):
            slices = [float(a[w].mean() / b[w].mean()) for a, b, w in zip(kpa, self.kpa, where, strict=True)]
            cells.append(f"{kpa[where].mean() / self.kpa[where].mean():.3f} [{' '.join(f'{s:.3f}' for s in slices)}]")
        theirs, ours = self.liver & self.sure, self.liver & (confidence >= CONFIDENT)
        cells.append(f"{np.corrcoef(kpa[theirs], self.kpa[theirs])[0, 1]:.3f}")
        cells.append(f"{2 * (ours & theirs).sum() / max(ours.sum() + theirs.sum(), 1):.2f}")
        return " | ".join(cells)

    def loss(self, kpa: np.ndarray, slices: list[int]) -> float:
        """What leave-one-out minimises on its slices: 1 - r plus the size of the mean's error in the region."""
        ours, theirs, where = kpa[slices], self.kpa[slices], self.liver[slices] & self.sure[slices]
        error = abs(ours[self.roi[slices]].mean() / theirs[self.roi[slices]].mean() - 1)
        return float(1 - np.corrcoef(ours[where], theirs[where])[0, 1] + error)


def cpu_ms(exam: Exam, settings: InversionSettings) -> tuple[float, float]:
    """CPU time of a slice, ms: whole inversion, and its unwrapping."""
    invert(exam, settings)  # filters are made once a process
    start = time.process_time()
    invert(exam, settings)
    middle = time.process_time()
    for s in exam.slices:
        unwrap(s.phase_rad, foreground(s.magnitude))
    count = len(exam.slices)
    return 1e3 * (middle - start) / count, 1e3 * (time.process_time() - middle) / count


def methods(real: Real) -> None:
    """One line a method and start."""
    print("method, start | mean ours / vendor, region: exam [slices] | same, vendor confidence >= 0.95 | r | Dice | ms")
    for method, start in itertools.product(METHODS, ("phase", "wave")):
        settings = InversionSettings(method=method)
        found = invert(real.exam, settings, start)
        whole, unwrapping = cpu_ms(real.exam, settings) if start == "phase" else (np.nan, np.nan)
        cost = f"{whole:.0f} ({whole - unwrapping:.0f} without unwrapping)" if start == "phase" else "-"
        print(f"{method} {start} {found.quantity} | {real.row(found.stiffness_kpa, found.exam.confidence)} | {cost}")
    for q in invert(real.exam).slices:
        print(
            f"  slice at {q.z_mm:5.1f} mm: harmonic {q.harmonic_share:.2f}, shear {q.shear_amplitude_rad:.2f} rad, "
            f"bulk / shear {q.bulk_ratio:.1f}, noise {q.noise_rad:.2f} rad, confident {q.confident_share:.2f}"
        )


def leave_one_out(real: Real) -> None:
    """Choose the free parameters on three slices, look at the fourth."""
    choices = [dict(zip(GRID, v, strict=True)) for v in itertools.product(*GRID.values())]
    maps = [invert(real.exam, InversionSettings(**c)).stiffness_kpa for c in choices]
    tested = np.empty_like(maps[0])
    for i in range(len(real.kpa)):
        others = [j for j in range(len(real.kpa)) if j != i]
        best = int(np.argmin([real.loss(m, others) for m in maps]))
        tested[i] = maps[best][i]
        print(f"left out slice {i}: chosen on the others {choices[best]}")
    print("left-out slices together |", real.row(tested, invert(real.exam).exam.confidence))


def simulated(count: int) -> None:
    """Simulated exams: bias of the mean where confident, and how far confidence tells the error of a pixel."""
    from livermre.simulate.scan import ScanSettings, scan, simulate_patient

    confidence, errors = [], []
    print("simulated: kPa | bias of the mean % (mean, sd over exams) | confident share of the liver inside 10 mm")
    for kpa in (1.5, 2.0, 3.0, 4.0, 6.0, 8.0):
        bias, share = [], []
        for seed in range(count):
            patient = replace(simulate_patient(seed + 10), stiffness_kpa=kpa, r2star_per_s=30.0, sequence="GRE")
            made = scan(patient, settings=ScanSettings(slices=1, theta0_rad=0.0))
            found = invert(made.exam)
            deep = np.stack([ndimage.distance_transform_edt(m, sampling=made.exam.spacing_mm) > 10 for m in made.liver])
            where = deep & made.parenchyma & np.isfinite(found.stiffness_kpa)
            true, c = made.stiffness_true_kpa, found.exam.confidence
            use = where & (c >= CONFIDENT)
            share.append(use.sum() / where.sum())
            if use.sum() > 200:
                bias.append(100 * (found.stiffness_kpa[use].mean() / true[use].mean() - 1))
            confidence.append(c[where])
            errors.append(np.abs(found.stiffness_kpa[where] / true[where] - 1))
        print(f"  {kpa:g} | {np.mean(bias):+.1f} +- {np.std(bias):.1f} (n {len(bias)}) | {np.mean(share):.2f}")
    c, e = np.concatenate(confidence), 100 * np.concatenate(errors)
    print("reliability: confidence | share of pixels | median and 90th percentile of the error of a pixel, %")
    for low, high in ((0.98, 1.01), (0.95, 0.98), (0.9, 0.95), (0.8, 0.9), (0.5, 0.8), (0.0, 0.5)):
        m = (c >= low) & (c < high)
        print(f"  {low:g}-{min(high, 1):g} | {m.mean():.2f} | {np.median(e[m]):.0f} / {np.percentile(e[m], 90):.0f}")


def pictures(real: Real, folder: Path) -> None:
    """Vendor's and our stiffness (0-4 kPa) and confidence, side by side, a row a slice."""
    folder.mkdir(parents=True, exist_ok=True)
    found = invert(real.exam)
    pairs = ((real.kpa, 4), (found.stiffness_kpa, 4), (real.exam.confidence, 1), (found.exam.confidence, 1))
    rows = [np.hstack([np.clip(np.nan_to_num(i[n]) / top, 0, 1) for i, top in pairs]) for n in range(len(real.kpa))]
    Image.fromarray((255 * np.vstack(rows)).astype(np.uint8)).save(folder / "inversion.png")


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--leave-one-out", action="store_true")
    parser.add_argument("--simulated", type=int, default=0, help="simulated patients per stiffness")
    parser.add_argument("--pictures", type=Path)
    options = parser.parse_args()
    real = Real(options.data)
    methods(real)
    if options.leave_one_out:
        leave_one_out(real)
    if options.simulated:
        simulated(options.simulated)
    if options.pictures:
        pictures(real, options.pictures)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Our inversion against the vendor's map of the real exam, all methods side by side, and their CPU time."""

import itertools
import time
from pathlib import Path

import numpy as np
from inversion_baselines import BASELINES, band_passed, baselines, harmonic_of
from PIL import Image
from segmentation import ge_contours

from livermre.dicom import ReadOptions, read
from livermre.exam.types import Exam
from livermre.inversion import InversionSettings, foreground, invert, maps_of, unwrap
from livermre.inversion.settings import METHODS
from livermre.inversion.unwrapping import box

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
        both = theirs & np.isfinite(kpa)  # what cannot be trusted at all has no value
        lost = "" if both.sum() == theirs.sum() else f" ({theirs.sum() - both.sum()} of {theirs.sum()} pixels no value)"
        cells.append(f"{np.corrcoef(kpa[both], self.kpa[both])[0, 1]:.3f}{lost}")
        cells.append(f"{2 * (ours & theirs).sum() / max(ours.sum() + theirs.sum(), 1):.2f}")
        return " | ".join(cells)

    def loss(self, kpa: np.ndarray, slices: list[int]) -> float:
        """What leave-one-out minimises on its slices: 1 - r plus the size of the mean's error in the region."""
        ours, theirs, where = kpa[slices], self.kpa[slices], self.liver[slices] & self.sure[slices]
        where = where & np.isfinite(ours)
        error = abs(ours[self.roi[slices]].mean() / theirs[self.roi[slices]].mean() - 1)
        return float(1 - np.corrcoef(ours[where], theirs[where])[0, 1] + error)


def cpu_ms(exam: Exam, settings: InversionSettings, repeats: int = 5) -> tuple[float, float]:
    """CPU time of a slice, ms, medians: whole inversion, and its unwrapping."""
    invert(exam, settings)  # filters are made once a process
    spent = []
    for _ in range(repeats):
        start = time.process_time()
        invert(exam, settings)
        middle = time.process_time()
        for s in exam.slices:
            body = foreground(s.magnitude)
            rows, columns = box(body, 0)
            unwrap(s.phase_rad[..., rows, columns], body[rows, columns])
        spent.append((middle - start, time.process_time() - middle))
    whole, unwrapping = 1e3 * np.median(spent, axis=0) / len(exam.slices)
    return float(whole), float(unwrapping)


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


def map_times(exam: Exam, repeats: int = 5) -> None:
    """CPU time of a slice from its first harmonic to its map, ours and the baselines', by turns in one run."""
    hz, settings = exam.acquisition.frequency_hz, InversionSettings()
    given = []
    for s in exam.slices:
        harmonic, body = harmonic_of(s)
        part = box(body, 0)  # the inversion, too, works on the box around the body
        given.append((harmonic[part], body[part], s.plane.spacing_mm))
    ways = {"ours": lambda h, b, mm: maps_of(h[None, None], b, mm, (hz,), settings)}
    for name, function in BASELINES.items():
        ways[name] = lambda h, b, mm, f=function: f(band_passed(h, b, mm), mm, hz)
    spent: dict[str, list[float]] = {n: [] for n in ways}
    for _ in range(repeats + 1):
        for name, way in ways.items():
            start = time.process_time()
            for one in given:
                way(*one)
            spent[name].append((time.process_time() - start) / len(given))
    medians = {n: 1e3 * float(np.median(t[1:])) for n, t in spent.items()}  # the first makes the filters
    print("first harmonic to map, CPU ms a slice (ratio to ours): ", end="")
    print(", ".join(f"{n} {m:.0f} ({m / medians['ours']:.2f})" for n, m in medians.items()))


def real_baselines(real: Real) -> None:
    """Both baselines on the real exam, over the pixels of the first table; they have no confidence of their own."""
    sure = invert(real.exam).exam.confidence
    for name, kpa in baselines(real.exam).items():
        print(f"stand-alone {name} | {real.row(kpa, sure)}")
    map_times(real.exam)


def pictures(real: Real, folder: Path) -> None:
    """Vendor's and our stiffness (0-4 kPa) and confidence, side by side, a row a slice."""
    folder.mkdir(parents=True, exist_ok=True)
    found = invert(real.exam)
    pairs = ((real.kpa, 4), (found.stiffness_kpa, 4), (real.exam.confidence, 1), (found.exam.confidence, 1))
    rows = [np.hstack([np.clip(np.nan_to_num(i[n]) / top, 0, 1) for i, top in pairs]) for n in range(len(real.kpa))]
    Image.fromarray((255 * np.vstack(rows)).astype(np.uint8)).save(folder / "inversion.png")

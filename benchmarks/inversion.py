"""Our inversion against the vendor's map of one real exam (GE MR-Touch 2-D GRE, 60 Hz), and all methods side by side.

    python benchmarks/inversion.py --real DATA [--leave-one-out] [--pictures DIR]
    python benchmarks/inversion.py --simulated N [--slices 4] [--limits M]

DATA is the folder that holds `ge-mrtouch`. Prints tables; writes nothing but the pictures asked for. Times are CPU time
of this process per slice, of reading nothing: unwrapping alone, then phase to map without it.
"""

import argparse
import itertools
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import scipy.fft
from PIL import Image
from scipy import ndimage
from segmentation import ge_contours

from livermre.dicom import ReadOptions, read
from livermre.exam.types import Exam, LiverMask, Slice
from livermre.inversion import InversionSettings, first_harmonic, foreground, invert, maps_of, unwrap
from livermre.inversion.maps import HIGHEST_KPA
from livermre.inversion.settings import METHODS
from livermre.inversion.unwrapping import box
from livermre.roi import RoiSettings, draw_roi
from livermre.simulate.box import simulate_box
from livermre.simulate.scan import ScanSettings, SimulatedScan, scan, simulate_patient
from livermre.stiffness import MeasureSettings, measure

CONFIDENT = 0.95
STIFFNESSES = (1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
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


# ---- stand-alone baselines: what a textbook would do with the same wave, sharing no map code with livermre


def band_passed(harmonic: np.ndarray, body: np.ndarray, spacing_mm: tuple[float, float]) -> np.ndarray:
    """The wave (R, C) of a first harmonic: the same band-pass at its shortest lengths, on the image's own grid."""
    settings = InversionSettings()
    rows, columns = (scipy.fft.next_fast_len(int(n + 60 / h)) for n, h in zip(body.shape, spacing_mm, strict=True))
    k = _wavenumbers((rows, columns), spacing_mm)
    with np.errstate(divide="ignore"):
        gain = 1 / (1 + (k * settings.highpass_mm) ** -settings.highpass_order)
    gain *= 1 / (1 + (k * settings.lowpass_mm) ** settings.lowpass_order)
    spectrum = scipy.fft.fft2(harmonic * body, (rows, columns))
    return scipy.fft.ifft2(spectrum * gain.astype(np.float32))[: body.shape[0], : body.shape[1]]


def _wavenumbers(shape: tuple[int, int], spacing_mm: tuple[float, float]) -> np.ndarray:
    ky, kx = (scipy.fft.fftfreq(n, h) for n, h in zip(shape, spacing_mm, strict=True))
    return np.hypot(ky[:, None], kx)


def direct(wave: np.ndarray, spacing_mm: tuple[float, float], frequency_hz: float) -> np.ndarray:
    """|G*| (R, C), kPa: rho w2 |u / lap u| pixel by pixel with three points a direction; no pooling, no directions."""
    row, column = (1 / (h * 1e-3) ** 2 for h in spacing_mm)
    along = row * (np.roll(wave, 1, 0) - 2 * wave + np.roll(wave, -1, 0))
    across = column * (np.roll(wave, 1, 1) - 2 * wave + np.roll(wave, -1, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        kpa = (2 * np.pi * frequency_hz) ** 2 * np.abs(wave / (along + across))
    return np.minimum(np.nan_to_num(kpa, nan=0.0), HIGHEST_KPA)


def textbook_lfe(wave: np.ndarray, spacing_mm: tuple[float, float], frequency_hz: float) -> np.ndarray:
    """Local frequency estimation: rho c2 (R, C), kPa (Knutsson, Westin, Granlund 1994; Manduca et al. 2001).

    Six log-normal filters an octave apart (bandwidth 2 sqrt 2 octaves), four squared-cosine directions, no pooling.
    """
    shape = tuple(scipy.fft.next_fast_len(n) for n in wave.shape)
    k = _wavenumbers((shape[0], shape[1]), spacing_mm)
    ky, kx = (scipy.fft.fftfreq(n, h) for n, h in zip(shape, spacing_mm, strict=True))
    spectrum = scipy.fft.fft2(wave, shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        cosines = [np.nan_to_num((ky[:, None] * np.sin(a) + kx * np.cos(a)) / k) for a in np.arange(4) * np.pi / 2]
        logarithm = np.log(k * 128)
    responses = []
    for octave in range(6):
        radial = np.exp(-4 / (8 * np.log(2)) * (logarithm - octave * np.log(2)) ** 2)
        gains = [(radial * np.where(c > 0, c * c, 0)).astype(np.float32) for c in cosines]
        parts = [np.abs(scipy.fft.ifft2(spectrum * g)) for g in gains]
        responses.append(np.sum(parts, axis=0)[: wave.shape[0], : wave.shape[1]])
    between = [2 ** (n + 0.5) / 128 for n in range(5)]
    with np.errstate(divide="ignore", invalid="ignore"):
        per_mm = sum(b * q for b, q in zip(between, responses[1:], strict=True)) / sum(responses[:-1])
        return np.minimum(np.nan_to_num((frequency_hz / (per_mm * 1e3)) ** 2, nan=0.0), HIGHEST_KPA)


BASELINES = {"direct": direct, "lfe": textbook_lfe}


def baselines(exam: Exam) -> dict[str, np.ndarray]:
    """Maps (S, R, C), kPa, of both baselines on the band-passed wave of each slice."""
    waves = [band_passed(*_harmonic(s), s.plane.spacing_mm) for s in exam.slices]
    hz = exam.acquisition.frequency_hz
    return {n: np.stack([f(w, exam.spacing_mm, hz) for w in waves]) for n, f in BASELINES.items()}


def _harmonic(s: Slice) -> tuple[np.ndarray, np.ndarray]:
    body = foreground(s.magnitude)
    return first_harmonic(unwrap(s.phase_rad, body))[0, 0], body


def map_times(exam: Exam, repeats: int = 5) -> None:
    """CPU time of a slice from its first harmonic to its map, ours and the baselines', by turns in one run."""
    hz, settings = exam.acquisition.frequency_hz, InversionSettings()
    given = []
    for s in exam.slices:
        harmonic, body = _harmonic(s)
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


# ---- simulated exams


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
    driver_off(3 * count)
    box_confidence()


def driver_off(count: int, seed: int = 5950) -> None:
    """How many exams without any vibration get a number all the same, on fine and on coarse pixels."""
    for matrix in (256, 128):
        numbers = []
        for n in range(count):
            made = simulated_exam(3.0, False, seed + n, 2, driver_on=False, matrix=matrix)
            found = invert(made.exam).exam
            liver = LiverMask(made.liver.astype(np.float32), made.liver, None)
            measured = measure(found, liver, draw_roi(found, liver), MeasureSettings())
            if measured.mean_kpa is not None and "phase_without_waves" not in {f.code for f in found.flags}:
                numbers.append(measured.mean_kpa)
        listed = " ".join(f"{k:.2f}" for k in numbers)
        print(f"driver off, matrix {matrix}: {len(numbers)} of {count} exams get a number, kPa {listed}", flush=True)


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
    parser.add_argument("--real", type=Path, metavar="DATA", help="the folder that holds the real exam")
    parser.add_argument("--leave-one-out", action="store_true")
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--simulated", type=int, default=0, metavar="N", help="simulated exams per stiffness")
    parser.add_argument("--slices", type=int, default=4, help="slices of a simulated exam")
    parser.add_argument("--limits", type=int, default=0, metavar="M", help="simulated exams per obliquity and noise")
    options = parser.parse_args()
    if options.real:
        real = Real(options.real)
        methods(real)
        real_baselines(real)
        if options.leave_one_out:
            leave_one_out(real)
        if options.pictures:
            pictures(real, options.pictures)
    if options.simulated:
        simulated(options.simulated, options.slices)
    if options.limits:
        limits(options.limits)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Simulated exams without vibration, and with offsets in the wrong order: which of them give a number all the same."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from livermre.exam.flags import Severity
from livermre.exam.types import Exam, LiverMask
from livermre.inversion import invert
from livermre.roi import draw_roi
from livermre.simulate.scan import ScanSettings, SimulatedScan, scan, simulate_patient
from livermre.stiffness import MeasureSettings, measure

ORDERS = ((1, 0, 2, 3), (0, 2, 1, 3))
"""The two wrong orders of four offsets that are no other start and no reverse."""

VERDICTS = (
    "phase_without_vibration", "vibration_not_known", "phase_offsets_out_of_order", "phase_not_harmonic",
    "phase_without_waves",
)  # fmt: skip


def drawn(seed: int, offsets: int, driver_on: bool) -> tuple[SimulatedScan, str]:
    """A simulated exam of any matrix, sequence, field, stiffness and SNR, and the cell of the table it belongs to."""
    rng = np.random.default_rng((seed, 11))
    matrix, slices = int(rng.choice([96, 128, 192, 256])), int(rng.choice([1, 2, 4]))
    sequence, field_t = ("GRE", "SE-EPI")[int(rng.integers(2))], float(rng.choice([1.5, 3.0]))
    kpa, snr = float(rng.choice([1.5, 2.0, 3.0, 4.0, 6.0])), float(rng.choice([4.0, 6.0, 10.0, 14.0]))
    patient = simulate_patient(seed, stiffness_kpa=kpa, r2star_per_s=30.0, sequence=sequence, field_t=field_t)
    settings = ScanSettings(slices, matrix, offsets, readers=0, driver_on=driver_on, snr=snr)
    return scan(patient, settings=settings), f"matrix {matrix}"


def number_of(exam: Exam, liver: np.ndarray) -> tuple[float | None, set[str]]:
    """The exam's mean, kPa, or None where none would be reported, and the verdicts that were said."""
    found = invert(exam).exam
    said = {f.code for f in found.flags}
    mask = LiverMask(liver.astype(np.float32), liver, None)
    measured = measure(found, mask, draw_roi(found, mask), MeasureSettings())
    blocked = any(f.severity == Severity.BLOCKING for f in (*found.flags, *measured.flags))
    return None if blocked else measured.mean_kpa, said & set(VERDICTS)


def reordered(exam: Exam, order: Sequence[int]) -> Exam:
    """The exam with its offsets in another order."""
    return replace(exam, slices=tuple(replace(s, phase_rad=s.phase_rad[:, :, list(order)]) for s in exam.slices))


def vibration(count: int, offsets: int = 4, seed: int = 5950) -> None:
    """One line an exam, then the table: exams off and on, in order and out of order."""
    cells: dict[str, list[int]] = {}
    for n in range(count):
        on, cell = drawn(seed + n, offsets, True)
        off, _ = drawn(seed + n, offsets, False)
        silent, why = number_of(off.exam, off.liver)
        right, lost = number_of(on.exam, on.liver)
        print(f"# {seed + n} {cell} off {silent} {sorted(why)} on {right} of {on.truth.liver_kpa:.2f} {sorted(lost)}")
        row = cells.setdefault(cell, [0] * 6)
        row[0] += 1
        row[1] += silent is not None
        row[2] += bool(lost)
        for order in ORDERS if offsets == 4 else ():
            wrong, seen = number_of(reordered(on.exam, order), on.liver)
            print(f"#   order {order}: {wrong} {sorted(seen)}", flush=True)
            row[3] += 1
            row[4] += bool(seen & {"phase_offsets_out_of_order", "phase_not_harmonic"})
            row[5] += wrong is not None
    print(f"{offsets} offsets, seeds {seed} on: exams | off, number | on, verdict | out of order: flagged, number")
    for cell, row in sorted(cells.items()):
        print(f"  {cell} | {row[0]} | {row[1]} | {row[2]} | {row[3]}: {row[4]}, {row[5]}")

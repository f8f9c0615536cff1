"""Samples without a file: entries and readings of patients whose numbers are drawn from a seed."""

import numpy as np

from livermre.study.entry import Entry, Reference
from livermre.study.sample import Sample
from livermre.study.scores import MaskScore, Reading

STAGE_KPA = (2.0, 2.4, 3.1, 4.2, 6.0)


def drawn_sample(patients: int = 60, copies: int = 1, seed: int = 1, lost: float = 0.1, known: bool = True) -> Sample:
    """So many patients of all stages with one exam each, every exam `copies` times under other names.

    lost   share of exams without a number
    known  False: the copies are called other patients, which is what must not be believed
    """
    rng = np.random.default_rng(seed)
    entries, readings = [], []
    for i in range(patients):
        stage = i % 5
        true = STAGE_KPA[stage] * np.exp(rng.normal(0, 0.25))
        reference, reader, second = true * np.exp(rng.normal(0, (0.02, 0.04, 0.04)))
        found = None if rng.random() < lost else float(true * np.exp(rng.normal(0.01, 0.03)))
        edge = {"edge": float(rng.random() * 0.1)}
        size, low, high = rng.uniform(900, 1500), *rng.uniform((0.86, 1.02), (1.0, 1.16))
        whole = MaskScore(
            min(low, high) * size * 0.97, high * size, size, "mm3", *rng.uniform((2, 0.5, 0.7), (9, 2, 1))
        )
        row = {
            "stage": f"F{stage}", "vendor": ("GE", "Siemens")[i % 2], "field_t": 1.5,
            "bmi": float(rng.uniform(17, 40)), "r2star_per_s": float(rng.uniform(20, 400)),
        }  # fmt: skip
        told = Reference(float(reference), (), (float(reader), float(second)), None, float(true))
        for copy in range(copies):
            who = f"p{i:03d}" if known else f"p{i:03d}-{copy}"
            entries.append(Entry(f"e{i:03d}-{copy}", who, True, row, slices=1, has_map=True, reference=told))
            interval = None if found is None else (0.96 * found, 1.05 * found)
            blocks = () if found is not None else ("interval_too_wide",)
            readings.append(Reading(entries[-1].exam, whole, (whole,), whole, edge, found, interval, 900.0, blocks))
    return Sample("drawn", tuple(entries), tuple(readings))

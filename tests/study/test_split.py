"""The split: whole patients, alike strata, the same for the same seed; and leakage as a hard error."""

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from livermre import nifti
from livermre.exam.errors import Contradiction, InputError
from livermre.study.entry import Entry
from livermre.study.inspection import inspect
from livermre.study.leakage import check_split, shared
from livermre.study.settings import StudySettings
from livermre.study.splitting import TEST, TRAINING, VALIDATION, balance, splits
from study.phantoms import exam_of, liver_of, many, write_cohort


def entry(number: int, patient: str | None = None, stage: str = "F0", **more: object) -> Entry:
    row = {"stage": stage, "vendor": "GE", "field_t": 1.5}
    return Entry(f"e{number:03d}", patient or f"p{number:03d}", True, row, pixels=(f"hash{number}",), **more)  # type: ignore[arg-type]


ENTRIES = [entry(i, stage=f"F{i % 5}") for i in range(100)]


def test_shares_strata_and_seed() -> None:
    (split,) = splits(ENTRIES, StudySettings())
    assert Counter(split.values()) == {TRAINING: 60, VALIDATION: 20, TEST: 20}
    for side, count in ((TEST, 4), (VALIDATION, 4), (TRAINING, 12)):
        stages = Counter(e.row["stage"] for e in ENTRIES if split[e.exam] == side)
        assert all(abs(n - count) <= 1 for n in stages.values()), (side, stages)
    assert splits(ENTRIES, StudySettings()) == [split]
    assert splits(list(reversed(ENTRIES)), StudySettings()) == [split]
    assert splits(ENTRIES, StudySettings(split_seed=2)) != [split]


def test_patients_are_never_torn_apart() -> None:
    several = [entry(i, f"p{i // 3}", f"F{(i // 3) % 5}") for i in range(60)]
    for settings in (StudySettings(), StudySettings(folds=4)):
        for split in splits(several, settings):
            sides = {}
            for e in several:
                sides.setdefault(e.patient, set()).add(split[e.exam])
            assert all(len(s) == 1 for s in sides.values())


def test_with_folds_every_exam_is_tested_once() -> None:
    made = splits(ENTRIES, StudySettings(folds=5))
    tested = Counter(e for split in made for e, side in split.items() if side == TEST)
    assert tested == {e.exam: 1 for e in ENTRIES}
    assert all(Counter(split.values())[VALIDATION] == 20 for split in made)


def test_balance_counts_everybody_in_every_stratum() -> None:
    (split,) = splits(ENTRIES, StudySettings())
    rows = balance(ENTRIES, split)
    whole = {r["subset"]: r["exams"] for r in rows if r["stratum"] == "all"}
    assert whole == {TRAINING: 60, VALIDATION: 20, TEST: 20}
    for side in whole:
        assert sum(int(str(r["exams"])) for r in rows if (r["subset"], r["stratum"]) == (side, "stage")) == whole[side]


def test_too_few_patients() -> None:
    with pytest.raises(InputError, match="at least 3 patients, found 2"):
        splits(ENTRIES[:2], StudySettings())
    with pytest.raises(InputError, match="at least 5 patients, found 4"):
        splits(ENTRIES[:4], StudySettings(folds=5))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pixels": ("hash3", "own")}, "share the same pixels"),
        ({"study": "s"}, "share one DICOM study"),
        ({"person": "h"}, "share one patient ID"),
    ],
)
def test_two_patients_who_are_one_forbid_the_study(change: dict, words: str) -> None:
    twin = replace(ENTRIES[4], **change)
    first = replace(ENTRIES[3], **{k: v for k, v in change.items() if k != "pixels"})
    (problem,) = shared([*ENTRIES[:3], first, twin])
    assert problem.severity == "error"
    assert problem.exams == ("e003", "e004")
    assert words in problem.sentence
    assert not shared([first, replace(twin, patient=first.patient)])


def test_a_split_that_tears_apart_is_refused() -> None:
    a, b = entry(1, "same"), entry(2, "same")
    with pytest.raises(Contradiction, match="share patient lie in different subsets: e001 in training, e002 in test"):
        check_split([a, b], {"e001": TRAINING, "e002": TEST})
    twin = replace(entry(3), pixels=a.pixels)
    with pytest.raises(Contradiction, match="share the same pixels"):
        check_split([a, twin], {"e001": TRAINING, "e003": TEST})


def test_blank_slices_are_nobodys(tmp_path: Path) -> None:
    """Stacks often end in slices of zeros: patients share those, and no image."""
    for p in many(4):
        exam, liver = exam_of(p), liver_of(p)
        image = exam.magnitude.copy()
        image[1], liver[1] = 0, False
        for name, array in ((f"image_{p.exam}", image), (f"label_{p.exam}", liver)):
            nifti.write_volume(tmp_path / f"{name}.nii.gz", array.astype(np.float32), exam)
    found = inspect(tmp_path, StudySettings())
    assert not found.errors
    assert [e.pixels[1] for e in found.taken] == [""] * 4
    assert len({e.pixels[0] for e in found.taken}) == 4


def test_an_exam_copied_under_another_patient_is_found_on_disk(tmp_path: Path) -> None:
    data = write_cohort(tmp_path / "c", many(5))
    for kind in ("exams", "masks"):
        shutil.rmtree(data / kind / "exam-04")
        shutil.copytree(data / kind / "exam-01", data / kind / "exam-04")
    (error,) = inspect(data, StudySettings()).errors
    assert error.exams == ("exam-01", "exam-04")
    assert "the same pixels" in error.sentence

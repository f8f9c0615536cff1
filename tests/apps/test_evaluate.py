"""`livermre evaluate`: the truth scores perfectly, a known shift by formula, and what does not match is said."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from apps.conftest import Ran
from study.phantoms import STAGE_KPA, many, write_cohort

Livermre = Callable[..., Ran]
PHANTOMS = many(8)


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cohort(tmp_path_factory.mktemp("data") / "truth", PHANTOMS)


@pytest.fixture
def predictions(truth: Path, tmp_path: Path) -> Path:
    """The reference masks, and stiffness that is 3 % too high everywhere."""
    folder = shutil.copytree(truth / "masks", tmp_path / "mine")
    with (folder / "numbers.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["exam", "stiffness_kpa", "interval_95_low_kpa", "interval_95_high_kpa"])
        for p in PHANTOMS:
            kpa = 1.03 * STAGE_KPA[p.stage]
            writer.writerow([p.exam, kpa, 0.9 * kpa, 1.1 * kpa])
    return folder


def results(out: Path) -> dict:
    return json.loads((out / "evaluation.json").read_text())["analysis"]


def test_perfect_masks_and_a_known_bias(livermre: Livermre, truth: Path, predictions: Path, tmp_path: Path) -> None:
    ran = livermre("evaluate", predictions, truth, "--out", tmp_path / "out", "--draws", 100)
    assert ran.status == 0, ran.err
    found = results(tmp_path / "out")
    assert found["segmentation"]["exam"]["Dice"]["mean"]["estimate"] == 1.0
    assert found["segmentation"]["pooled"]["IoU"]["estimate"] == 1.0
    by_table = found["measurement"]["table"]["by_patient"]
    assert by_table["bias_percent"]["estimate"] == pytest.approx(200 * 0.03 / 2.03)
    assert by_table["mape"]["estimate"] == pytest.approx(3.0)
    assert by_table["pearson"]["estimate"] == pytest.approx(1.0)
    assert found["trust"]["coverage"]["table"]["inside"]["count"] == 8
    with (tmp_path / "out" / "exams.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [r["exam"] for r in rows] == [p.exam for p in PHANTOMS]
    assert {r["outcome"] for r in rows} == {"measured"}
    lines = [line.split("  ") for line in ran.out.splitlines()]
    told = {part[1].strip(): [c.strip() for c in part[2:] if c.strip()] for part in lines if len(part) > 2}
    assert told["Dice, mean an exam"] == ["1.000 (no interval)", "8"]
    assert told["IoU, pooled"][0].startswith("1.000")
    bias = found["measurement"]["reference mask"]["by_patient"]["bias_percent"]
    shown = f"{bias['estimate']:.2f} ({bias['low']:.2f} to {bias['high']:.2f})"
    assert told["bias, %, against the reference mask"] == [shown, "8"]
    assert {"ICC(A,1), against the reference mask", "lower limit of agreement, %, against the reference mask"} <= set(
        told
    )
    assert told["measured"] == ["8/8 = 100.0 % (68–100)", "8"]
    page = (tmp_path / "out" / "evaluation.html").read_text(encoding="utf-8")
    assert "Evaluation of mine" in page
    assert "<script" not in page


def test_masks_alone_without_exams_and_a_shift_by_formula(livermre: Livermre, truth: Path, tmp_path: Path) -> None:
    bare, mine = tmp_path / "bare", tmp_path / "mine"
    shutil.copytree(truth / "masks", bare / "masks")
    mine.mkdir()
    dice = []
    for p in PHANTOMS:
        image = nib.load(bare / "masks" / p.exam / "liver.nii.gz")
        true = np.asarray(image.dataobj) > 0
        moved = np.roll(true, 3, axis=0)
        nib.save(nib.Nifti1Image(moved.astype(np.uint8), image.affine, image.header), mine / f"{p.exam}.nii.gz")
        dice.append(2 * (true & moved).sum() / (true.sum() + moved.sum()))
    ran = livermre("evaluate", mine, bare, "--out", tmp_path / "out", "--draws", 100)
    assert ran.status == 0, ran.err
    found = results(tmp_path / "out")
    assert found["segmentation"]["exam"]["Dice"]["mean"]["estimate"] == pytest.approx(np.mean(dice))
    assert found["measurement"] == {}
    assert found["staging"] is None


def test_what_does_not_match_is_counted_and_named(
    livermre: Livermre, truth: Path, predictions: Path, tmp_path: Path
) -> None:
    shutil.rmtree(predictions / "exam-00")
    shutil.copytree(predictions / "exam-01", predictions / "stranger")
    (predictions / "exam-02" / "liver.nii.gz").write_bytes(b"no mask")
    lines = (predictions / "numbers.csv").read_text().splitlines()
    (predictions / "numbers.csv").write_text("\n".join(s for s in lines if "exam-00" not in s) + "\n")
    ran = livermre("evaluate", predictions, truth, "--out", tmp_path / "out", "--draws", 100)
    assert ran.status == 4
    assert "exam-00: there is no prediction of this exam" in ran.err
    assert "stranger: a prediction without an exam of this name" in ran.err
    assert "exam-02: liver.nii.gz" in ran.err
    found = results(tmp_path / "out")
    assert found["segmentation"]["exam_cases"] == {"compared": 6, "missed": 2, "invented": 0, "empty": 0}
    assert found["segmentation"]["exam"]["Dice"]["mean"]["estimate"] == pytest.approx(6 / 8)
    assert found["trust"]["failures"]["exams"] == 8
    assert found["trust"]["failures"]["software"]["count"] == 1


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("exam-01,-2.0", "numbers.csv, line 2: a stiffness is a number above 0 in kPa"),
        ("exam-01,soft", "found 'soft'"),
        ("exam-01,2.0\nexam-01,2.1", "line 3: exam 'exam-01' is measured twice"),
    ],
)
def test_odd_measurements_are_refused(livermre: Livermre, truth: Path, tmp_path: Path, line: str, words: str) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "numbers.csv").write_text(f"exam,stiffness_kpa\n{line}\n")
    ran = livermre("evaluate", mine, truth, "--out", tmp_path / "out")
    assert ran.status == 3
    assert words in ran.sentence


def test_nothing_in_common(livermre: Livermre, truth: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "n.csv").write_text("exam,stiffness_kpa\nother,2.0\n")
    ran = livermre("evaluate", tmp_path / "mine", truth, "--out", tmp_path / "out")
    assert ran.status == 3
    assert "predictions are called other, exams exam-00, exam-01, exam-02" in ran.sentence
    assert livermre("evaluate", tmp_path / "none", truth, "--out", tmp_path / "out").status == 2


def test_swapped_folders_are_wrong_usage(livermre: Livermre, truth: Path, predictions: Path, tmp_path: Path) -> None:
    ran = livermre("evaluate", truth, predictions, "--out", tmp_path / "out")
    assert ran.status == 2 and "is a cohort (it holds exams, images or masks)" in ran.sentence
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_not_there_is_called_by_its_own_name(livermre: Livermre, truth: Path, tmp_path: Path) -> None:
    for folders, name in (((tmp_path / "no", truth), "PREDICTIONS"), ((truth / "masks", tmp_path / "no"), "TRUTH")):
        ran = livermre("evaluate", *folders, "--out", tmp_path / "out")
        assert ran.status == 2 and f"{name}: there is no folder {tmp_path / 'no'}" in ran.sentence

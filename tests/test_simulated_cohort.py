"""A simulated cohort: layout, truth, same bytes by any road, and nothing of anybody replaced."""

import csv
import json
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from livermre import nifti, simulation
from livermre.dicom import read
from livermre.exam.errors import InputError, OutputError, SettingsError
from livermre.inversion import InversionSettings, invert
from livermre.simulate.scan import ScanSettings, scan, simulate_patient
from livermre.simulate.tissue import Tissue
from livermre.simulated_cohort import simulate_cohort
from livermre.simulation import Made, Recipe, Task

SCAN = ScanSettings(slices=2, matrix=64, readers=2)
RECIPE = Recipe(7, "siemens-enhanced", SCAN)
NAMES = ["patient-0001", "patient-0001-repeat-1"]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("cohort")
    made = simulate_cohort(1, RECIPE, out, repeats=1)
    assert [(m.exam, m.status) for m in made] == [(n, "made") for n in NAMES]
    return out


@pytest.fixture
def copy(cohort: Path, tmp_path: Path) -> Path:
    return shutil.copytree(cohort, tmp_path / "copy")


def rows(out: Path) -> dict[str, dict[str, str]]:
    with (out / "truth.csv").open(encoding="utf-8", newline="") as file:
        return {row["exam"]: row for row in csv.DictReader(file)}


def contents(out: Path, below: str = "") -> dict[str, bytes]:
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in (out / below).rglob("*") if p.is_file()}


def volume(path: Path) -> np.ndarray:
    """(S, R, C) of a map on axial slices: RAS+ turned back by hand."""
    return np.asarray(nib.load(path).dataobj).transpose(2, 1, 0)[:, ::-1, ::-1]


def test_layout(cohort: Path) -> None:
    assert sorted(p.name for p in cohort.iterdir()) == ["exams", "masks", "truth.csv"]
    names = ["labels", "liver", "parenchyma", "reader_1", "reader_2", "stiffness_true_kpa"]
    for exam in NAMES:
        found = sorted(p.name for p in (cohort / "masks" / exam).iterdir())
        assert found == [*(f"{n}.nii.gz" for n in names), "truth.json"]
        assert len(list((cohort / "exams" / exam).glob("*.dcm"))) == 5


def test_truth_is_the_mean_of_the_true_map(cohort: Path) -> None:
    """Recomputed from the files: liver_kpa over parenchyma, and each slice's, foot to head."""
    table = rows(cohort)
    assert list(table) == NAMES
    for exam, row in table.items():
        kpa = volume(cohort / "masks" / exam / "stiffness_true_kpa.nii.gz").astype(float)
        labels = volume(cohort / "masks" / exam / "labels.nii.gz")
        liver = volume(cohort / "masks" / exam / "parenchyma.nii.gz") == 1
        np.testing.assert_array_equal(liver, labels == Tissue.LIVER)
        assert float(row["liver_kpa"]) == pytest.approx(kpa[liver].mean(), rel=1e-5)
        for i in range(2):
            assert float(row[f"liver_kpa_{i + 1}"]) == pytest.approx(kpa[i][liver[i]].mean(), rel=1e-5)
        assert row["style"] == "siemens-enhanced" and row["vendor"] == "Siemens"


def test_exams_hold_the_scan_and_the_maps_of_the_vendor(cohort: Path) -> None:
    """DICOM read by our reader against patient, scan and inversion made again from the line of truth.csv."""
    for exam, row in rows(cohort).items():
        (study,) = read([cohort / "exams" / exam])
        again = scan(simulate_patient(int(row["seed"]), vendor="Siemens"), int(row["repeat"]), SCAN)
        settings = InversionSettings(
            window_mm=float(row["vendor_window_mm"]), highpass_mm=float(row["vendor_highpass_mm"])
        )
        maps = invert(again.exam, settings).exam
        for s, truth in zip(study.exam.slices, maps.slices, strict=True):
            assert s.phase_rad is not None and truth.phase_rad is not None and s.stiffness_kpa is not None
            turned = np.angle(np.exp(1j * (s.phase_rad.astype(float) - truth.phase_rad)))
            assert np.abs(turned).max() < 1.001 * np.pi / 4096
            both = np.isfinite(s.stiffness_kpa) & np.isfinite(truth.stiffness_kpa)
            assert both.sum() > 0.9 * np.isfinite(truth.stiffness_kpa).sum()
            np.testing.assert_allclose(s.stiffness_kpa[both], truth.stiffness_kpa[both], atol=5.1e-4)
            np.testing.assert_allclose(s.confidence, truth.confidence, atol=5.1e-4)
        liver = nifti.read_mask(cohort / "masks" / exam / "liver.nii.gz", study.exam)
        np.testing.assert_array_equal(liver, again.liver)
        readers = [nifti.read_mask(cohort / "masks" / exam / f"reader_{n}.nii.gz", study.exam) for n in (1, 2)]
        assert all(np.array_equal(r, known) for r, known in zip(readers, again.readers, strict=True))


def test_a_repeat_is_the_same_patient_on_another_day(cohort: Path) -> None:
    first, second = (read([cohort / "exams" / n])[0] for n in NAMES)
    assert first.identity.patient_id == second.identity.patient_id == "SIMULATED-7-0001"
    assert (first.identity.study_date, second.identity.study_date) == ("20000101", "20000129")
    assert first.exam.pseudonym != second.exam.pseudonym
    a, b = rows(cohort).values()
    assert all(a[k] == b[k] for k in ("patient", "seed", "stage", "stiffness_kpa", "bmi", "vendor_window_mm"))
    assert a["change"] != b["change"] and not np.allclose(first.exam.magnitude, second.exam.magnitude)


@pytest.mark.slow
def test_same_bytes_side_by_side_and_in_a_larger_cohort(cohort: Path, tmp_path: Path) -> None:
    heard: list[str] = []
    simulate_cohort(2, RECIPE, tmp_path, jobs=2, done=lambda m: heard.append(m.exam))
    assert sorted(heard) == ["patient-0001", "patient-0002"]
    for part in ("exams", "masks"):
        assert contents(tmp_path, f"{part}/patient-0001") == contents(cohort, f"{part}/patient-0001")
    both = rows(tmp_path)
    assert both["patient-0001"] == rows(cohort)["patient-0001"]
    assert both["patient-0002"]["seed"] != both["patient-0001"]["seed"]


def test_finished_exams_are_kept_and_a_lost_one_comes_back(copy: Path) -> None:
    before = contents(copy)
    shutil.rmtree(copy / "exams" / NAMES[1])
    (copy / "truth.csv").unlink()
    made = simulate_cohort(1, RECIPE, copy, repeats=1)
    assert [m.status for m in made] == ["kept", "made"]
    assert contents(copy) == before


def test_an_interruption_leaves_whole_exams_and_their_truth(tmp_path: Path) -> None:
    def stop(made: Made) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate_cohort(5, RECIPE, tmp_path, done=stop)
    assert list(rows(tmp_path)) == ["patient-0001"]
    assert sorted(p.name for p in (tmp_path / "exams").iterdir()) == ["patient-0001"]


def test_exams_of_another_recipe_are_left_alone(copy: Path) -> None:
    before = contents(copy)
    for other in (Recipe(8, "siemens-enhanced", SCAN), Recipe(7, "ge", SCAN), Recipe(7, "siemens-enhanced")):
        with pytest.raises(OutputError, match="made with another seed, vendor, settings or version"):
            simulate_cohort(1, other, copy)
    shutil.rmtree(copy / "masks" / NAMES[0])
    (copy / "truth.csv").unlink()  # which would be refused first
    with pytest.raises(OutputError, match="an exam without its truth"):
        simulate_cohort(1, RECIPE, copy)
    left = {k: v for k, v in before.items() if not k.startswith(f"masks/{NAMES[0]}/")}
    assert contents(copy) | {"truth.csv": b""} == left | {"truth.csv": b""}


def test_an_exam_that_cannot_be_inverted_goes_out_as_acquired(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise InputError("no waves")

    monkeypatch.setattr(simulation, "invert", refuse)
    (made,) = simulate_cohort(1, RECIPE, tmp_path)
    assert made.row["vendor_maps"] is False
    (study,) = read([tmp_path / "exams" / made.exam])
    assert study.exam.stiffness_kpa is None and study.exam.slices[0].phase_rad is not None
    assert rows(tmp_path)[made.exam]["vendor_maps"] == "False"


def test_without_a_style_each_patient_has_a_vendors(tmp_path: Path) -> None:
    found = set()
    for patient in range(1, 60):
        seeds = np.random.SeedSequence((3, patient))
        who = simulation._patient(int(seeds.generate_state(1)[0]), None)
        style = simulation._style(who, None, np.random.default_rng(seeds.spawn(1)[0]))
        assert (
            style
            in {"GE": ("ge",), "Siemens": ("siemens", "siemens-enhanced"), "Philips": ("philips-enhanced",)}[
                str(who.vendor)
            ]
        )
        found.add(style)
    assert found == {"ge", "siemens", "siemens-enhanced", "philips-enhanced"}


def test_a_real_cohorts_table_and_masks_are_left_alone(tmp_path: Path) -> None:
    recipe = Recipe(1, "ge", ScanSettings(slices=1))
    (tmp_path / "truth.csv").write_text("exam,biopsy\nreal-1,F4\n")
    with pytest.raises(OutputError, match="did not simulate"):
        simulate_cohort(1, recipe, tmp_path)
    assert (tmp_path / "truth.csv").read_text() == "exam,biopsy\nreal-1,F4\n"
    (tmp_path / "truth.csv").unlink()
    own = tmp_path / "masks" / "patient-0001" / "liver.nii.gz"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"did not write \(liver\.nii\.gz\)"):
        simulate_cohort(1, recipe, tmp_path)
    assert own.read_bytes() == b"mine"


def test_wrong_numbers_are_refused_before_any_work(tmp_path: Path) -> None:
    for patients, repeats, jobs in ((0, 0, 1), (1, -1, 1), (1, 0, 0)):
        with pytest.raises(SettingsError, match="at least one patient"):
            simulate_cohort(patients, RECIPE, tmp_path / "out", repeats=repeats, jobs=jobs)
    with pytest.raises(SettingsError, match="from 0 on, not -1"):
        Recipe(-1)
    with pytest.raises(SettingsError, match="--vendor must be one of ge, siemens"):
        Recipe(1, "canon")  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_the_recipe_that_is_kept_tells_every_setting(cohort: Path) -> None:
    kept = json.loads((cohort / "masks" / NAMES[0] / "truth.json").read_text(encoding="utf-8"))
    assert kept["recipe"]["scan"]["matrix"] == 64 and kept["recipe"]["seed"] == 7
    assert kept["row"]["exam"] == NAMES[0] == Task(RECIPE, 1, 0, cohort).name

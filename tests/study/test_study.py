"""A whole study on phantoms with small networks: trained, read, written up, made again, gone on with after a kill."""

import csv
import hashlib
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the [train] extra is not installed")

from livermre.exam.errors import InputError, SettingsError  # noqa: E402
from livermre.segment import load_segmenter  # noqa: E402
from livermre.study import experiment  # noqa: E402
from livermre.study.experiment import StudyRequest, do_study  # noqa: E402
from livermre.study.record import read_record  # noqa: E402
from livermre.study.settings import StudySettings  # noqa: E402
from livermre.study.writing.checklists import NAMES, load_checklist  # noqa: E402
from livermre.study.writing.write import write_report  # noqa: E402
from livermre.train import loop  # noqa: E402
from livermre.train.classes import CLASSES  # noqa: E402
from livermre.train.network import UNet  # noqa: E402
from study.killed import SETTINGS as SHORT  # noqa: E402
from study.killed import __file__ as KILLED  # noqa: E402
from study.phantoms import Phantom, exam_of, many, write_cohort  # noqa: E402

SETTINGS = StudySettings(
    seeds=(1,), size=32, images=480, batch=8, peak_rate=3e-2, ema=0.8, validate_every=20, threads=1, zero_shot=False,
    draws=200, weights="fp32",
)  # fmt: skip


def silent(text: str, done: int, total: int) -> None:
    """Nobody listens."""


@pytest.fixture(scope="module", autouse=True)
def narrow() -> Iterator[None]:
    """Both networks as a small U-Net: what is tested is everything around them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "build", lambda name: UNet(3, len(CLASSES), width=4))
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cohort(tmp_path_factory.mktemp("data") / "phantoms", [*many(24), Phantom("off", "off", waves=False)])


@pytest.fixture(scope="module")
def study(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("study") / "out"
    do_study(StudyRequest(data, out, SETTINGS), silent)
    write_report(out, silent)
    return out


def exams_tested(study: Path) -> list[str]:
    with (study / "split.csv").open(newline="") as file:
        return [row["exam"] for row in csv.DictReader(file) if row["subset"] == "test"]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_reported_dice_is_that_of_the_written_masks(study: Path, data: Path) -> None:
    results = json.loads((study / "results.json").read_text())
    for network, arm in results["stands_for"].items():
        dice = []
        for exam in exams_tested(study):
            found = np.asarray(nib.load(study / "runs" / arm / "predictions" / exam / "liver.nii.gz").dataobj) > 0
            true = np.asarray(nib.load(data / "masks" / exam / "liver.nii.gz").dataobj) > 0
            dice.append(2 * (found & true).sum() / (found.sum() + true.sum()))
        mean = results["analyses"][network]["segmentation"]["exam"]["Dice"]["mean"]
        assert mean["estimate"] == pytest.approx(np.mean(dice))
        if len(set(dice)) > 1:
            assert mean["low"] <= mean["estimate"] <= mean["high"]
        else:
            assert "every resample gives the same value" in mean["reason"]


def test_stiffness_is_measured_in_the_outline_on_the_same_map(study: Path) -> None:
    arm = json.loads((study / "results.json").read_text())["stands_for"]["unet"]
    with (study / "runs" / arm / "predictions" / "measurements.csv").open(newline="") as file:
        rows = {row["exam"]: row for row in csv.DictReader(file)}
    assert len(rows) == 25
    assert rows["off"]["stiffness_kpa"] == ""
    assert "no_waves" in rows["off"]["flags"]
    for exam in exams_tested(study):
        reading = json.loads((study / "runs" / arm / "readings" / f"{exam}.json").read_text())
        assert rows[exam]["stiffness_kpa"] == ("" if reading["kpa"] is None else repr(reading["kpa"]))


def test_all_exams_are_in_the_flow(study: Path) -> None:
    flow = json.loads((study / "flow.json").read_text())
    assert flow["identified"]["exams"] == flow["included"]["exams"] == 25
    assert sum(s["exams"] for s in flow["subsets"]) == 25
    assert {sum(o.values()) for o in flow["outcomes"].values()} == {len(exams_tested(study))}


def test_the_page_is_whole_and_calls_nobody(study: Path) -> None:
    page = (study / "study.html").read_text(encoding="utf-8")
    assert not re.search(r"""(src|href)=["'](?!#|data:)""", page)
    assert "<script" not in page
    keys = re.findall(r'<section id="([\w-]+)">', page)
    assert re.findall(r'<a href="#([\w-]+)">', page) == keys
    assert "0.952" in page
    assert "Holm" in page
    assert "Simulated patients are not patients" not in page  # phantoms come without truth.json: not called simulated
    assert (study / "study.pdf").read_bytes().startswith(b"%PDF")
    figures = {p.stem for p in (study / "figures").glob("*.svg")}
    assert {"flow", "learning-curves", "dice", "overlays-unet", "risk-coverage", "bland-altman-unet"} <= figures
    for table in (study / "tables").glob("*.csv"):
        assert table.with_suffix(".tex").is_file()
    for name in ("summary", "methods", "model-card", "data-card", "CLAIM-2024", "STARD-2015"):
        assert (study / f"{name}.md").stat().st_size > 100


def test_every_item_of_the_checklists_points_at_a_section(study: Path) -> None:
    keys = set(re.findall(r'<section id="([\w-]+)">', (study / "study.html").read_text(encoding="utf-8")))
    numbers = {name: [i.number for i in load_checklist(name).items] for name in NAMES}
    assert numbers["claim2024"] == [str(i) for i in range(1, 45)]
    assert {n.rstrip("ab") for n in numbers["stard2015"]} == {str(i) for i in range(1, 31)}
    for name in NAMES:
        for item in load_checklist(name).items:
            assert set(item.sections) <= keys, item
            assert item.sections or item.authors, item


def test_the_report_is_made_again_byte_for_byte(study: Path) -> None:
    names = ["study.html", "study.pdf", "results.json", "flow.json", "tables/agreement.csv"]
    before = {n: digest(study / n) for n in names}
    write_report(study, silent)
    assert {n: digest(study / n) for n in names} == before


def test_the_weights_are_usable_by_analyze(study: Path) -> None:
    model = study / "runs" / "unet-seed1" / "livermre-study.onnx"
    liver = load_segmenter(model, "cpu").segment(exam_of(many(1)[0])).liver
    kept = np.asarray(nib.load(study / "runs" / "unet-seed1" / "predictions" / "exam-00" / "liver.nii.gz").dataobj)
    assert liver.sum() == kept.sum()
    assert not list((study / "runs").rglob("*.pt"))  # half a gigabyte a run that nobody needs any more


def test_tensorboard_finds_the_curves(study: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = study / "runs" / "unet-seed1"
    found = EventAccumulator(str(run / "curves"))
    found.Reload()
    logged = [json.loads(line)["loss"] for line in (run / "log.jsonl").read_text().splitlines()]
    assert [e.value for e in found.Scalars("train/loss")] == pytest.approx(logged)
    validated = json.loads((run / "selection.json").read_text())
    assert [e.value for e in found.Scalars("validation/dice")] == pytest.approx([v["score"] for v in validated])
    assert [e.step + 1 for e in found.Scalars("validation/dice")] == [v["step"] for v in validated]


def test_a_finished_study_does_nothing_again(study: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("an exam was read or a network trained again")

    monkeypatch.setattr(experiment, "load", never)
    monkeypatch.setattr(loop.Trainer, "train_step", never)
    do_study(StudyRequest(data, study, SETTINGS), silent)


def test_other_settings_or_exams_are_not_mixed_in(study: Path, data: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"another images \(480 there, 640 now\)"):
        do_study(StudyRequest(data, study, replace(SETTINGS, images=640)), silent)
    do_study(StudyRequest(data, study, replace(SETTINGS, threads=None)), silent)  # the machine's business
    other = write_cohort(tmp_path / "phantoms", many(5))
    with pytest.raises(SettingsError, match="other exams than when this study began"):
        do_study(StudyRequest(other, study, SETTINGS), silent)
    assert read_record(study).settings == SETTINGS


def test_a_kill_leaves_no_mark(data: Path, tmp_path: Path) -> None:
    """Killed outright while the cohort is read, in the middle of training, and while exams are scored."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    do_study(StudyRequest(data, whole, SHORT), silent)
    write_report(whole, silent)
    for word, count in (("^reading", 9), ("loss", 5), (": reading", 3)):
        command = [sys.executable, KILLED, str(data), str(killed), word, str(count)]
        assert subprocess.run(command, check=False, timeout=300).returncode == -signal.SIGKILL
        with pytest.raises(InputError, match=r"not finished|missing or damaged|before its cohort was read"):
            write_report(killed, silent)
    do_study(StudyRequest(data, killed, SHORT), silent)
    write_report(killed, silent)
    run = "runs/unet-seed1"
    same = [f"{run}/livermre-study.onnx", f"{run}/selection.json", f"{run}/predictions/measurements.csv"]
    for name in (*same, "results.json", "study.html", "study.pdf", "split.csv", "cohort.json"):
        assert digest(whole / name) == digest(killed / name), name
    assert not [p for p in killed.rglob("*") if p.name.endswith((".part", ".pt"))]


def test_two_processes_of_torchrun_do_one_study(tmp_path: Path) -> None:
    """Both train, one writes: a line a step, and the weights of one process alone, to rounding."""
    data = write_cohort(tmp_path / "six", many(6))
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    made = subprocess.run(
        [*launch, KILLED, str(data), str(tmp_path / "two"), "never", "0"], capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr[-3000:]
    do_study(StudyRequest(data, tmp_path / "one", SHORT), silent)
    logs, scores = [], []
    for out in (tmp_path / "one", tmp_path / "two"):
        run = out / "runs" / "unet-seed1"
        logs.append([json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()])
        scores.append([v["score"] for v in json.loads((run / "selection.json").read_text())])
        assert len(list((run / "predictions").glob("*/liver.nii.gz"))) == 6
    assert [line["step"] for line in logs[1]] == list(range(8))
    assert [line["loss"] for line in logs[1]] == pytest.approx([line["loss"] for line in logs[0]], rel=1e-3)
    assert scores[1] == pytest.approx(scores[0], abs=0.02)


def test_the_weights_that_training_began_with_are_read_as_they_are(study: Path, tmp_path: Path) -> None:
    start = study / "runs" / "unet-seed1" / "livermre-study.onnx"
    data, out = write_cohort(tmp_path / "six", many(6)), tmp_path / "o"
    settings = replace(SHORT, folds=2, images=16, zero_shot=True)
    do_study(StudyRequest(data, out, settings, {"unet": start}), silent)
    write_report(out, silent)
    results = json.loads((out / "results.json").read_text())
    assert list(results["analyses"]) == ["unet", "unet-zero-shot", "shipped"]
    assert {a["exams"] for a in results["analyses"].values()} == {6}
    outline = load_segmenter(start, "cpu").segment(exam_of(many(1)[0])).liver
    kept = out / "runs" / "unet-zero-shot" / "predictions" / "exam-00" / "liver.nii.gz"
    found = np.asarray(nib.load(kept).dataobj).transpose(2, 1, 0)[:, ::-1, ::-1] > 0  # RAS+ to our order
    assert 2 * (found & outline).sum() / (found.sum() + outline.sum()) > 0.99  # unfolded and folded again: rounding
    assert "as they were" in (out / "methods.md").read_text()


def test_folds_test_every_exam_once(data: Path, tmp_path: Path) -> None:
    settings = replace(SETTINGS, networks=("unet",), folds=2, images=16, validate_every=2)
    do_study(StudyRequest(data, tmp_path / "o", settings), silent)
    write_report(tmp_path / "o", silent)
    results = json.loads((tmp_path / "o" / "results.json").read_text())
    assert results["analyses"]["unet"]["exams"] == 25
    assert results["analyses"]["unet"]["trust"]["failures"]["exams"] == 25
    assert results["comparison"] is None


def test_a_folder_without_a_study(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no study \(study.json is missing\)"):
        write_report(tmp_path, silent)

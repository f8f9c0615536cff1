"""`livermre study` at the door: what is wrong is said before any work, and looking needs no torch."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from apps.conftest import Ran
from livermre.study import experiment
from study.phantoms import many, write_cohort

Livermre = Callable[..., Ran]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cohort(tmp_path_factory.mktemp("data") / "cohort", many(5))


def test_a_cohort_that_fits(livermre: Livermre, cohort: Path, tmp_path: Path) -> None:
    ran = livermre("study", cohort, "--out", tmp_path, "--check")
    assert ran.status == 0
    assert "5 of 5 exams fit, of 5 patients" in ran.out
    assert "stage: F0 1, F1 1, F2 1, F3 1, F4 1" in ran.out
    assert json.loads((tmp_path / "check.json").read_text())["usable"] is True
    assert not (tmp_path / "runs").exists()


def test_exams_left_out_are_status_4_and_named(livermre: Livermre, cohort: Path, tmp_path: Path) -> None:
    data = shutil.copytree(cohort, tmp_path / "copy")
    shutil.rmtree(data / "masks" / "exam-03")
    ran = livermre("study", data, "--out", tmp_path / "out", "--check")
    assert ran.status == 4
    assert "4 of 5 exams fit" in ran.out
    assert "exam-03: there is no reference mask of this name" in ran.out


def test_a_cohort_that_forbids_a_study_is_status_3(livermre: Livermre, cohort: Path, tmp_path: Path) -> None:
    data = shutil.copytree(cohort, tmp_path / "copy")
    shutil.rmtree(data / "masks")
    assert livermre("study", data, "--out", tmp_path / "out", "--check").status == 3
    assert json.loads((tmp_path / "out" / "check.json").read_text())["usable"] is False


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--check",), "give DATA"),
        ((), "give DATA"),
        (("nowhere", "--check"), "there is no folder"),
        (("DATA", "--check", "--size", "100"), "multiple of 32, found 100"),
        (("DATA", "--check", "--folds", "1"), "2 or more folds"),
        (("DATA", "--check", "--table", "mine"), "no cut-off table is called 'mine'"),
        (("DATA", "--check", "--seeds", "1", "1"), "different seeds"),
        (("DATA", "--from", "resnet=x.pt"), "--from takes NETWORK=WEIGHTS with one of unet"),
        (("DATA", "--from", "unet=x.pt"), "there is no file x.pt"),
    ],
)
def test_wrong_usage_is_one_sentence(
    livermre: Livermre, cohort: Path, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    given = [str(cohort) if a == "DATA" else a for a in arguments]
    ran = livermre("study", *given, "--out", tmp_path / "out")
    assert ran.status == 2
    assert words in ran.err
    assert "Traceback" not in ran.err


def test_a_report_of_no_study(livermre: Livermre, tmp_path: Path) -> None:
    ran = livermre("study", "--out", tmp_path, "--report-only")
    assert ran.status == 3
    assert "holds no study" in ran.err


def test_looking_and_evaluating_need_no_torch(cohort: Path, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from livermre.apps.cli import main\n"
        f"assert main(['study', {str(cohort)!r}, '--out', {str(tmp_path / 'a')!r}, '--check']) == 0\n"
        f"assert main(['evaluate', {str(cohort / 'masks')!r}, {str(cohort)!r}, '--out', {str(tmp_path / 'b')!r}, "
        "'--draws', '100']) == 0\n"
        "loaded = {'torch', 'segmentation_models_pytorch', 'onnx', 'openvino'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_training_without_torch_says_what_to_install(
    livermre: Livermre, cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(experiment, "find_spec", lambda name: None)
    ran = livermre("study", cohort, "--out", tmp_path / "out")
    assert ran.status == 2
    assert "pip install 'livermre[train]'" in ran.err
    assert not (tmp_path / "out" / "study.json").exists()

"""Exams on disk in a vendor's way, a segmenter that needs no network, and the command line called as a person would."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from dicom.makers import ge_product
from dicom.phantom import phantom
from livermre import given, network, pipeline
from livermre.apps.cli import main
from livermre.exam.types import Exam, LiverMask, ModelCard


@dataclass(frozen=True)
class Ran:
    """What a command left: exit status, standard output, standard error."""

    status: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """The only line on standard error; a traceback or a second sentence fails the test."""
        lines = self.err.strip().splitlines()
        assert len(lines) == 1, self.err
        assert "Traceback" not in self.err
        return lines[0]


@pytest.fixture
def livermre(capsys: pytest.CaptureFixture) -> Callable[..., Ran]:
    """Run a command in this process."""

    def run(*arguments: object) -> Ran:
        capsys.readouterr()
        try:
            status = main([str(a) for a in arguments])
        except SystemExit as end:
            status = int(end.code or 0)
        said = capsys.readouterr()
        return Ran(status, said.out, said.err)

    return run


CARD = ModelCard("whole-body", "1", "0" * 64)


class _WholeBody:
    """Calls the middle of every image liver: enough for tests of the house, quick, and without weights."""

    def segment(self, exam: Exam) -> LiverMask:
        mask = exam.magnitude > 100
        return LiverMask(mask.astype(np.float32), mask, CARD)


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "begin_loading", lambda model, device: None)
    monkeypatch.setattr(pipeline, "segmenter", lambda model, device: _WholeBody())
    monkeypatch.setattr(pipeline, "model_card", lambda model: CARD)
    monkeypatch.setattr(given, "model_card", lambda model: CARD)


@pytest.fixture(scope="session")
def ge_exam(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small exam as GE's product sequence writes it; read it, never change it."""
    return ge_product(phantom(slices=3, rows=60, columns=60)).write(tmp_path_factory.mktemp("exams") / "ge")


@pytest.fixture(scope="session")
def other_exam(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second exam with other pixels."""
    return ge_product(phantom(slices=2, rows=60, columns=60, seed=8)).write(tmp_path_factory.mktemp("exams") / "other")


@pytest.fixture(scope="session")
def gap_exam(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An exam whose second of four slices is missing."""
    whole = phantom(slices=4, rows=60, columns=60)
    writer, gone = ge_product(whole), float(whole.origins_mm[1][2])
    writer.files = [ds for ds in writer.files if abs(float(ds.ImagePositionPatient[2]) - gone) > 1]
    return writer.write(tmp_path_factory.mktemp("exams") / "gap")

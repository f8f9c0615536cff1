"""One simulated oblique study and the folder that it lies in."""

from pathlib import Path

import pytest

from dicom.objects import cases
from dicom.write.exams import exam, oblique
from livermre.exam.study import Study


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exam")


@pytest.fixture(scope="module")
def study(folder: Path) -> Study:
    return cases.simulated(exam(vectors=oblique()), folder)

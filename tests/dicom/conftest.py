"""Where the real data lies beside the checkout, and exams that several tests damage."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dicom.makers import Writer, ge_product
from dicom.phantom import phantom

DATA = Path(__file__).parents[3] / "shared" / "data"


def folder_of(name: str) -> Path:
    folder = DATA / name
    if not folder.is_dir():
        pytest.skip(f"shared/data/{name} is not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def ge_exam() -> Path:
    return folder_of("ge-mrtouch")


@pytest.fixture(scope="session")
def siemens_brain() -> Path:
    return folder_of("siemens-brain-mre")


@pytest.fixture(scope="session")
def conformance() -> Path:
    return folder_of("dicom-conformance")


@pytest.fixture
def ge_writer() -> Writer:
    return ge_product(phantom())


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Writer], Path]:
    return lambda writer: writer.write(tmp_path / "exam")

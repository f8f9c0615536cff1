"""Cohorts on disk: read them, never change them."""

from pathlib import Path

import pytest

from study.phantoms import many, write_cohort


@pytest.fixture(scope="session")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten phantoms of ten patients."""
    return write_cohort(tmp_path_factory.mktemp("study") / "cohort", many())

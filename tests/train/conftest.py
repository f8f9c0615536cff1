"""A small bank of shapes for the training tests; the whole folder needs the [train] extra."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the [train] extra is not installed")

from livermre.simulate.anatomy import make_anatomy, random_plan  # noqa: E402
from livermre.train.bank import BankVolume, bank_volume  # noqa: E402


@pytest.fixture(scope="session")
def bank() -> list[BankVolume]:
    """Two parametric bodies on a coarse grid."""
    volumes = []
    for seed in (3, 4):
        rng = np.random.default_rng(seed)
        anatomy = make_anatomy(random_plan(rng), rng, spacing_mm=(6.0, 5.0, 5.0))
        volumes.append(bank_volume(anatomy.labels, anatomy.spacing_mm))
    return volumes

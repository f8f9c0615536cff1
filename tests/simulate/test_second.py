"""The second generator: other bodies, grid and priors, the same physics."""

import numpy as np
import pytest

from livermre.simulate.patient import Patient
from livermre.simulate.scan import ScanSettings, scan, simulate_patient
from livermre.simulate.second import GRID_MM, STIFFNESS_KPA, bent, second_patient, second_settings
from livermre.simulate.tissue import Tissue as T
from livermre.simulate.waves import Medium, WaveSolver
from simulate.bodies import plain_body

SMALL = ScanSettings(slices=2, matrix=64, readers=0)


def volume_ml(labels: np.ndarray, spacing_mm: tuple[float, ...], tissue: T) -> float:
    return float((labels == tissue).sum() * np.prod(spacing_mm) / 1000)


def test_a_bent_body_is_the_same_body_at_another_size() -> None:
    # catches: spacing or stretch applied upside down, slices cut off at the liver, axes mixed up
    body = plain_body()
    made = bent(body, 4.0, np.random.default_rng(1))
    assert set(np.unique(made)) == set(np.unique(body.labels))
    change = volume_ml(made, (5, 4, 4), T.LIVER) / volume_ml(body.labels, body.spacing_mm, T.LIVER)
    assert 0.7 < change < 1.4  # three stretches of at most 10 %
    middle = np.argwhere(made == T.LIVER).mean(axis=0)
    assert middle[2] < made.shape[2] / 2 and not (made[0] == T.LIVER).any() and not (made[-1] == T.LIVER).any()
    assert not np.array_equal(made, bent(body, 4.0, np.random.default_rng(2)))
    assert np.array_equal(made, bent(body, 4.0, np.random.default_rng(1)))


def test_a_body_without_liver_is_refused() -> None:
    body = plain_body()
    with pytest.raises(ValueError, match="has no liver"):
        bent(type(body)("empty", np.where(body.labels == T.LIVER, T.MUSCLE, body.labels), (5, 5, 5)), 4.0, _rng())


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("kpa", [1.5, 3.0, 8.0])
def test_its_coarse_grid_keeps_the_wave_within_one_percent(kpa: float) -> None:
    # exact: a strip shaken at one end and free at the other, u ~ cos(k(L - x)); the strength of the push is free
    step, count = GRID_MM * 1e-3, 40
    modulus = kpa * np.exp(1j * np.arctan(0.4))
    solver = WaveSolver(Medium(np.full((3, count), modulus), np.ones((3, count)), GRID_MM), 60.0)
    load = np.zeros(solver.shape, complex)
    load[:, 0] = np.array([0.5, 1, 1, 0.5])
    found = solver.solve(load)[1]
    k = 2 * np.pi * 60 / np.sqrt(modulus)
    x, length = np.arange(count + 1) * step, count * step
    exact = np.cos(k * (length - x))
    exact *= np.vdot(exact, found) / np.vdot(exact, exact)
    assert np.linalg.norm(found - exact) < 0.01 * np.linalg.norm(exact)


def test_everything_follows_from_the_seed_and_differs_from_the_first() -> None:
    body = plain_body()
    one, same = (scan(second_patient(5, [body], stage="F2", vendor="GE"), settings=SMALL) for _ in range(2))
    assert np.array_equal(one.exam.slices[0].phase_rad, same.exam.slices[0].phase_rad)
    patient = second_patient(5, [body], stage="F2", vendor="GE")
    first = simulate_patient(5, stage="F2", vendor="GE")
    assert patient.grid_mm == GRID_MM != first.grid_mm
    assert patient.tissue_kpa[T.MUSCLE] != first.tissue_kpa[T.MUSCLE]
    assert STIFFNESS_KPA["F2"][0] <= patient.stiffness_kpa <= STIFFNESS_KPA["F2"][1]


def test_its_truth_is_the_stiffness_of_its_liver() -> None:
    # catches: the first generator's grain or grid used for the maps of the second
    patient = second_patient(9, [plain_body()], stage="F3", vendor="Philips")
    made = scan(patient, settings=SMALL)
    change = float(made.truth.parameters["change"])
    assert made.truth.liver_kpa == pytest.approx(patient.stiffness_kpa * change, rel=0.12)  # grain of 10 % and 5 %
    inside = made.stiffness_true_kpa[made.parenchyma]
    assert 0.05 < inside.std() / inside.mean() < 0.2
    width = (made.labels[0] > 0).any(axis=0).sum() * made.exam.spacing_mm[1]
    assert 270 < width < 390  # the trunk of 330 mm, stretched by up to 10 %


def test_its_visits_are_drawn_wider() -> None:
    drawn = [second_settings(s, SMALL) for s in range(200)]
    assert max(d.theta0_rad for d in drawn) > 0.3  # the first generator stops there
    assert np.mean([d.bulk_ratio for d in drawn]) == pytest.approx(2.75, abs=0.15)
    assert all(64 <= d.lines <= 100 and d.matrix == SMALL.matrix for d in drawn)


def test_the_first_generator_keeps_its_grid() -> None:
    assert Patient.__dataclass_fields__["grid_mm"].default == 2.25

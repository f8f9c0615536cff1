"""Tests of the parametric anatomy: sizes, places and rules that a body must keep."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from livermre.simulate.anatomy import Anatomy, BodyPlan, Resection, make_anatomy, random_plan
from livermre.simulate.tissue import LIVER_TISSUES, Tissue

SEEDS = range(6)
GUT = (Tissue.SMALL_BOWEL, Tissue.COLON)


def body(seed: int) -> Anatomy:
    rng = np.random.default_rng(seed)
    return make_anatomy(random_plan(rng), rng)


def planned(plan: BodyPlan, seed: int) -> Anatomy:
    """A coarse body: a fifth of the voxels shows the same rules."""
    return make_anatomy(plan, np.random.default_rng(seed), (5.0, 4.0, 4.0))


@pytest.fixture(scope="module")
def bodies() -> dict[int, Anatomy]:
    return {seed: body(seed) for seed in SEEDS}


def millilitres(anatomy: Anatomy, *tissues: Tissue) -> float:
    return float(np.isin(anatomy.labels, tissues).sum() * np.prod(anatomy.spacing_mm) / 1000)


def liver(anatomy: Anatomy) -> np.ndarray:
    return np.isin(anatomy.labels, LIVER_TISSUES)


def test_same_seed_same_bytes(bodies: dict[int, Anatomy]) -> None:
    assert body(3).labels.tobytes() == bodies[3].labels.tobytes()


def test_other_seed_other_body(bodies: dict[int, Anatomy]) -> None:
    assert bodies[0].labels.tobytes() != bodies[1].labels.tobytes()


def test_two_plans_of_one_generator_differ() -> None:
    rng = np.random.default_rng(0)
    assert random_plan(rng) != random_plan(rng)


@pytest.mark.parametrize("seed", SEEDS)
def test_organ_volumes(bodies: dict[int, Anatomy], seed: int) -> None:
    anatomy = bodies[seed]
    assert 600 < millilitres(anatomy, *LIVER_TISSUES) < 3100
    assert 80 < millilitres(anatomy, Tissue.SPLEEN) < 1200
    assert 85 < millilitres(anatomy, Tissue.KIDNEY_RIGHT) < 230
    assert 85 < millilitres(anatomy, Tissue.KIDNEY_LEFT) < 230
    assert millilitres(anatomy, Tissue.LIVER_VESSEL) > 5
    assert 60 < millilitres(anatomy, Tissue.STOMACH) < 1100


def test_average_plan_gives_the_planned_volumes() -> None:
    anatomy = planned(BodyPlan(), 0)
    assert millilitres(anatomy, *LIVER_TISSUES) == pytest.approx(1500, rel=0.1)
    assert millilitres(anatomy, Tissue.SPLEEN) == pytest.approx(210, rel=0.1)


@pytest.mark.parametrize("seed", SEEDS)
def test_liver_lies_on_the_right_and_spleen_on_the_left(bodies: dict[int, Anatomy], seed: int) -> None:
    labels = bodies[seed].labels
    spine = np.argwhere(labels == Tissue.SPINAL_CANAL)[:, 2].mean()
    assert np.argwhere(liver(bodies[seed]))[:, 2].mean() < spine - 8
    assert np.argwhere(labels == Tissue.SPLEEN)[:, 2].mean() > spine + 12


@pytest.mark.parametrize("seed", SEEDS)
def test_front_is_first_row_and_head_last_slice(bodies: dict[int, Anatomy], seed: int) -> None:
    labels = bodies[seed].labels
    assert np.argwhere(labels == Tissue.STOMACH)[:, 1].mean() < np.argwhere(labels == Tissue.SPINAL_CANAL)[:, 1].mean()
    assert np.argwhere(labels == Tissue.LUNG)[:, 0].mean() > np.argwhere(labels == Tissue.COLON)[:, 0].mean()


@pytest.mark.parametrize("seed", SEEDS)
def test_lower_end_holds_bowel_and_no_liver(bodies: dict[int, Anatomy], seed: int) -> None:
    low = slice(0, int(66 / bodies[seed].spacing_mm[0]))
    assert not liver(bodies[seed])[low].any()
    assert np.isin(bodies[seed].labels[low], GUT).any(axis=(1, 2)).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_upper_end_holds_lung_and_heart_and_no_liver(bodies: dict[int, Anatomy], seed: int) -> None:
    labels = bodies[seed].labels
    assert not liver(bodies[seed])[-6:].any()
    assert (labels[-6:] == Tissue.LUNG).any() and (labels[-6:] == Tissue.HEART).any()


@pytest.mark.parametrize("seed", SEEDS)
def test_liver_is_one_piece(bodies: dict[int, Anatomy], seed: int) -> None:
    mask = liver(bodies[seed])
    parts, _ = ndimage.label(mask)
    assert np.bincount(parts.ravel())[1:].max() > 0.97 * mask.sum()


@pytest.mark.parametrize("seed", SEEDS)
def test_every_label_is_a_tissue(bodies: dict[int, Anatomy], seed: int) -> None:
    assert set(np.unique(bodies[seed].labels)) <= set(map(int, Tissue))


def test_ascites_only_when_planned() -> None:
    plan = BodyPlan()
    dry = planned(plan, 1)
    wet = planned(replace(plan, ascites=0.8), 1)
    assert millilitres(dry, Tissue.ASCITES) == 0
    assert millilitres(wet, Tissue.ASCITES) > 300


def test_cirrhosis_moves_volume_to_the_left() -> None:
    shares = []
    for cirrhosis in (0.0, 1.0):
        anatomy = planned(BodyPlan(cirrhosis=cirrhosis, liver_ml=1300), 2)
        spine = np.argwhere(anatomy.labels == Tissue.SPINAL_CANAL)[:, 2].mean()
        shares.append((np.argwhere(liver(anatomy))[:, 2] > spine - 8).mean())
    assert shares[1] > 1.15 * shares[0]


def liver_beside_spine(plan: BodyPlan) -> tuple[float, float]:
    """Liver (ml) more than 20 mm left of the spine, and more than 75 mm right of it."""
    anatomy = planned(plan, 4)
    aside = (np.argwhere(liver(anatomy))[:, 2] - np.argwhere(anatomy.labels == Tissue.SPINAL_CANAL)[:, 2].mean()) * 4.0
    return float((aside > 20).sum() * 0.08), float((aside < -75).sum() * 0.08)


def test_left_resection_takes_the_left_lobe() -> None:
    assert liver_beside_spine(BodyPlan(left_lobe=80))[0] > 50
    assert liver_beside_spine(BodyPlan(left_lobe=80, resection=Resection.LEFT, liver_ml=1200))[0] < 5


def test_right_resection_takes_the_far_right() -> None:
    whole, rest = (
        liver_beside_spine(BodyPlan())[1],
        liver_beside_spine(BodyPlan(resection=Resection.RIGHT, liver_ml=800))[1],
    )
    assert rest < 0.25 * whole


def test_gallbladder_lesions_and_arms_follow_the_plan() -> None:
    without = planned(BodyPlan(gallbladder=0), 5)
    full = planned(BodyPlan(lesions=4, arms=(40, 42)), 5)
    assert millilitres(without, Tissue.GALLBLADDER, Tissue.LIVER_LESION, Tissue.ARM) == 0
    assert min(millilitres(full, tissue) for tissue in (Tissue.GALLBLADDER, Tissue.LIVER_LESION, Tissue.ARM)) > 1


def test_arm_touches_no_trunk() -> None:
    labels = planned(BodyPlan(arms=(40, 42)), 5).labels
    around = ndimage.binary_dilation(labels == Tissue.ARM)
    assert set(np.unique(labels[around])) == {Tissue.AIR, Tissue.ARM}


def test_long_right_lobe_reaches_lower() -> None:
    lowest = []
    for riedel in (0.0, 55.0):
        anatomy = planned(BodyPlan(riedel=riedel), 6)
        top = np.flatnonzero(liver(anatomy).any(axis=(1, 2)))
        lowest.append((top[-1] - top[0]) * anatomy.spacing_mm[0])
    assert lowest[1] > lowest[0] + 15


def test_coarse_grid_and_own_extent() -> None:
    anatomy = make_anatomy(BodyPlan(), np.random.default_rng(0), (8.0, 5.0, 5.0), (240.0, 300.0, 400.0))
    assert anatomy.labels.shape == (30, 60, 80)
    assert 1100 < millilitres(anatomy, *LIVER_TISSUES) < 1900


def test_labels_are_read_only(bodies: dict[int, Anatomy]) -> None:
    with pytest.raises(ValueError, match="read-only"):
        bodies[0].labels[0, 0, 0] = 1


@pytest.mark.parametrize(
    "labels", [np.zeros((2, 2), np.uint8), np.zeros((2, 2, 2), np.int16), np.full((2, 2, 2), 200, np.uint8)]
)
def test_anatomy_refuses_other_arrays(labels: np.ndarray) -> None:
    with pytest.raises(ValueError):
        Anatomy(labels, (1.0, 1.0, 1.0))


@pytest.mark.parametrize("spacing", [(0.0, 1.0, 1.0), (1.0, 1.0), (1.0, float("nan"), 1.0)])
def test_spacing_must_be_positive(spacing: tuple) -> None:
    with pytest.raises(ValueError):
        Anatomy(np.zeros((2, 2, 2), np.uint8), spacing)
    with pytest.raises(ValueError):
        make_anatomy(BodyPlan(), np.random.default_rng(0), spacing)

"""Three motion components: exact shear and compression in three dimensions, and when their curl is taken."""

from dataclasses import replace

import numpy as np
import pytest

from inversion.sources import wavenumber
from livermre.exam.plane import Plane
from livermre.exam.types import Acquisition, Exam, Slice
from livermre.inversion import Inversion, curl, invert

KPA, SHAPE, SPACING_MM = 3.0, (100, 112), 2.0
OUTWARD = {"R": (0, -1), "L": (0, 1), "A": (1, -1), "P": (1, 1), "I": (2, -1), "S": (2, 1)}


def motion(slices: int, step_mm: float, compression: float) -> np.ndarray:
    """Motion (3, S, R, C) towards left, posterior and head: shear waves of 3 kPa, and a field without rotation.

    Shear: plane waves whose motion is across their direction. Compression: the gradient of plane potentials of 33 mm,
    which no filter can part from shear waves of 29 mm; compression is its size over the shear waves'.
    """
    z, y, x = np.indices((slices, *SHAPE)).astype(float)
    places = np.stack([(x - SHAPE[1] / 2) * SPACING_MM, (y - SHAPE[0] / 2) * SPACING_MM, z * step_mm])
    k = wavenumber(KPA * np.exp(0.05j))
    total = np.zeros((3, slices, *SHAPE), complex)
    for angle, across in ((0.3, (0, 0, 1)), (2.0, (0, 0, 1)), (1.1, (-np.sin(1.1), np.cos(1.1), 0))):
        towards = np.array([np.cos(angle), np.sin(angle), 0])
        total += np.multiply.outer(across, np.exp(-1j * k * np.tensordot(towards, places, 1)))
    rest = np.zeros_like(total)
    for angle in (0.9, 2.6, 4.4):
        q = 2 * np.pi / 33 * np.array([np.cos(angle), np.sin(angle), 0.15])
        rest += np.multiply.outer(q, np.exp(-1j * np.tensordot(q, places, 1)))
    return 0.4 * total / np.abs(total).mean() + 0.4 * compression * rest / np.abs(rest).mean()


def exam(
    slices: int = 3,
    step_mm: float = 3.0,
    compression: float = 2.0,
    directions: tuple[str, ...] = ("L", "P", "S"),
    count: int = 3,
) -> Exam:
    moved = motion(slices, step_mm, compression)
    given = np.stack([OUTWARD[d][1] * moved[OUTWARD[d][0]] for d in directions or "LPS"])[:count]
    y, x = (np.indices(SHAPE) - np.array(SHAPE)[:, None, None] / 2) * SPACING_MM
    body = (y / 85) ** 2 + (x / 95) ** 2 < 1
    turns = np.exp(2j * np.pi * np.arange(4) / 4)[:, None, None]
    rng = np.random.default_rng(0)
    made = []
    for i in range(slices):
        phase = (given[None, :, None, i] * turns).real + 0.02 * rng.normal(size=(1, count, 4, *SHAPE))
        phase = np.where(body, phase, rng.uniform(-np.pi, np.pi, phase.shape))
        plane = Plane(SHAPE, (SPACING_MM, SPACING_MM), (0, 0, step_mm * i), (0, 1, 0), (1, 0, 0), step_mm)
        magnitude = np.where(body, 100.0, 2.0) + rng.uniform(0, 1, SHAPE)
        made.append(Slice(plane, magnitude, phase_rad=np.angle(np.exp(1j * phase))))
    how = Acquisition("simulated", frequency_hz=60.0, dimension="3D", directions=directions)
    return Exam(tuple(made), how, "simulated")


def error(found: Inversion) -> float:
    """Relative error of the mean well inside, of the middle slice."""
    y, x = (np.indices(SHAPE) - np.array(SHAPE)[:, None, None] / 2) * SPACING_MM
    kpa = found.stiffness_kpa[len(found.exam.slices) // 2][np.hypot(y, x) < 50]
    return float(np.nanmean(kpa) / KPA - 1)


def codes(found: Inversion) -> set[str]:
    return {f.code for f in found.exam.flags}


@pytest.mark.parametrize("directions", [("L", "P", "S"), ("S", "R", "A")])
def test_curl_takes_the_compression_that_no_filter_can(directions: tuple[str, ...]) -> None:
    """Whatever the order and the sign of the components; their sum reads what the compression says."""
    joined = invert(exam(directions=directions))
    assert joined.components == "curl" and "components_by_curl" in codes(joined)
    assert abs(error(joined)) < 0.03
    summed = invert(exam(directions=()))
    assert summed.components == "sum" and error(summed) > 0.1


def test_images_that_lie_another_way_give_the_same_curl() -> None:
    """Columns towards the right, rows and columns exchanged: directions are the patient's, so nothing changes."""
    slices = []
    for s in exam(directions=("S", "R", "A")).slices:
        last = (SHAPE[1] - 1) * SPACING_MM
        plane = Plane(SHAPE[::-1], (SPACING_MM,) * 2, (last, 0, s.plane.origin_mm[2]), (-1, 0, 0), (0, 1, 0), 3.0)
        turned = [np.swapaxes(i[..., ::-1], -1, -2) for i in (s.magnitude, s.phase_rad)]
        slices.append(Slice(plane, turned[0], phase_rad=turned[1]))
    given = exam(directions=("S", "R", "A"))
    found, before = invert(replace(given, slices=tuple(slices))), invert(given)
    assert found.components == "curl"
    kpa, other = (np.nanmean(i.stiffness_kpa[1][35:65, 35:65]) for i in (found, before))
    assert kpa == pytest.approx(KPA, rel=0.03) and other == pytest.approx(KPA, rel=0.03)


def test_without_compression_sum_and_curl_agree() -> None:
    joined, summed = (invert(exam(compression=0.0, directions=d)) for d in (("L", "P", "S"), ()))
    assert error(joined) == pytest.approx(0, abs=0.03) and error(summed) == pytest.approx(0, abs=0.03)


def test_a_wrong_axis_or_sign_would_be_seen() -> None:
    """The same motion said to run along other axes: the curl then keeps the compression."""
    wrong = exam(directions=("L", "P", "S"))
    for directions in (("P", "L", "S"), ("R", "P", "S")):
        other = replace(wrong, acquisition=replace(wrong.acquisition, directions=directions))
        assert abs(error(invert(other))) > 0.05


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"slices": 2}, "3 slices"),
        (
            {
                "step_mm": 6.0,
            },
            "too far",
        ),
        ({"directions": ()}, "along which axes"),
        ({"count": 2}, "3 directions"),
    ],
)
def test_what_forbids_the_curl_is_said(change: dict, reason: str) -> None:
    found = invert(exam(**change))
    told = [f.message for f in found.exam.flags if f.code == "components_summed"]
    assert found.components == "sum" and len(told) == 1 and reason in told[0]


def test_uneven_slices_are_not_a_stack() -> None:
    whole = exam(slices=4)
    found = invert(replace(whole, slices=(*whole.slices[:2], whole.slices[3])))
    assert found.components == "sum"
    assert any("evenly spaced" in f.message for f in found.exam.flags if f.code == "components_summed")


def test_one_component_says_nothing_of_components() -> None:
    found = invert(exam(slices=1, count=1))
    assert found.components == "one" and not {"components_summed", "components_by_curl"} & codes(found)


def test_curl_keeps_the_amplitude_of_a_wave_in_the_middle_of_the_band() -> None:
    """Written as rad: the curl times the wavelength over 2 pi, so pictures of both ways can be compared."""
    middle = np.sqrt(27.0 * 17.5)
    z = np.zeros((3, 3, 40, 200), complex)
    z[2] = 0.7 * np.exp(-2j * np.pi / middle * 1.0 * np.arange(200))
    turned = curl(z, (1.0, 1.0), 3.0) * middle / (2 * np.pi)
    assert np.abs(turned[1, 1, 20, 50:150]).mean() == pytest.approx(0.7, rel=0.02)
    assert np.abs(turned[[0, 2], 1, 20, 50:150]).max() < 1e-6

"""Whole simulated exams: exact waves with known modulus, bulk motion of three times their size, noise."""

from dataclasses import replace

import numpy as np
import pytest

from inversion.sources import SHAPE, bulk, exam_of, inner, shaken
from livermre.exam.errors import InputError, SettingsError
from livermre.exam.flags import Severity
from livermre.exam.types import Exam
from livermre.inversion import InversionSettings, foreground, invert
from livermre.inversion.maps import _finish


def made(kpa: float, seed: int, ratio: float = 3.0, noise: float = 0.05, **more) -> Exam:
    rng = np.random.default_rng(seed)
    wave = shaken(kpa * np.exp(1j * np.arctan(0.3)), rng) + bulk(rng, 0.5 * ratio)
    return exam_of(wave, rng, noise, **more)


def codes(exam: Exam) -> set[str]:
    return {f.code for f in exam.flags}


@pytest.mark.parametrize(
    ("kpa", "limit"), [(1.5, 0.03), (2.0, 0.03), (3.0, 0.03), (4.0, 0.03), (6.0, 0.03), (8.0, 0.06)]
)
def test_stiffness_with_bulk_three_times_the_shear(kpa: float, limit: float) -> None:
    means = []
    for seed in (1, 2, 3):
        found = invert(made(kpa, seed))
        use = inner() & (found.exam.slices[0].confidence >= 0.95)
        assert use.sum() > 0.5 * inner().sum()
        means.append(found.stiffness_kpa[0][use].mean())
    assert np.mean(means) == pytest.approx(kpa, rel=limit)  # the limits
    assert np.std(means) < 0.05 * kpa


def test_modulus_has_the_loss_whatever_way_time_runs() -> None:
    # bulk of three times the shear steps by more than pi between offsets here, which unwrapping cannot yet align
    exam = made(3.0, 4, ratio=2.0, noise=0.0)
    backwards = replace(exam, slices=tuple(replace(s, phase_rad=s.phase_rad[:, :, ::-1]) for s in exam.slices))
    for e in (exam, backwards):
        modulus = invert(e).modulus_kpa[0][inner()]
        assert np.median(modulus.imag / modulus.real) == pytest.approx(0.3, abs=0.05)


@pytest.mark.parametrize("offsets", [3, 6, 8])
def test_other_numbers_of_offsets(offsets: int) -> None:
    found = invert(made(2.5, 5, offsets=offsets))
    assert np.median(found.stiffness_kpa[0][inner()]) == pytest.approx(2.5, rel=0.05)
    assert found.exam.slices[0].wave_rad.shape == (1, 1, offsets, *SHAPE)
    assert (found.slices[0].harmonic_share is None) == (offsets == 3)


def test_wave_that_is_written_gives_the_same_map() -> None:
    """Our filtered wave, read again as a vendor's wave, gives nearly the same stiffness."""
    first = invert(made(2.0, 6))
    again = invert(first.exam, start="wave")
    use = inner()
    assert np.median(again.stiffness_kpa[0][use] / first.stiffness_kpa[0][use]) == pytest.approx(1, abs=0.03)


def test_several_frequencies_and_components_share_one_modulus() -> None:
    rng = np.random.default_rng(7)
    waves = np.stack([[shaken(3.0 * (60 / f) ** 2, rng), shaken(3.0 * (60 / f) ** 2, rng)] for f in (50, 60)])
    exam = exam_of(waves, rng, 0.03, frequency_hz=None)
    found = invert(exam, InversionSettings(frequencies_hz=(50.0, 60.0)))
    # a wave of 3 kPa at 60 Hz is as long as one of 3 (60/50)^2 at 50 Hz read at 60: one medium
    assert np.median(found.stiffness_kpa[0][inner()]) == pytest.approx(3.0, rel=0.04)
    with pytest.raises(InputError, match=r"2 frequencies but 1 were given"):
        invert(exam, InversionSettings(frequencies_hz=(60.0,)))


@pytest.mark.parametrize(("method", "limit"), [("aide", 0.1), ("lfe", 0.12), ("gradient", 0.25)])
def test_methods_to_compare_with_say_what_they_give(method: str, limit: float) -> None:
    exam = made(3.0, 8, ratio=0.0, noise=0.0)
    found = invert(exam, InversionSettings(method=method))
    truth = 3.0 if method == "aide" else 3.0 / np.cos(np.arctan(0.3) / 2) ** 2
    assert found.quantity == ("|G*|" if method == "aide" else "rho c^2")
    assert (found.modulus_kpa is None) == (method != "aide")
    assert np.median(found.stiffness_kpa[0][inner()]) == pytest.approx(truth, rel=limit)


def test_outside_the_body_there_is_no_value() -> None:
    found = invert(made(3.0, 9))
    s = found.exam.slices[0]
    outside = s.magnitude < 50
    assert np.isnan(s.stiffness_kpa[outside]).all() and not s.confidence[outside].any()
    assert found.exam.stiffness_source == "livermre" and "stiffness_by_livermre" in codes(found.exam)
    assert found.slices[0].bulk_ratio > 1.5 and found.slices[0].harmonic_share > 0.95


def test_same_exam_same_bytes() -> None:
    exam = made(3.0, 10)
    a, b = invert(exam), invert(exam)
    assert a.stiffness_kpa.tobytes() == b.stiffness_kpa.tobytes()


def test_noise_gives_no_confident_area_and_a_blocking_flag() -> None:
    rng = np.random.default_rng(11)
    exam = exam_of(np.zeros(SHAPE), rng, noise_rad=100.0, slices=2)
    found = invert(exam)
    assert max(q.confident_share for q in found.slices) < 0.005
    blocking = [f for f in found.exam.flags if f.severity == Severity.BLOCKING]
    assert [f.code for f in blocking] == ["phase_without_waves"]


def edited(exam: Exam, change) -> Exam:
    return replace(exam, slices=tuple(replace(s, phase_rad=change(np.array(s.phase_rad))) for s in exam.slices))


def test_wrong_order_and_a_damaged_offset_leave_nothing_trusted() -> None:
    exam = made(3.0, 12)
    swapped = invert(edited(exam, lambda p: p[:, :, [0, 2, 1, 3]]))
    assert {"phase_not_harmonic", "phase_without_waves"} <= codes(swapped.exam)
    assert not swapped.exam.slices[0].confidence.any()
    # a region drawn by hand does not ask for confidence: there must be no value either
    assert np.isnan(swapped.stiffness_kpa).all() and np.isnan(swapped.modulus_kpa).all()

    def noise(p: np.ndarray) -> np.ndarray:
        p[:, :, 2] = np.random.default_rng(0).uniform(-np.pi, np.pi, SHAPE)
        return p

    damaged = invert(edited(exam, noise))
    assert any("Phase offset 3 of the slice at 0 mm" in f.message for f in damaged.exam.flags)
    assert not damaged.exam.slices[0].confidence.any() and np.isnan(damaged.stiffness_kpa).all()


def test_where_phase_jumps_or_the_fit_is_absurd_there_is_no_value() -> None:
    def jump(p: np.ndarray) -> np.ndarray:
        p[..., 60:100, 40:80] = np.random.default_rng(1).uniform(-np.pi, np.pi, (1, 1, 4, 40, 40))
        return p

    found = invert(edited(made(3.0, 18), jump))
    inside = (0, slice(65, 95), slice(45, 75))
    assert np.isnan(found.stiffness_kpa[inside]).all() and not found.exam.confidence[inside].any()
    maps = _finish(
        np.array([[3.0, 100.1, np.inf]], np.complex64),
        np.ones((1, 3), np.float32),
        np.zeros((1, 1, 1, 3), np.complex64),
        np.ones((1, 3), bool),
        InversionSettings(),
    )
    np.testing.assert_array_equal(maps.stiffness_kpa, [[3.0, np.nan, np.nan]])
    np.testing.assert_array_equal(maps.confidence > 0, [[True, False, False]])
    np.testing.assert_array_equal(np.isfinite(maps.modulus_kpa), [[True, False, False]])


def flat(p: np.ndarray) -> np.ndarray:
    p[:, :, 1] = 0.5
    return p


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: p[:, :, :2], r"slice at 0.0 mm: 2 phase offset\(s\) found; at least 3"),
        (lambda p: np.repeat(p[:, :, :1], 4, axis=2), "all 4 phase offsets are the same image"),
        (lambda p: p[:, :, [0, 1, 1, 3]], "phase offsets 2 and 3 are the same image"),
        (np.degrees, "wrapped phase in rad .* is needed, not degrees"),
        (lambda p: np.abs(p), "the phase has no negative value; magnitude"),
        (flat, "phase offset 2 has the same value everywhere"),
        (lambda p: p * np.nan, "no numbers"),
    ],
)
def test_what_cannot_be_phase_is_refused_in_one_sentence(change, words: str) -> None:
    with pytest.raises(InputError, match=words) as error:
        invert(edited(made(3.0, 13), change))
    assert "\n" not in str(error.value)


def second(exam: Exam, change) -> Exam:
    """Only the second slice is changed."""
    return replace(exam, slices=(exam.slices[0], *edited(replace(exam, slices=exam.slices[1:]), change).slices))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: 0 * p, "slice at 10.0 mm: all 4 phase offsets are the same image"),
        (lambda p: p[:, :, [0, 1, 1, 3]], "slice at 10.0 mm: phase offsets 2 and 3 are the same image"),
        (flat, "slice at 10.0 mm: phase offset 2 has the same value everywhere"),
        (lambda p: p * np.nan, "slice at 10.0 mm: the phase holds values that are no numbers"),
    ],
)
def test_one_slice_that_cannot_be_phase_is_left_out_and_named(change, words: str) -> None:
    exam = made(3.0, 13, slices=2)
    found = invert(second(exam, change))
    told = [f.message for f in found.exam.flags if f.code == "slice_not_inverted"]
    assert len(told) == 1 and words in told[0] and "slices_without_phase" not in codes(found.exam)
    assert found.exam.slices[1].stiffness_kpa is None and found.exam.slices[1].confidence is None
    assert len(found.slices) == 1 and not found.wave[1].any()
    np.testing.assert_array_equal(found.stiffness_kpa[0], invert(exam).stiffness_kpa[0])


def test_no_slice_left_and_a_wrong_unit_are_still_errors() -> None:
    exam = made(3.0, 13, slices=2)
    with pytest.raises(InputError, match=r"slice at 0.0 mm: all 4 phase offsets are the same image"):
        invert(edited(exam, lambda p: np.repeat(p[:, :, :1], 4, axis=2)))
    blank_first = edited(exam, lambda p: np.repeat(p[:, :, :1], 4, axis=2)).slices[0]
    for change in (np.degrees, lambda p: p + 4.0):
        with pytest.raises(InputError, match=r"slice at 10.0 mm: .*wrapped phase in rad"):
            invert(replace(exam, slices=(blank_first, second(exam, change).slices[1])))


def test_no_numbers_in_the_magnitude_leave_the_body_as_it_is() -> None:
    clean = made(3.0, 19).slices[0].magnitude
    holed = np.array(clean)
    holed[0, 0] = np.nan  # in the air, where interpolation has no neighbour
    np.testing.assert_array_equal(foreground(holed), foreground(clean))
    assert not foreground(holed).all()


@pytest.mark.parametrize("frequency_hz", [0.0, -60.0, float("nan")])
def test_a_frequency_of_the_headers_must_be_above_zero(frequency_hz: float) -> None:
    exam = made(3.0, 15)
    wrong = replace(exam, acquisition=replace(exam.acquisition, frequency_hz=frequency_hz))
    with pytest.raises(InputError, match=r"must be above zero: give it with --frequency-hz"):
        invert(wrong)


def test_magnitude_given_as_phase_is_refused() -> None:
    exam = made(3.0, 14)
    scaled = np.interp(exam.slices[0].magnitude, (0, 105), (-np.pi, np.pi))
    like = scaled + np.random.default_rng(0).normal(0, 1e-3, (1, 1, 4, *SHAPE))
    with pytest.raises(InputError, match="the phase looks like the magnitude"):
        invert(edited(exam, lambda _: np.clip(like, -np.pi, np.pi)))


def test_frequency_is_asked_for_and_never_assumed() -> None:
    with pytest.raises(InputError, match="--frequency-hz"):
        invert(made(3.0, 15, frequency_hz=None))


def test_missing_phase() -> None:
    exam = made(3.0, 16, slices=2)
    one = replace(exam, slices=(exam.slices[0], replace(exam.slices[1], phase_rad=None)))
    found = invert(one)
    assert found.exam.slices[1].stiffness_kpa is None and "slices_without_phase" in codes(found.exam)
    assert np.isnan(found.stiffness_kpa[1]).all() and len(found.slices) == 1
    with pytest.raises(InputError, match="no wave images"):
        invert(exam, start="wave")
    mixed = replace(
        exam, slices=(exam.slices[0], replace(exam.slices[1], phase_rad=exam.slices[1].phase_rad[:, :, :3]))
    )
    with pytest.raises(InputError, match=r"different numbers of phase images \(3, 4 offsets\)"):
        invert(mixed)


@pytest.mark.parametrize("wrong", [{"method": "magic"}, {"highpass_mm": 0.0}, {"directions": 2}, {"scales": ()}])
def test_settings_that_no_inversion_can_have(wrong: dict) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        InversionSettings(**wrong)

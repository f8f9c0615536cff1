"""The counted interval: quantiles of a file become an interval and chances, and nothing where they are not meant."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import special

from livermre.exam.errors import SettingsError
from livermre.exam.types import Exam, Roi
from livermre.stiffness import IntervalSettings, calibrated, interval, load_table, measure, stage
from livermre.stiffness.calibrated import (
    LEVEL,
    Calibration,
    band_chances,
    calibration_from,
    interval_of,
    load_calibration,
)
from livermre.stiffness.interval import spread
from roi.exams import GE_60, correlated_noise, disc, exam_of, mask_of

LEVELS = (0.2, 0.5, 0.8, LEVEL, 0.99)
SHAPE, STEP = (64, 64), 2.0


def normal(**change: object) -> Calibration:
    """Scores of a standard normal without its sign: quantiles by formula."""
    scores = [float(special.ndtri((1 + level) / 2)) for level in LEVELS]
    content = {
        "scale": {"floor": 0.03, "slope": 1.5},
        "levels": LEVELS,
        "frequency_hz": (55, 65),
        "groups": [
            {"below_kpa": 3.0, "exams": 100, "quantiles": scores},
            {"below_kpa": None, "exams": 50, "quantiles": [2 * q for q in scores]},
        ],
        "checked": {"inside": 95, "exams": 100},
        "card": {},
    }
    return calibration_from("normal", content | change)


def some() -> tuple[Exam, Roi]:
    keep = np.stack([disc(SHAPE, (STEP, STEP), 30.0)] * 4)
    noise = 0.3 * correlated_noise(np.random.default_rng(1), (4, *SHAPE), 2.5)
    return exam_of(list(2.5 + noise), spacing_mm=(STEP, STEP)), Roi(keep, np.zeros(keep.shape, np.uint16))


def test_the_interval_is_the_quantiles_times_the_scale() -> None:
    # catches: one group's quantiles for all, floor and slope swapped or added, logarithms forgotten
    scale = np.hypot(0.03, 1.5 * 0.04)
    assert interval_of(normal(), 2.0, 0.04) == pytest.approx(2.0 * np.exp([-1.959964 * scale, 1.959964 * scale]))
    assert interval_of(normal(), 3.0, 0.04) == pytest.approx(3.0 * np.exp([-3.919928 * scale, 3.919928 * scale]))


def test_truths_of_such_scores_lie_inside_as_often_as_said() -> None:
    rng, how = np.random.default_rng(3), normal()
    inside = []
    for _ in range(4000):
        mean, sd = rng.uniform(1.5, 2.9), rng.uniform(0.01, 0.2)
        true = mean * np.exp(rng.standard_normal() * np.hypot(0.03, 1.5 * sd))
        low, high = interval_of(how, mean, sd)
        inside.append(low <= true <= high)
    assert np.mean(inside) == pytest.approx(0.95, abs=0.012)


def test_chances_of_bands_are_the_same_scores() -> None:
    # exact at a level, straight between; catches cut-offs compared in kPa, a band counted twice
    table, how = load_table("wu2015"), normal()  # one cut-off at 2.80
    scale = how.scale(0.1)
    for below in (0.975, 0.75, 0.5, 0.4, 0.999):  # the last beyond the levels, where the tail is normal
        mean = 2.8 / float(np.exp(special.ndtri(below) * scale))
        assert mean < 3.0
        found = list(band_chances(how, mean, 0.1, table).values())
        assert found == pytest.approx([below, 1 - below], abs=1e-9 if below != 0.4 else 0.01)
    assert list(band_chances(how, 1.0, 0.02, table).values()) == pytest.approx([1.0, 0.0])
    many = band_chances(how, 2.7, 0.3, load_table("rdes149"))
    assert sum(many.values()) == pytest.approx(1.0) and min(many.values()) >= 0


def test_the_stage_takes_its_chances_from_the_calibration() -> None:
    # catches: chances still of the repeat interval, or of another scale than the interval's own
    exam, roi = some()
    table, name = load_table("rdes149"), IntervalSettings().calibration
    found = calibrated(exam, roi, measure(exam, mask_of(roi.keep), roi), [2.4, 2.6])
    sd = spread(exam, roi, found, [2.4, 2.6], IntervalSettings()).sd_kpa
    expected = band_chances(load_calibration(name), found.mean_kpa, sd / found.mean_kpa, table)
    told, _ = stage(found, table, exam.acquisition, calibration=name)
    assert told.probabilities == pytest.approx(expected, abs=1e-12)
    plain, _ = stage(found, table, exam.acquisition)
    assert plain.probabilities != pytest.approx(expected, abs=1e-3) and plain.band == told.band
    # where the interval was not calibrated, the name alone changes nothing
    uncounted = replace(found, flags=())
    assert stage(uncounted, table, exam.acquisition, calibration=name)[0] == plain


def test_an_exam_gets_both_intervals_from_its_own_spread() -> None:
    exam, roi = some()
    means = [2.4, 2.6, None]
    raw = interval(exam, roi, measure(exam, mask_of(roi.keep), roi), means)
    found = calibrated(exam, roi, measure(exam, mask_of(roi.keep), roi), means)
    how = load_calibration(IntervalSettings().calibration)
    sd = spread(exam, roi, raw, means, IntervalSettings()).sd_kpa
    low, high = interval_of(how, raw.mean_kpa, sd / raw.mean_kpa)
    assert found.interval_95_kpa == pytest.approx((low, high))
    again = 1.959964 * 0.086 * raw.mean_kpa
    assert found.repeat_interval_95_kpa == pytest.approx(
        (raw.mean_kpa - np.hypot(raw.mean_kpa - low, again), raw.mean_kpa + np.hypot(high - raw.mean_kpa, again))
    )
    assert found.mean_kpa == raw.mean_kpa
    said = found.flags[-1]
    assert said.code == "interval_calibrated" and f"of {how.covered[1]} simulated exams" in said.message


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"acquisition": replace(GE_60, frequency_hz=40.0)}, "40 Hz"),
        ({"acquisition": replace(GE_60, frequency_hz=None)}, "unknown frequency"),
        ({"acquisition": replace(GE_60, dimension="3D")}, "3D"),
        ({"quantity": "rho c^2"}, "rho c"),
    ],
)
def test_what_was_never_counted_is_not_calibrated(change: dict, words: str) -> None:
    exam, roi = some()
    exam = replace(exam, **change)
    raw = interval(exam, roi, measure(exam, mask_of(roi.keep), roi), [2.4])
    found = calibrated(exam, roi, measure(exam, mask_of(roi.keep), roi), [2.4])
    assert (found.interval_95_kpa, found.repeat_interval_95_kpa) == (raw.interval_95_kpa, raw.repeat_interval_95_kpa)
    assert found.flags[-1].code == "interval_not_calibrated" and words in found.flags[-1].message


def test_without_interval_or_calibration_nothing_changes() -> None:
    exam, roi = some()
    measured = measure(exam, mask_of(roi.keep), roi)
    plain = IntervalSettings(calibration=None)
    assert calibrated(exam, roi, measured, [2.4], plain) == interval(exam, roi, measured, [2.4])
    withheld = replace(measured, mean_kpa=None)
    assert calibrated(exam, roi, withheld, []) == interval(exam, roi, withheld, [])
    with pytest.raises(SettingsError, match="no usable calibration"):
        calibrated(exam, roi, measured, [], IntervalSettings(calibration="nobody"))


@pytest.mark.parametrize(
    "change",
    [
        {"levels": LEVELS[::-1]},
        {"levels": (0.1, 0.2, 0.3, 0.4, 0.5)},
        {"scale": {"floor": 0.0, "slope": 1.0}},
        {"groups": [{"below_kpa": 3.0, "exams": 9, "quantiles": [1, 2, 3, 4, 5]}]},
        {"groups": [{"below_kpa": None, "exams": 9, "quantiles": [1, 2, 3, 4]}]},
    ],
    ids=["falling", "no 95 %", "no floor", "no last group", "too few quantiles"],
)
def test_a_file_that_contradicts_itself_is_refused(change: dict) -> None:
    with pytest.raises(SettingsError, match="normal"):
        normal(**change)


def test_the_shipped_file_says_where_it_comes_from() -> None:
    how = load_calibration("simulated-60hz")
    assert {"what", "generator", "checked_on", "seeds", "date", "command", "exams_made"} <= set(how.card)
    assert how.exams == sum(g.exams for g in how.groups) <= how.card["exams_made"]
    first, last = how.card["seeds"]
    assert last - first + 1 == how.card["exams_made"] and 0 < how.covered[0] <= how.covered[1]

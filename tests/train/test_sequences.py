"""Tissue brightness under random sequences: what one scanner cannot do, no sample may show."""

import pytest
import torch

from livermre.simulate.tissue import Tissue as T
from livermre.train.fields import Draw
from livermre.train.sequences import TISSUES, _gradient_echo, _spin_echo, _steady_state, signal_means


@pytest.fixture(scope="module")
def means() -> torch.Tensor:
    return signal_means(2000, Draw(1, 1))


def ratio(means: torch.Tensor, one: T, other: T) -> torch.Tensor:
    return (means[:, one].clamp_min(1e-4) / means[:, other].clamp_min(1e-4)).log()


def test_the_fat_of_skin_and_belly_is_one_tissue(means: torch.Tensor) -> None:
    difference = ratio(means, T.INNER_FAT, T.SKIN_FAT)
    # two draws of 10 % spread: sqrt(2) * 0.1
    assert 0.1 < float(difference.std()) < 0.18


def test_fat_is_suppressed_in_many_samples_and_the_brightest_in_others(means: torch.Tensor) -> None:
    fat = ratio(means, T.SKIN_FAT, T.LIVER)
    assert float((fat < -0.5).float().mean()) > 0.15
    assert float((fat > 0.5).float().mean()) > 0.15


def test_blood_is_brighter_than_liver_in_some_and_black_in_others(means: torch.Tensor) -> None:
    blood = ratio(means, T.LIVER_VESSEL, T.LIVER)
    assert float((blood > 0.4).float().mean()) > 0.2
    assert float((blood < -0.4).float().mean()) > 0.1


def tissues(t1_ms: float, t2_ms: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    shape = (500, TISSUES)
    return torch.full(shape, t1_ms), torch.full(shape, t2_ms), torch.ones(shape)


def test_no_sequence_gives_more_signal_than_there_are_protons() -> None:
    t1, t2, density = tissues(800.0, 50.0)
    for signal in (
        _gradient_echo(t1, t2, density, Draw(1, 2)),
        _spin_echo(t1, t2, density, torch.zeros_like(t1), Draw(1, 3)),
        _steady_state(t1, t2, density, Draw(1, 4)),
    ):
        assert bool((signal > 0).all()) and bool((signal <= 1).all())


def test_longer_t2_is_never_darker_and_longer_t1_never_brighter() -> None:
    base, slow_decay, slow_recovery = tissues(800.0, 50.0), tissues(800.0, 90.0), tissues(1200.0, 50.0)
    still = torch.zeros_like(base[0])
    for sequence in (
        lambda t: _gradient_echo(*t, Draw(2, 1)),
        lambda t: _spin_echo(*t, still, Draw(2, 1)),
        lambda t: _steady_state(*t, Draw(2, 1)),
    ):
        assert bool((sequence(slow_decay) >= sequence(base)).all())
        assert bool((sequence(slow_recovery) <= sequence(base)).all())
    # the steady state of equal T1 and T2 is half the protons times the sine of the flip angle
    equal = _steady_state(*tissues(100.0, 100.0), Draw(3, 1))
    flip = Draw(3, 1).uniform((500, 1), 0.5, 1.4)
    torch.testing.assert_close(equal, (torch.sin(flip) / 2).expand_as(equal))

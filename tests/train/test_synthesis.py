"""The generator: repeatable, honest about its labels, and as varied as promised."""

import numpy as np
import pytest
import torch

from livermre.simulate.tissue import Tissue
from livermre.train import artefacts, contrast
from livermre.train.bank import BankVolume, bank_volume
from livermre.train.classes import CLASS_OF_TISSUE, CLASSES, LIVER
from livermre.train.fields import Draw, smooth_field
from livermre.train.neighbours import Neighbours
from livermre.train.synthesis import Batch, Recipe, draw_labels, make_batch


def batch_of(bank: list[BankVolume], step: int, size: int = 64, count: int = 6) -> Batch:
    return make_batch(bank, torch.ones(len(bank)), seed=7, step=step, batch=count, size=size)


def test_the_same_step_gives_the_same_bytes_and_another_step_another_batch(bank: list[BankVolume]) -> None:
    a, b, c = batch_of(bank, 5), batch_of(bank, 5), batch_of(bank, 6)
    assert torch.equal(a.image, b.image) and torch.equal(a.target, b.target)
    assert not torch.equal(a.image, c.image)


def test_global_random_state_is_neither_used_nor_touched(bank: list[BankVolume]) -> None:
    torch.manual_seed(1)
    a = batch_of(bank, 5)
    after = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(after, torch.rand(1))
    torch.manual_seed(99)
    assert torch.equal(a.image, batch_of(bank, 5).image)


@pytest.mark.parametrize("size", [64, 96, 128])
def test_images_are_normalised_and_labels_are_classes(bank: list[BankVolume], size: int) -> None:
    batch = batch_of(bank, 1, size)
    assert batch.image.shape == (6, 3, size, size) and batch.target.shape == (6, size, size)
    assert torch.isfinite(batch.image).all() and batch.image.min() >= 0 and batch.image.max() <= 1
    assert set(batch.target.unique().tolist()) <= set(range(len(CLASSES)))


def test_slices_with_and_without_liver_are_both_drawn(bank: list[BankVolume]) -> None:
    shares = torch.cat([(batch_of(bank, s).target == LIVER).float().mean((1, 2)) for s in range(8)])
    assert 0.1 < (shares == 0).float().mean() < 0.7
    assert shares.max() > 0.05


def test_the_liver_stays_on_the_patients_right(bank: list[BankVolume]) -> None:
    """A mirrored body would teach the network situs inversus."""
    target = torch.cat([batch_of(bank, s).target for s in range(8)])
    liver = (target == LIVER).float().sum((0, 1))
    assert liver[:32].sum() > 3 * liver[32:].sum()


def test_without_warp_a_slice_is_the_volumes_own_slice() -> None:
    labels = np.zeros((5, 41, 41), np.uint8)
    labels[:, 5:36, 5:36] = Tissue.INNER_FAT
    labels[:, 10:25, 8:20] = Tissue.LIVER
    alone = Neighbours(displaced=0.0, thick_wall=0.0)
    still = Recipe(41, rotation_rad=0, scale=0, shift_mm=0, tilt=0, warp_mm=(), warp_cells=(), neighbours=alone)
    volume = bank_volume(labels, (10.0, 3.0, 3.0))
    draw = Draw(0, 0)
    draw.uniform = lambda shape, low=0.0, high=1.0: torch.full(  # type: ignore[method-assign]
        (shape,) if isinstance(shape, int) else shape, (low + high) / 2
    )
    cut = draw_labels([volume], torch.ones(1), 1, still, draw)
    assert torch.equal(cut[0, 1], torch.from_numpy(labels[2]))


def test_every_tissue_has_a_class_and_the_liver_its_own() -> None:
    assert [t for t in Tissue if CLASS_OF_TISSUE[t] == LIVER] == [
        Tissue.LIVER,
        Tissue.LIVER_VESSEL,
        Tissue.LIVER_LESION,
    ]
    assert CLASS_OF_TISSUE[Tissue.AIR] == 0


def test_contrast_reaches_both_directions() -> None:
    mean = contrast.tissue_means(400, Draw(1, 1))
    brighter = (mean[:, Tissue.SPLEEN] > mean[:, Tissue.LIVER] * 1.2).float().mean()
    darker = (mean[:, Tissue.SPLEEN] < mean[:, Tissue.LIVER] / 1.2).float().mean()
    assert brighter > 0.15 and darker > 0.15
    alike = (mean[:, Tissue.COLON] / mean[:, Tissue.LIVER]).log().abs() < 0.1
    assert alike.float().mean() > 0.2


def test_vessel_lines_are_thin_lie_in_the_liver_alone_and_go_in_both_directions() -> None:
    labels = torch.full((40, 3, 128, 128), int(Tissue.SPLEEN), dtype=torch.uint8)
    labels[:, :, :, :100] = int(Tissue.LIVER)
    drawn = contrast._vessel_lines(torch.ones(labels.shape), labels, Draw(5, 5))
    line = drawn != 1
    assert not line[:, :, :, 100:].any()
    with_lines = line.flatten(1).any(1)
    assert 0.4 < with_lines.float().mean() < 0.9  # two draws of 0.4
    assert line[with_lines].float().mean() < 0.12
    wide = -torch.nn.functional.max_pool2d(-line.float(), 11, 1, 5)  # what is left after an erosion by 11 pixels
    assert wide.mean() < 0.01 * line.float().mean()
    assert (drawn < 0.5).any() and (drawn > 3).any()


def test_coil_shading_spans_more_than_a_factor_of_three_in_some_images() -> None:
    shading = artefacts.coil_shading(torch.ones(60, 1, 64, 64), Draw(2, 2)).flatten(1)
    assert (shading > 0).all()
    assert ((shading.amax(1) / shading.amin(1)) > 3).float().mean() > 0.2


def test_rician_noise_has_the_mean_of_its_formula_where_there_is_no_signal() -> None:
    image = torch.zeros(4, 3, 64, 64)
    image[:, :, :, :32] = 100.0
    noisy = artefacts.noise(image, Draw(3, 3))
    sigma = (noisy[:, :, :, :32] - 100).std((1, 2, 3))
    # Rayleigh mean is sigma * sqrt(pi / 2); 6,000 pixels fix it to about 1 %
    torch.testing.assert_close(noisy[:, :, :, 32:].mean((1, 2, 3)), sigma * (torch.pi / 2) ** 0.5, rtol=0.04, atol=0)


def test_a_smooth_field_is_smooth_and_of_unit_size() -> None:
    field = smooth_field(40, 1, 64, 6, Draw(4, 4))
    assert 0.5 < field.std() < 1.2
    assert (field.diff(dim=-1)).std() < 0.25 * field.std()

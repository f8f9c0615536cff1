"""The bank of a synthetic run is built once, and never taken for another one."""

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch

from livermre.exam.errors import SettingsError
from livermre.train.shapes import Shape, save_bank
from livermre.train.sources import _fingerprint, bank_and_weights, synthetic_bank


def shape(name: str) -> Shape:
    labels = np.zeros((3, 8, 8), np.uint8)
    labels[:, 2:6, 2:6] = 11
    return Shape(name, labels, (3.0, 2.5, 2.5))


def test_a_cached_bank_of_other_label_maps_or_another_seed_is_refused(tmp_path: Path) -> None:
    nibabel.save(nibabel.Nifti1Image(np.zeros((2, 2, 2), np.uint8), np.eye(4)), tmp_path / "a.nii.gz")
    cache = tmp_path / "run" / "bank.npz"
    save_bank(cache, [shape("a"), shape("a+b")])
    made_from = {"labels": _fingerprint(tmp_path), "seed": 1, "transplants": 1, "parametric": 0}
    cache.with_suffix(".json").write_text(json.dumps(made_from))

    def bank(seed: int) -> list[Shape]:
        return synthetic_bank(tmp_path, cache, seed, lambda *_: None, transplants=1, parametric=0)

    assert [s.name for s in bank(1)] == ["a", "a+b"]
    with pytest.raises(SettingsError, match="other label maps or another seed"):
        bank(2)
    nibabel.save(nibabel.Nifti1Image(np.ones((2, 2, 2), np.uint8), np.eye(4)), tmp_path / "a.nii.gz")
    with pytest.raises(SettingsError, match="other label maps"):
        bank(1)


def test_each_kind_of_shape_has_its_share_and_artists_bodies_a_third() -> None:
    shapes = [shape(n) for n in ("s1", "s2", "hra_x", "s1+s2", "parametric_0000")]
    _, weights = bank_and_weights(shapes)
    torch.testing.assert_close(weights.sum(), torch.tensor(1.0))
    torch.testing.assert_close(weights[:3].sum(), torch.tensor(0.27))
    torch.testing.assert_close(weights[2] * 3, weights[0])
    torch.testing.assert_close(weights[3:], torch.tensor([0.35, 0.38]))

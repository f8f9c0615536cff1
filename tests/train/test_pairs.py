"""Training on an archive of real images: orientation, refusals, and the whole command once."""

import itertools
import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch

from livermre.exam.errors import Contradiction, CorruptFile, InputError, NothingFound, SettingsError
from livermre.segment import load_segmenter
from livermre.train.classes import LIVER
from livermre.train.cli import TrainRequest, train
from livermre.train.loop import Stage, TrainSettings
from livermre.train.pairs import load_pairs, paired_batches


def save(folder: Path, name: str, image: np.ndarray, label: np.ndarray, affine: np.ndarray) -> None:
    for kind, array in (("images", image.astype(np.float32)), ("labels", label.astype(np.uint8))):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        nibabel.save(nibabel.Nifti1Image(array, affine), folder / kind / name)


def ras_volume() -> tuple[np.ndarray, np.ndarray]:
    """An RAS+ body 40 x 30 x 6 with its liver on the patient's right (low x is left), in front, at the top."""
    image = np.full((40, 30, 6), 100.0)
    label = np.zeros(image.shape, bool)
    label[26:38, 16:28, 3:] = True
    image[label] = 180.0
    return image, label


def test_every_stored_orientation_becomes_right_on_the_left_and_front_on_top(tmp_path: Path) -> None:
    image, label = ras_volume()
    affine = np.diag([4.0, 4.0, 8.0, 1.0])
    for k, (axes, flips) in enumerate(
        itertools.product(itertools.permutations(range(3)), itertools.product((1, -1), repeat=3))
    ):
        turn = np.array([[*axes], [*flips]]).T
        ornt = nibabel.orientations.inv_ornt_aff(turn, image.shape)
        save(
            tmp_path / str(k),
            "a.nii.gz",
            nibabel.orientations.apply_orientation(image, turn),
            nibabel.orientations.apply_orientation(label, turn),
            affine @ ornt,
        )
        pair = load_pairs(tmp_path / str(k), 4.0)[0]
        assert pair.liver.shape == (6, 30, 40)
        where = torch.nonzero(pair.liver == LIVER).float().mean(0)
        # upper slices; rows before the middle (front); columns before the middle (patient's right)
        assert where[0] == pytest.approx(4, abs=0.1)
        assert where[1] == pytest.approx(29 - 21.5, abs=0.1)
        assert where[2] == pytest.approx(39 - 31.5, abs=0.1)


def test_batches_repeat_and_keep_image_and_liver_together(tmp_path: Path) -> None:
    image, label = ras_volume()
    image[~label] = 0
    save(tmp_path, "a.nii.gz", image, label, np.diag([4.0, 4.0, 8.0, 1.0]))
    make = paired_batches(tmp_path, 3, 96)
    a, b = make(0, Stage(64, 1, 4)), make(0, Stage(64, 1, 4))
    assert torch.equal(a.image, b.image)
    assert a.image.shape[-1] == 64
    inside, outside = a.image[:, 1][a.target == LIVER].mean(), a.image[:, 1][a.target != LIVER].mean()
    assert inside > 2 * outside


def test_an_archive_that_does_not_fit_together_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(NothingFound, match=r"needs images/ID\.nii\.gz and labels/ID\.nii\.gz; found 0 and 0"):
        load_pairs(tmp_path, 4.0)
    image, label = ras_volume()
    save(tmp_path, "a.nii.gz", image, label[:-1], np.eye(4))
    with pytest.raises(Contradiction, match=r"a\.nii\.gz: image is .* but its label is"):
        load_pairs(tmp_path, 4.0)
    save(tmp_path, "a.nii.gz", image, label, np.eye(4))
    (tmp_path / "labels" / "b.nii.gz").write_bytes(b"x")
    with pytest.raises(Contradiction, match=r"alone: b\.nii\.gz"):
        load_pairs(tmp_path, 4.0)
    (tmp_path / "images" / "b.nii.gz").write_bytes(b"x")
    with pytest.raises(CorruptFile, match=r"b\.nii\.gz is not a readable NIfTI volume"):
        load_pairs(tmp_path, 4.0)


def test_contradicting_requests_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="either DATA"):
        train(TrainRequest(out=tmp_path), lambda *_: None)
    with pytest.raises(InputError, match="no folder of label maps"):
        train(TrainRequest(out=tmp_path, synthetic=tmp_path / "none"), lambda *_: None)
    (tmp_path / "empty").mkdir()
    with pytest.raises(NothingFound, match="empty holds no label maps"):
        train(TrainRequest(out=tmp_path / "run", synthetic=tmp_path / "empty"), lambda *_: None)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # inside tensorboard
def test_a_run_ends_with_weights_that_the_analysis_loads(tmp_path: Path) -> None:
    image, label = ras_volume()
    save(tmp_path / "data", "a.nii.gz", image, label, np.diag([4.0, 4.0, 8.0, 1.0]))
    settings = TrainSettings(stages=(Stage(32, 2, 2),), threads=1)
    seen: list[int] = []
    request = TrainRequest(out=tmp_path / "run", data=tmp_path / "data", settings=settings, name="mine")
    path = train(request, lambda text, done, total: seen.append(done))
    assert seen == [1, 2]
    assert load_segmenter(path).model.card.name == "mine"
    assert json.loads((tmp_path / "run" / "settings.json").read_text())["seed"] == 1
    assert load_segmenter(path).model.pixel_mm == 384 / 32
    # the same command again finds nothing left to train and exports the same bytes
    before = path.read_bytes()
    assert train(request, lambda *_: None).read_bytes() == before

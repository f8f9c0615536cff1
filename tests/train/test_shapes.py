"""Shape bank: orientation law, completion, transplants, storage."""

import itertools
import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
from scipy import ndimage

from livermre.simulate.tissue import LIVER_TISSUES, Tissue
from livermre.train import shapes
from livermre.train.shapes import Shape, ShapeError, bodies
from livermre.train.shapes.names import label_table
from livermre.train.shapes.organs import place_vessels
from livermre.train.shapes.reading import oriented, tissues_in
from livermre.train.shapes.transplants import _one_liver

REAL = Path(__file__).parents[3] / "shared" / "data" / "shapes"
NAMES = {"liver": 1, "spleen": 2, "vertebrae_L1": 3, "colon": 4, "rib_left_9": 5, "rib_right_9": 6, "gallbladder": 7}
STEP = (6.0, 5.0, 5.0)
AFFINE = np.diag([5.0, 5.0, 6.0, 1.0])
MIRRORED = np.diag([-5.0, 5.0, 6.0, 1.0])
RNG_SEED = 3


def _ball(shape, centre, radii):
    """Ellipsoid mask in voxels."""
    grid = np.ogrid[tuple(slice(0, count) for count in shape)]
    return sum(((axis - c) / r) ** 2 for axis, c, r in zip(grid, centre, radii, strict=True)) <= 1


def _ras_body(liver_radii=(9, 9, 7)):
    """Label map uint8 [x to the right, y to the front, z to the head], 5 x 5 x 6 mm: an oval trunk without skin."""
    voxels = np.zeros((60, 44, 50), np.uint8)
    ring = _ball(voxels.shape, (30, 22, 24), (24, 17, 200)) & ~_ball(voxels.shape, (30, 22, 24), (23, 16, 200))
    voxels[ring] = NAMES["rib_left_9"]
    voxels[30:][ring[30:]] = NAMES["rib_right_9"]
    voxels[_ball(voxels.shape, (30, 9, 24), (4, 4, 200))] = NAMES["vertebrae_L1"]
    voxels[_ball(voxels.shape, (26, 27, 14), (9, 4, 3))] = NAMES["colon"]
    voxels[_ball(voxels.shape, (17, 18, 26), (4, 5, 5))] = NAMES["spleen"]
    voxels[_ball(voxels.shape, (41, 22, 25), liver_radii)] = NAMES["liver"]
    voxels[_ball(voxels.shape, (41, 32, 20), (2, 2, 2)) & (voxels == 0)] = NAMES["gallbladder"]
    return voxels


def _write(folder, voxels, affine, names=NAMES, name="case.nii.gz"):
    folder.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(voxels, affine), folder / name)
    (folder / "labels.json").write_text(json.dumps(names), encoding="utf-8")


@pytest.fixture(scope="module")
def body(tmp_path_factory):
    folder = tmp_path_factory.mktemp("body")
    _write(folder, _ras_body(), AFFINE)
    (shape,) = shapes.load_shapes(folder, STEP)
    return shape


def test_liver_is_left_in_the_picture_spine_at_the_bottom_and_feet_first(body):
    liver, spleen, spine, colon = (
        np.argwhere(body.labels == tissue).mean(axis=0)
        for tissue in (Tissue.LIVER, Tissue.SPLEEN, Tissue.BONE, Tissue.COLON)
    )
    assert liver[2] < spleen[2]
    assert spine[1] > liver[1]
    assert colon[0] < liver[0]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_every_axis_order_and_flip_loads_to_the_same_shape(tmp_path, body, order, monkeypatch):
    monkeypatch.setattr(bodies, "complete", lambda labels, spacing, name: labels)
    base = nibabel.Nifti1Image(_ras_body(), AFFINE)
    expected = None
    for number, flips in enumerate(itertools.product((1, -1), repeat=3)):
        turned = base.as_reoriented(np.array(list(zip(order, flips, strict=True)), float))
        folder = tmp_path / str(number)
        _write(folder, np.asarray(turned.dataobj), turned.affine)
        (shape,) = shapes.load_shapes(folder, (6.0, 2.5, 2.5))
        reference, _ = tissues_in(folder / "case.nii.gz", folder)
        straight = oriented(base)[0]
        np.testing.assert_array_equal(reference > 0, straight > 0)
        expected = shape.labels if expected is None else expected
        np.testing.assert_array_equal(shape.labels, expected)


def test_completed_body_has_a_tissue_everywhere_inside_and_fat_around(body):
    known = {int(tissue) for tissue in Tissue}
    assert set(np.unique(body.labels)) <= known
    for plane in body.labels:
        inside = plane != Tissue.AIR
        np.testing.assert_array_equal(ndimage.binary_fill_holes(inside), inside)
        rim = inside & ~ndimage.binary_erosion(inside)
        assert (plane[rim] == Tissue.SKIN_FAT).all()
    assert (body.labels == Tissue.MUSCLE).any() and (body.labels == Tissue.INNER_FAT).any()


def test_same_name_gives_the_same_layers(body, tmp_path):
    _write(tmp_path, _ras_body(), AFFINE)
    (again,) = shapes.load_shapes(tmp_path, STEP)
    np.testing.assert_array_equal(again.labels, body.labels)


def test_liver_cut_by_the_field_of_view_is_marked(tmp_path):
    _write(tmp_path, _ras_body()[:, :, :26], AFFINE)
    (shape,) = shapes.load_shapes(tmp_path, STEP)
    assert not shape.complete_liver


def test_lumen_of_a_bowel_drawn_as_a_wall_belongs_to_the_bowel(tmp_path):
    voxels = _ras_body()
    lumen = _ball(voxels.shape, (26, 27, 14), (7, 2.5, 1.6))
    voxels[lumen] = 0
    _write(tmp_path, voxels, AFFINE)
    (shape,) = shapes.load_shapes(tmp_path, STEP)
    whole = (_ras_body() == NAMES["colon"]).sum()
    assert (shape.labels == Tissue.COLON).sum() == pytest.approx(whole, rel=0.05)


def test_portal_vein_inside_the_liver_is_liver_vessel_outside_not():
    labels = np.zeros((20, 40, 40), np.uint8)
    labels[4:16, 8:32, 4:24] = Tissue.LIVER
    labels[9:11, 18:22, 12:38] = Tissue.PORTAL_VEIN
    placed = place_vessels(labels, (3.0, 2.5, 2.5))
    assert (placed[9:11, 18:22, 12:24] == Tissue.LIVER_VESSEL).all()
    assert (placed[9:11, 18:22, 32:38] == Tissue.PORTAL_VEIN).all()


def test_unknown_names_are_listed(tmp_path):
    voxels = _ras_body()
    names = {name: number for name, number in NAMES.items() if number != 5} | {"flux_capacitor": 5}
    _write(tmp_path, voxels, AFFINE, names)
    with pytest.raises(ShapeError, match="flux_capacitor"):
        shapes.load_shapes(tmp_path)


def test_mirrored_affine_is_refused(tmp_path):
    _write(tmp_path, _ras_body(), MIRRORED)
    with pytest.raises(ShapeError, match="left of the spleen"):
        shapes.load_shapes(tmp_path)


def test_image_without_names_is_no_label_map(tmp_path):
    nibabel.save(nibabel.Nifti1Image(_ras_body().astype(np.int16), MIRRORED), tmp_path / "ct.nii.gz")
    assert shapes.load_shapes(tmp_path) == []


def test_damaged_file_is_named(tmp_path):
    (tmp_path / "labels.json").write_text(json.dumps(NAMES), encoding="utf-8")
    (tmp_path / "broken.nii").write_bytes(b"not a nifti")
    with pytest.raises(ShapeError, match=r"broken\.nii"):
        shapes.load_shapes(tmp_path)


def _donor(radii):
    labels = np.where(_ball((30, 30, 30), (15, 15, 15), radii), Tissue.LIVER, Tissue.AIR).astype(np.uint8)
    return Shape("donor", labels, STEP)


def _liver(shape):
    return np.isin(shape.labels, LIVER_TISSUES)


@pytest.mark.parametrize("radii", [(7, 9, 9), (6, 7, 8), (8, 8, 10)])
def test_transplant_keeps_the_volume_and_stays_inside(body, radii):
    donor = _donor(radii)
    new = shapes.transplant(body, donor, np.random.default_rng(RNG_SEED))
    low, high = sorted((_liver(donor).sum(), _liver(body).sum()))
    assert 0.75 * low < _liver(new).sum() < 1.25 * high
    wall = np.isin(body.labels, shapes.WALL)
    np.testing.assert_array_equal(new.labels[wall], body.labels[wall])
    assert not np.isin(new.labels[_liver(new)], shapes.WALL).any()
    assert new.labels.shape == body.labels.shape and new.spacing_mm == body.spacing_mm


def test_transplant_touches_the_right_wall_and_leaves_no_old_liver(body):
    new = shapes.transplant(body, _donor((6, 7, 8)), np.random.default_rng(RNG_SEED))
    first = np.flatnonzero(_liver(new).any(axis=(0, 1)))[0]
    old = np.flatnonzero(_liver(body).any(axis=(0, 1)))[0]
    assert abs(int(first) - int(old)) * STEP[2] <= 20
    assert ndimage.label(_liver(new))[1] == 1


def test_a_transplanted_liver_is_one_body_and_the_rest_is_fat(body):
    """A donor with an island and a vessel that hangs in the air: both are gone, and nothing else is touched."""
    labels = np.zeros((34, 30, 46), np.uint8)
    labels[_ball(labels.shape, (15, 15, 15), (8, 9, 9))] = Tissue.LIVER
    labels[_ball(labels.shape, (15, 15, 30), (3, 3, 3))] = Tissue.LIVER_LESION
    labels[28:31, 14:16, 14:16] = Tissue.LIVER_VESSEL
    labels[14:17, 14:17, 14:17] = Tissue.LIVER_VESSEL  # inside the liver: stays
    new = shapes.transplant(body, Shape("donor", labels, STEP), np.random.default_rng(RNG_SEED))
    assert ndimage.label(_liver(new))[1] == 1
    assert set(np.unique(new.labels[_liver(new)])) == {Tissue.LIVER, Tissue.LIVER_VESSEL}
    assert np.unique(_one_liver(new.labels) == new.labels).tolist() == [True]
    two = body.labels.copy()
    two[-3:, 30:33, 30:33] = Tissue.LIVER_VESSEL
    changed = _one_liver(two) != two
    assert changed.sum() == 27 and (_one_liver(two)[changed] == Tissue.INNER_FAT).all()


def test_liver_that_finds_no_room_is_refused(body):
    labels = np.where(np.isin(body.labels, LIVER_TISSUES), body.labels, Tissue.MUSCLE).astype(np.uint8)
    tight = Shape("tight", labels, STEP)
    with pytest.raises(ShapeError, match="does not fit"):
        shapes.transplant(tight, _donor((14, 4, 14)), np.random.default_rng(RNG_SEED))


def test_livers_are_chosen_by_score_and_review(tmp_path):
    rows = ["PatientID,LikertScore,CorrectedSegmentation,AISegmentation"]
    rows += ["p1,2,reviewed_p1.nii.gz,ai_p1.nii.gz", "p2,5,,ai_p2.nii.gz", "p3,3,,ai_p3.nii.gz"]
    (tmp_path / "qa-results.csv").write_text("\n".join(rows), encoding="utf-8")
    mask = _ball((80, 80, 60), (40, 40, 30), (20, 15, 12)).astype(np.uint8)
    for name in ("reviewed_p1", "ai_p1", "ai_p2", "ai_p3"):
        nibabel.save(nibabel.Nifti1Image(mask, np.diag([4.0, 4.0, 4.0, 1.0])), tmp_path / f"{name}.nii.gz")
    livers = shapes.load_livers(tmp_path)
    assert sorted(liver.name for liver in livers) == ["ai_p2", "reviewed_p1"]
    for liver in livers:
        volume = _liver(liver).sum() * np.prod(liver.spacing_mm)
        assert volume == pytest.approx(mask.sum() * 64.0, rel=0.05)


def test_bank_survives_saving(tmp_path, body):
    bank = [body, _donor((6, 7, 8))]
    shapes.save_bank(tmp_path / "bank.npz", bank)
    for old, new in zip(bank, shapes.load_bank(tmp_path / "bank.npz"), strict=True):
        assert (old.name, old.spacing_mm, old.complete_liver) == (new.name, new.spacing_mm, new.complete_liver)
        np.testing.assert_array_equal(old.labels, new.labels)


def test_foreign_file_is_no_bank(tmp_path):
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with pytest.raises(ShapeError, match="no shape bank"):
        shapes.load_bank(tmp_path / "other.npz")


def test_published_numbering_names_are_all_known():
    for names in label_table()["class_maps"].values():
        assert [name for name in names if shapes.tissue_of(name) is None] == []
    assert len(label_table()["class_maps"]["total"]) == 117
    assert set(label_table()["tissues"]) <= {tissue.name for tissue in Tissue} | {"BODY"}


@pytest.mark.skipif(not REAL.is_dir(), reason="the shared data folder ../shared/data/shapes is not here")
def test_real_label_names_are_all_known():
    for path in sorted(REAL.rglob("labels.json")):
        names = json.loads(path.read_text(encoding="utf-8"))
        assert [name for name in names if shapes.tissue_of(name) is None] == []


@pytest.mark.skipif(not REAL.is_dir(), reason="the shared data folder ../shared/data/shapes is not here")
def test_real_body_has_its_organs_at_the_right_places():
    found = shapes.load_shapes(REAL / "totalsegmentator-tests")
    assert len(found) == 2
    for shape in found:
        centre = {t: np.argwhere(shape.labels == t).mean(axis=0) for t in (Tissue.KIDNEY_RIGHT, Tissue.KIDNEY_LEFT)}
        assert centre[Tissue.KIDNEY_RIGHT][2] < centre[Tissue.KIDNEY_LEFT][2]
        assert np.argwhere(shape.labels == Tissue.SPINAL_CANAL).mean(axis=0)[1] > centre[Tissue.KIDNEY_LEFT][1]
        assert set(np.unique(shape.labels)) <= {int(tissue) for tissue in Tissue}

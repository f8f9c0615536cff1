"""The whole road with the shipped network: a real exam, several processes, the demo, single images."""

import json
import shutil
from pathlib import Path

import nibabel
import numpy as np
import pytest

from apps.helpers import left_over
from livermre import given, network, pipeline
from livermre.segment import find_model

DATA = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(autouse=True)
def shipped_network(no_network, monkeypatch):
    monkeypatch.setattr(pipeline, "segmenter", network.segmenter)
    monkeypatch.setattr(pipeline, "model_card", network.model_card)
    monkeypatch.setattr(given, "model_card", network.model_card)


def test_the_weights_are_there_and_unaltered():
    """A checkout without them is broken: nothing here may be skipped for that."""
    assert find_model().card == network.model_card("default")


@pytest.fixture(scope="module")
def ge_mrtouch() -> Path:
    if not (DATA / "ge-mrtouch").is_dir():
        pytest.skip("shared/data/ge-mrtouch is absent")
    return DATA / "ge-mrtouch"


@pytest.mark.data
def test_a_real_exam(livermre, ge_mrtouch, tmp_path):
    """The vendor's reader measured 2.16, 1.61, 1.58, 1.61 kPa in small regions of the right lobe (vendor_roi.npz)."""
    ran = livermre("analyze", ge_mrtouch, "--out", tmp_path)
    assert ran.status == 0, ran.err
    found = json.loads((tmp_path / "ge-mrtouch/finding.json").read_text())
    assert found["reportable"]
    assert 1.4 < found["stiffness_kpa"] < 2.3
    assert found["stage"]["table"] == "rdes149" and len(found["slices"]) == 4
    low, high = found["interval_95_kpa"]
    assert low < found["stiffness_kpa"] < high


@pytest.mark.data
def test_processes_give_the_same_bytes(livermre, ge_mrtouch, tmp_path):
    """Each process loads the network for itself; nothing may depend on which one an exam meets."""
    exams = [Path(shutil.copytree(ge_mrtouch, tmp_path / f"e{i}")) for i in range(3)]
    assert livermre("analyze", *exams, "--out", tmp_path / "one").status == 0
    ran = livermre("analyze", *exams, "--out", tmp_path / "two", "--jobs", 2)
    assert ran.status == 0 and ran.out.count("measured") == 3
    for i in range(3):
        assert (tmp_path / f"one/e{i}/finding.json").read_bytes() == (tmp_path / f"two/e{i}/finding.json").read_bytes()
    assert not left_over(tmp_path)


@pytest.mark.data
def test_segment_a_nifti_on_its_own_array(livermre, tmp_path):
    if not (DATA / "chaos-dev").is_dir():
        pytest.skip("shared/data/chaos-dev is absent")
    image, mask = DATA / "chaos-dev/image_1.nii.gz", tmp_path / "liver.nii.gz"
    ran = livermre("segment", image, "--out", mask)
    assert ran.status == 0, ran.err
    of, found = nibabel.load(image), nibabel.load(mask)
    assert found.shape == of.shape and np.allclose(found.affine, of.affine)
    assert set(np.unique(np.asarray(found.dataobj))) == {0, 1}


@pytest.mark.slow
def test_the_demo_needs_nothing(livermre, tmp_path):
    ran = livermre("demo", "--out", tmp_path / "demo")
    assert ran.status == 0, ran.err
    page = Path(ran.out.strip().splitlines()[-1])
    assert page.is_file() and "simulated" in page.read_text(encoding="utf-8")
    found = {p.parent.name: json.loads(p.read_text()) for p in (tmp_path / "demo").glob("*/finding.json")}
    assert found["simulated-soft"]["reportable"] and found["simulated-stiff"]["reportable"]
    assert found["simulated-soft"]["stiffness_kpa"] < 2.6 < 5 < found["simulated-stiff"]["stiffness_kpa"]
    assert not found["simulated-iron"]["reportable"] and found["simulated-iron"]["stiffness_kpa"] is None
    assert all("simulated" in {f["code"] for f in one["flags"]} for one in found.values())

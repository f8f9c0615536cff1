"""What validators say of the objects; every exception is named with its reason.

dciodvfy (dicom3tools) is used where it is installed, dicom-validator where the standard's tables lie in its own place
(it would download them otherwise). highdicom's tables of modules and attributes come with the library: always used.
"""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from pydicom import dcmread

from dicom.objects import cases
from dicom.write.exams import exam, oblique
from livermre.dicom.objects import Pages, write_objects
from livermre.dicom.objects.write import object_bytes

PAGES = Pages(b"%PDF-1.7\n", np.zeros((8, 10, 3), np.uint8))

_VALUE_TYPES = {"sr-document-content"}
"""Its table lists the attributes of every value type side by side; a container has none of the others'."""

ALLOWED = {
    r"Unrecognized defined term <99LIVERMRE>": "our own coding scheme, told in Coding Scheme Identification Sequence",
    r"Unrecognized defined term <2\.25\.\d+> for value 1 of attribute <Coding Scheme UID>": "its UID",
    r"Unrecognized defined term <QUANTITY> for value 4 of attribute <(Image|Frame) Type>": "PS3.3 C.8.32.2 of 2016 on",
    r"needed to build DICOMDIR - (Study ID|Study Time)": "the source has none, and none is invented",
    r"Retired Person Name form": "the source's own Patient Name",
    r"not a recognized standard attribute - \(0x0008,0x001c\)": "Synthetic Data (PS3.3 C.12.1), newer than the tool",
    r"not present in standard DICOM IOD - \(0x0008,0x001c\)": "the same",
    r"not present in standard DICOM IOD - this is a Standard Extended SOP Class": "the same; others are named singly",
}
"""What dciodvfy may say, and why."""


@pytest.fixture(scope="module", params=["ge", "siemens", "siemens-enhanced", "philips-enhanced", "mosaic"])
def sets(request, tmp_path_factory):
    """Objects of a reportable finding and of a blocked one with our own maps."""
    folder = tmp_path_factory.mktemp("exam")
    if request.param == "mosaic":
        study = cases.vendor_study("siemens-mosaic", folder)
    else:
        study = cases.simulated(exam(vectors=oblique()), folder, request.param)
    finding = cases.finding_of(study.exam)
    return study, (finding, cases.own_map(cases.blocked(finding)))


def test_dciodvfy_has_nothing_to_say(sets, tmp_path):
    program = shutil.which("dciodvfy")
    if program is None:
        pytest.skip("dciodvfy (dicom3tools) is not installed")
    study, findings = sets
    for i, finding in enumerate(findings):
        folder = tmp_path / str(i)
        folder.mkdir()
        for path in write_objects(study, finding, folder, PAGES):
            said = subprocess.run([program, path], capture_output=True, text=True, check=False).stderr.splitlines()
            remarks = [s for s in said if s.startswith(("Error", "Warning"))]
            assert not [r for r in remarks if not any(re.search(a, r) for a in ALLOWED)], path.name


def test_the_validator_would_have_noticed(sets, tmp_path):
    """A needed attribute is taken out of each object: dciodvfy calls that an error, so the test above can fail."""
    program = shutil.which("dciodvfy")
    if program is None:
        pytest.skip("dciodvfy (dicom3tools) is not installed")
    study, findings = sets
    for path in write_objects(study, findings[1], tmp_path, PAGES):
        ds = dcmread(path)
        del ds.StudyInstanceUID
        ds.save_as(path)
        said = subprocess.run([program, path], capture_output=True, text=True, check=False).stderr
        assert re.search(r"^Error", said, re.MULTILINE), path.name


def test_dcmtk_reads_report_and_page(sets, tmp_path):
    """A reader of another house walks the whole tree of the report, and gives the page back byte by byte."""
    dump, unpack = shutil.which("dsrdump"), shutil.which("dcm2pdf")
    if dump is None or unpack is None:
        pytest.skip("dsrdump and dcm2pdf (DCMTK) are not installed")
    study, (finding, _) = sets
    write_objects(study, finding, tmp_path, PAGES)
    done = subprocess.run([dump, tmp_path / "sr.dcm"], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not [s for s in done.stderr.splitlines() if s.startswith(("E:", "F:"))], done.stderr
    mean = f'"Elasticity")="{round(finding.stiffness.mean_kpa, 4):g}" (kPa,UCUM,"kPa")'
    assert mean in done.stdout and done.stdout.count('"Measurement Group")') == 1 + len(finding.exam.slices)
    subprocess.run([unpack, tmp_path / "report_pdf.dcm", tmp_path / "page.pdf"], check=True, capture_output=True)
    assert (tmp_path / "page.pdf").read_bytes() == PAGES.pdf


def test_dcmqi_reads_masks_maps_and_report(sets, tmp_path):
    """The reference implementation of SEG, Parametric Map and template 1500 finds the same pixels and places."""
    programs = [shutil.which(n) for n in ("segimage2itkimage", "paramap2itkimage", "tid1500reader")]
    if None in programs:
        pytest.skip("dcmqi is not installed")
    segmentation, parametric, report = programs
    study, (plain, _) = sets
    finding = cases.own_map(plain)
    write_objects(study, finding, tmp_path, PAGES)

    def run(program: str, name: str, *more: object) -> None:
        subprocess.run([program, "--inputDICOM", tmp_path / name, *more], check=True, capture_output=True)

    for program, name in ((segmentation, "seg"), (parametric, "stiffness_pmap"), (parametric, "confidence_pmap")):
        run(program, f"{name}.dcm", "--outputDirectory", tmp_path, "-t", "nii", "--prefix", name)
    run(report, "sr.dcm", "--outputMetadata", tmp_path / "sr.json")
    wanted = {
        "seg-1": finding.liver.liver, "seg-2": finding.roi.keep,
        "stiffness_pmap-pmap": finding.exam.stiffness_kpa, "confidence_pmap-pmap": finding.exam.confidence,
    }  # fmt: skip
    for name, values in wanted.items():
        image = nib.load(tmp_path / f"{name}.nii.gz")
        found = np.asarray(image.dataobj)
        inverse = np.linalg.inv(image.affine)
        for s, mine in zip(finding.exam.slices, values, strict=True):
            world = s.plane.world_mm(*np.indices(mine.shape)) * [-1, -1, 1]  # LPS to RAS
            i, j, k = np.rint(nib.affines.apply_affine(inverse, world)).astype(int).transpose(2, 0, 1)
            theirs = found[i, j, k]
            np.testing.assert_array_equal(theirs > 0 if mine.dtype == bool else theirs.astype(np.float32), mine)
    groups = json.loads((tmp_path / "sr.json").read_text(encoding="utf-8"))["Measurements"]
    assert len(groups) == 1 + len(finding.exam.slices)
    first = groups[0]["measurementItems"][0]
    assert (first["quantity"]["CodeValue"], first["units"]["CodeValue"]) == ("110830", "kPa")
    assert float(first["value"]) == pytest.approx(finding.stiffness.mean_kpa, abs=1e-4)


def test_every_module_has_its_attributes(sets):
    """By highdicom's copy of PS3.3: type 1 is there with a value, type 2 is there, of every mandatory module."""
    import highdicom

    tables = Path(highdicom.__file__).parent / "_standard"
    iods, modules_of, attributes_of = (
        json.loads((tables / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("sop_class_iod_map", "iod_module_map", "module_attribute_map")
    )
    study, findings = sets
    for finding in findings:
        for name, data in object_bytes(study, finding, PAGES).items():
            ds = dcmread(BytesIO(data))
            modules = modules_of[iods[ds.SOPClassUID]]
            checked = 0
            for module in [m["key"] for m in modules if m["usage"] == "M" and m["key"] not in _VALUE_TYPES]:
                for attribute in [a for a in attributes_of[module] if not a["path"]]:
                    keyword, kind = attribute["keyword"], attribute["type"]
                    if kind in ("1", "2"):
                        assert keyword in ds, (name, module, keyword)
                        checked += 1
                    if kind == "1":
                        assert ds[keyword].value not in (None, "", []), (name, module, keyword)
            assert checked > 15


def test_dicom_validator(sets, tmp_path):
    standard = Path.home() / "dicom-validator"
    if not list(standard.glob("*/json/iod_info.json")):
        pytest.skip("dicom-validator has no copy of the standard here, and tests download nothing")
    study, findings = sets
    files = write_objects(study, replace(findings[1]), tmp_path, PAGES)
    done = subprocess.run(
        ["validate_iods", "--edition", "local", *map(str, files)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout

"""The structured report: numbers by their codes, references that exist, and highdicom as a second reader."""

import re
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.sr.codedict import codes

from dicom.objects import cases
from dicom.objects.reading import items, name_of, numbers, sources
from livermre.dicom.objects import words
from livermre.dicom.objects.codes import OWN, Code
from livermre.dicom.objects.write import object_bytes
from livermre.exam.flags import flag

ELASTICITY, DERIVATION = "110830", "121401"


@pytest.fixture(scope="module")
def finding(study):
    found = cases.finding_of(study.exam)
    return replace(found, exam=replace(found.exam, flags=(*found.exam.flags, flag("few_slices", slices=2))))


@pytest.fixture(scope="module")
def report(study, finding):
    return dcmread(BytesIO(object_bytes(study, finding)["sr.dcm"]))


def _groups(ds):
    return [i for i in items(ds) if i.ValueType == "CONTAINER" and name_of(i) == "125007"]


def test_the_exams_numbers(report, finding):
    """Against numpy on the masked map, not against what livermre measured."""
    kpa = finding.exam.stiffness_kpa[finding.roi.keep].astype(float)
    found = numbers(_groups(report)[0])
    wanted = {"373098007": kpa.mean(), "373099004": np.median(kpa), "255605001": kpa.min(), "56851009": kpa.max()}
    for derivation, value in wanted.items():
        assert found[ELASTICITY, derivation] == (pytest.approx(value, abs=1e-4), "kPa")
    low, high = finding.stiffness.interval_95_kpa
    assert found[ELASTICITY, "interval95-low"] == (pytest.approx(low, abs=1e-4), "kPa")
    assert found[ELASTICITY, "interval95-high"] == (pytest.approx(high, abs=1e-4), "kPa")
    assert found["131184002", ""] == (pytest.approx(kpa.size * 2.1 * 1.7, rel=1e-6), "mm2")
    assert found["pixels", ""] == (kpa.size, "{pixels}")
    liver = np.count_nonzero(finding.liver.liver)
    assert found["valid-fraction", ""] == (pytest.approx(kpa.size / liver, abs=1e-4), "1")
    assert found["driver-frequency", ""] == (60.0, "Hz")


def test_a_group_a_slice_with_its_own_numbers(report, finding):
    groups = _groups(report)
    assert [g.ContentTemplateSequence[0].TemplateIdentifier for g in groups] == ["1411"] + ["1410"] * 4
    for group, kpa, keep in zip(groups[1:], finding.exam.stiffness_kpa, finding.roi.keep, strict=True):
        found, values = numbers(group), kpa[keep].astype(float)
        quarter = np.percentile(values, [25, 75])
        assert found[ELASTICITY, "373098007"][0] == pytest.approx(values.mean(), abs=1e-4)
        assert found[ELASTICITY, "386136009"][0] == pytest.approx(values.std(ddof=1), abs=2e-3)
        assert found[ELASTICITY, "373099004"][0] == pytest.approx(np.median(values), abs=1e-4)
        assert found[ELASTICITY, "130614"][0] == pytest.approx(quarter[1] - quarter[0], abs=1e-4)
        assert found["pixels", ""][0] == values.size


def test_every_reference_exists_and_is_in_the_evidence(study, finding, folder):
    made = object_bytes(study, cases.own_map(finding))
    objects = {str(dcmread(BytesIO(d)).SOPInstanceUID): dcmread(BytesIO(d)) for d in made.values()}
    report = dcmread(BytesIO(made["sr.dcm"]))
    known = {uid for uid, _ in sources(folder)} | set(objects)
    evidence = {
        str(i.ReferencedSOPInstanceUID)
        for s in report.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence
        for i in s.ReferencedSOPSequence
    }
    referred = [i.ReferencedSOPSequence[0] for i in items(report) if i.ValueType == "IMAGE"]
    assert {str(r.ReferencedSOPInstanceUID) for r in referred} <= evidence <= known
    outline = dcmread(BytesIO(made["seg.dcm"]))
    frames_named = [r.ReferencedFrameNumber for r in referred if r.ReferencedSOPInstanceUID == outline.SOPInstanceUID
                    and "ReferencedFrameNumber" in r]  # fmt: skip
    assert frames_named == [5, 6, 7, 8]  # the region's frames, behind the four of the liver
    for name in ("seg.dcm", "stiffness_pmap.dcm", "confidence_pmap.dcm"):
        ds = dcmread(BytesIO(made[name]))
        used = {
            str(f.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID)
            for f in ds.PerFrameFunctionalGroupsSequence
        }
        listed = {
            str(i.ReferencedSOPInstanceUID) for s in ds.ReferencedSeriesSequence for i in s.ReferencedInstanceSequence
        }
        assert used == listed <= known


def test_seg_and_report_speak_of_the_same_region(study, finding):
    made = object_bytes(study, finding)
    outline, report = (dcmread(BytesIO(made[n])) for n in ("seg.dcm", "sr.dcm"))
    liver, region = outline.SegmentSequence
    assert (liver.SegmentLabel, region.SegmentLabel) == ("Liver", "Liver MRE ROI")
    assert region.SegmentedPropertyTypeCodeSequence[0].CodeValue == "10200004"
    group = _groups(report)[0]
    tracked = {name_of(i): i for i in group.ContentSequence if name_of(i) in ("112039", "112040")}
    assert (tracked["112039"].TextValue, tracked["112040"].UID) == (region.TrackingID, region.TrackingUID)
    segment = next(i for i in group.ContentSequence if name_of(i) == "121191").ReferencedSOPSequence[0]
    assert (segment.ReferencedSOPInstanceUID, segment.ReferencedSegmentNumber) == (outline.SOPInstanceUID, 2)
    assert liver.SegmentationAlgorithmIdentificationSequence[0].AlgorithmParameters.startswith(
        f"weights SHA-256 {cases.CARD.sha256}"
    )


def test_stage_flags_algorithm_and_research_use_are_said(report, finding):
    texts = [i.TextValue for i in items(report) if i.ValueType == "TEXT"]
    assert any(t.startswith("few_slices: Only 2 slice(s)") for t in texts)
    assert f"network weights SHA-256: {cases.CARD.sha256}" in texts
    assert any(t.startswith("For research use only") for t in texts)
    band = next(i for i in items(report) if name_of(i) == "stiffness-band").ConceptCodeSequence[0]
    assert band.CodeMeaning == finding.stage.band and band.CodingSchemeDesignator == OWN
    assert band.CodeValue == f"rdes149-{finding.stage.bands.index(finding.stage.band) + 1}"
    assert report.CompletionFlag == "COMPLETE" and report.VerificationFlag == "UNVERIFIED"
    observers = [i for i in items(report) if name_of(i) == "121005"]
    assert [o.ConceptCodeSequence[0].CodeValue for o in observers] == ["121007"]  # a device, nobody's signature


def test_not_reportable_holds_no_stiffness_but_the_reason(study, finding):
    data = object_bytes(study, cases.blocked(finding))["sr.dcm"]
    report = dcmread(BytesIO(data))
    assert ELASTICITY not in {name_of(i) for i in items(report)}
    units = [i.MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0] for i in items(report) if i.ValueType == "NUM"]
    assert "kPa" not in {u.CodeValue for u in units} and units
    assert not [i for i in items(report) if name_of(i) in ("stiffness-band", "cut-off-table")]
    reasons = [i.TextValue for i in items(report) if name_of(i) == "flag-blocking"]
    assert reasons and reasons[0].startswith("no_waves: Only 3 %")
    answer = next(i for i in items(report) if name_of(i) == "reportable").ConceptCodeSequence[0]
    assert (answer.CodeValue, answer.CodeMeaning) == ("373067005", "No")
    assert _groups(report)[0].ContentTemplateSequence[0].TemplateIdentifier == "1411"


def test_highdicom_reads_the_groups(study, finding):
    """The second implementation of the templates finds the exam and the slices and what each refers to."""
    import highdicom as hd

    made = object_bytes(study, finding)
    report = hd.sr.srread(BytesIO(made["sr.dcm"]))
    content = report.content
    volumes = content.get_volumetric_roi_measurement_groups()
    planar = content.get_planar_roi_measurement_groups()
    assert (len(volumes), len(planar)) == (1, 4)
    measured = volumes[0].get_measurements(name=codes.DCM.Elasticity)
    means = [m.value for m in measured if m.derivation.value == "373098007"]
    assert means == [pytest.approx(finding.stiffness.mean_kpa, abs=1e-4)]
    assert volumes[0].finding_type.value == "10200004"
    assert [s.value.value for s in volumes[0].finding_sites] == ["10200004"]
    outline = hd.seg.segread(BytesIO(made["seg.dcm"]))
    assert outline.number_of_segments == 2
    stack = outline.get_volume(combine_segments=False)
    assert np.count_nonzero(stack.array[..., 1]) == np.count_nonzero(finding.roi.keep)


def test_every_code_keeps_the_lengths_of_the_standard():
    """PS3.3 8.1: at most 16 characters, meanings of at most 64; public codes are in pydicom's dictionaries."""
    from pydicom.sr import _concepts_dict

    own, public = [], []
    for code in [c for c in vars(words).values() if isinstance(c, Code)]:
        (own if code.scheme == OWN else public).append(code)
        assert len(code.value) <= 16 and len(code.meaning) <= 64, code
    assert len({c.value for c in own}) == len(own) > 15
    known = {s: {v for values in d.values() for v in values} for s, d in _concepts_dict.concepts.items()}
    for code in public:
        assert code.value in known.get(code.scheme, {code.value}), code


def test_private_codes_are_listed_in_the_docs():
    from pathlib import Path

    from livermre.dicom.objects import codes as plain

    text = (Path(__file__).parents[3] / "docs" / "dicom.md").read_text(encoding="utf-8")
    mine = [c for module in (words, plain) for c in vars(module).values() if isinstance(c, Code) and c.scheme == OWN]
    missing = [c.value for c in mine if not re.search(rf"`{re.escape(c.value)}`", text)]
    assert not missing and plain.OWN_UID in text

"""What is acknowledged lies on the disk as it was sent; what is refused leaves nothing."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pynetdicom import AE

from node.door.asking import data, state
from node.made import image, implicit, uid, written
from node.place import Here, Pacs, associate, send, until


def test_a_study_goes_the_whole_way(node: Here, pacs: Pacs) -> None:
    images = [image("way", n) for n in range(4)]
    assert send(node.port, images) == [0, 0, 0, 0]
    until(lambda: state(node, "way") == "done")
    (row,) = node.node.journal.ask(
        "SELECT o.* FROM objects o JOIN studies s ON s.id=o.study WHERE uid=?", uid("study", "way")
    )
    assert pacs.stored[row["sop_uid"]] == 1
    lies = dcmread(data(node) / row["path"])
    assert lies.StudyInstanceUID == images[0].StudyInstanceUID


def test_what_lies_on_the_disk_is_what_was_sent(node: Here) -> None:
    """The data set byte by byte, in the transfer syntax it came in, under names that no header decides."""
    one, two = image("bytes", 1), implicit(image("bytes", 2))
    ae = AE("SENDER")
    ae.add_requested_context(one.SOPClassUID, one.file_meta.TransferSyntaxUID)
    ae.add_requested_context(two.SOPClassUID, two.file_meta.TransferSyntaxUID)
    association = ae.associate("127.0.0.1", node.port, ae_title="LIVERMRE")
    assert [association.send_c_store(i).Status for i in (one, two)] == [0, 0]
    association.release()
    rows = node.node.journal.ask(
        "SELECT * FROM instances WHERE sop_uid IN (?, ?)", one.SOPInstanceUID, two.SOPInstanceUID
    )
    assert len(rows) == 2
    for row in rows:
        sent = one if row["sop_uid"] == one.SOPInstanceUID else two
        kept = dcmread(node.node.spool.place(row["study"], row["name"]))
        assert kept == sent and kept.file_meta.TransferSyntaxUID == sent.file_meta.TransferSyntaxUID
        assert set(row["name"]) <= set("0123456789abcdef-.dcm") and row["study"] not in str(sent)


def test_echo(node: Here) -> None:
    association = associate(node.port)
    assert association.send_c_echo().Status == 0
    association.release()


@pytest.mark.parametrize(("calling", "called"), [("STRANGER", "LIVERMRE"), ("SENDER", "OTHER")])
def test_strangers_are_turned_away(node: Here, calling: str, called: str) -> None:
    association = associate(node.port, calling, called)
    assert association.is_rejected and not association.is_established
    log = (data(node).parent / "node.log").read_text().splitlines()
    (said,) = [e for e in map(json.loads, log) if e["event"] == "association_rejected" and e["calling"] == calling][-1:]
    assert said["called"] == called
    assert said["reason"].startswith("its AE title" if calling == "STRANGER" else "it asks for another")


def test_a_header_that_cannot_be_filed_is_refused_and_leaves_nothing(node: Here, tmp_path: Path) -> None:
    before = set(node.node.spool.stored())
    nameless, other = image("none", 1), image("none", 2)
    del nameless.StudyInstanceUID
    association = associate(node.port)
    assert association.send_c_store(nameless).Status == 0xC000
    (path,) = written(tmp_path, [other])
    file = dcmread(path)
    file.file_meta.MediaStorageSOPInstanceUID = uid("another")  # the message says this, the data set something else
    file.save_as(path, enforce_file_format=False)
    assert association.send_c_store(path).Status == 0xA900
    association.release()
    assert set(node.node.spool.stored()) == before and not list(node.node.spool.incoming.iterdir())


@pytest.mark.parametrize("study", ["../../../etc", "/etc/passwd", "1.2.3/../4", "a\0b", "x" * 3000])
def test_no_path_from_a_header_is_a_path_on_disk(node: Here, study: str) -> None:
    """A Study Instance UID that is none is refused; one that looks like a UID becomes a hash."""
    ds = image("path", 1)
    ds["StudyInstanceUID"]._value = study  # no library would send this
    assert send(node.port, [ds]) == [0xC000]


def test_disk_full_is_out_of_resources(node: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    before = set(node.node.spool.stored())
    monkeypatch.setattr(node.node.spool, "min_free", 1 << 60)
    assert send(node.port, [image("full", 1)]) == [0xA700]
    monkeypatch.setattr(node.node.spool, "min_free", 0)
    assert set(node.node.spool.stored()) == before
    assert send(node.port, [image("full", 1)]) == [0]  # and afterwards it is taken


def test_counts_of_the_header_are_checked_at_release(node: Here) -> None:
    """A series that promises two images is not whole after one, only after its quiet time; with both it is at once."""
    send(node.port, [image("counted", 1, NumberOfSeriesRelatedInstances=2)])
    until(lambda: state(node, "counted") not in {"", "receiving"})
    send(node.port, [image("right", n, NumberOfSeriesRelatedInstances=2) for n in (1, 2)])
    until(lambda: state(node, "right") not in {"", "receiving"})

    def why(study: str) -> str:
        rows = node.node.journal.ask(
            "SELECT h.detail FROM history h JOIN studies s ON s.id=h.study WHERE uid=? AND event='queued'",
            uid("study", study),
        )
        return str(rows[0]["detail"])

    assert why("counted").startswith("quiet: fewer or more") and why("right") == "released: counts agree"


def test_nothing_of_the_patient_is_logged_or_shown(node: Here) -> None:
    send(node.port, [image("private", 1)])
    until(lambda: state(node, "private") == "done")
    log = (data(node).parent / "node.log").read_text()
    shown = "".join(answer()[2] for answer in node.node.answers().values())
    for secret in ("Simulated", "SIM-0815", uid("study", "private"), uid("image", "private", 1), "20261124"):
        assert secret not in log and secret not in shown
    assert all("event" in json.loads(line) for line in log.splitlines())


@pytest.mark.skipif(not shutil.which("storescu"), reason="DCMTK (storescu, echoscu) is not installed")
def test_dcmtk_sends(node: Here, tmp_path: Path) -> None:
    files = written(tmp_path / "in", [image("dcmtk", n) for n in range(3)])
    place = ["-aec", "LIVERMRE", "127.0.0.1", str(node.port)]
    subprocess.run(["echoscu", *place], check=True)
    subprocess.run(["storescu", *place, *map(str, files)], check=True)
    refused = subprocess.run(["storescu", "-aet", "STRANGER", *place, str(files[0])], capture_output=True, check=False)
    assert refused.returncode != 0
    until(lambda: state(node, "dcmtk") == "done")
    rows = node.node.journal.ask(
        "SELECT i.* FROM instances i JOIN studies s ON s.id=i.study WHERE uid=?", uid("study", "dcmtk")
    )
    for row in rows:
        assert (
            dcmread(node.node.spool.place(row["study"], row["name"])).PixelData
            == image("dcmtk", _number(row)).PixelData
        )


def _number(row: Any) -> int:
    return next(n for n in range(3) if uid("image", "dcmtk", n) == row["sop_uid"])

"""A worker whose analysis needs no network: one object made of all input bytes; a note may make it misbehave."""

import hashlib
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from livermre.apps.node.worker import serve

SC = "1.2.840.10008.5.1.4.1.1.7"


def analyse(images: Path, out: Path, settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    files = sorted(images.iterdir())
    content = [f.read_bytes() for f in files]
    everything = b"".join(content)
    if b"poison" in everything:
        os.kill(os.getpid(), signal.SIGKILL)
    if b"hang" in everything:
        time.sleep(3600)
    while b"gate" in everything and not (out.parents[1] / "gate").exists():
        time.sleep(0.05)
    if b"mistake" in everything:
        raise RuntimeError("Simulated^Patient")
    if b"no exam" in everything:
        return [{"status": "failed", "message": "no exam was found", "ours": False}]
    digest = hashlib.sha256(b"".join(sorted(hashlib.sha256(c).digest() for c in content))).hexdigest()
    (out / "exam").mkdir()
    dcmwrite(out / "exam" / "report_sc.dcm", result(dcmread(files[0]), digest), enforce_file_format=True)
    return [{"status": "measured", "message": "", "ours": False}]


def result(source: Dataset, digest: str) -> Dataset:
    """The object of an input, the same for the same bytes."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID, ds.SOPInstanceUID = UID(SC), UID(f"2.25.{int(digest[:30], 16)}")
    ds.StudyInstanceUID, ds.SeriesInstanceUID = source.StudyInstanceUID, UID(f"2.25.{int(digest[30:60], 16)}")
    ds.Modality, ds.PatientName, ds.PatientID = "OT", source.PatientName, source.PatientID
    ds.ImageComments = digest
    return ds


if __name__ == "__main__":
    serve(analyse)

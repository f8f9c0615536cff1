"""Small DICOM instances for the node's tests: simulated, with a study, a series and a few bytes of pixels."""

import hashlib
from pathlib import Path

import numpy as np
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

MR = "1.2.840.10008.5.1.4.1.1.4"
SC = "1.2.840.10008.5.1.4.1.1.7"


def uid(*parts: object) -> str:
    """A UID that depends on the parts only."""
    return f"2.25.{int(hashlib.sha256(repr(parts).encode()).hexdigest()[:30], 16)}"


def image(study: object, number: int, *, seed: int = 0, note: str = "", side: int = 16, **more: object) -> Dataset:
    """One MR image; `note` is the Image Comments, which the fake analysis reads."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID, ds.SOPInstanceUID = UID(MR), UID(uid("image", study, number))
    ds.Modality, ds.PatientName, ds.PatientID = "MR", "Simulated^Patient", "SIM-0815"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = UID(uid("study", study)), UID(uid("series", study))
    ds.InstanceNumber, ds.ImageComments = number, note
    ds.StudyDate = "20261124"
    ds.Rows = ds.Columns = side
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    pixels = np.random.default_rng([seed, number]).integers(0, 4000, (side, side), dtype=np.uint16)
    ds.PixelData = pixels.tobytes()
    for keyword, value in more.items():
        setattr(ds, keyword, value)
    return ds


def implicit(ds: Dataset) -> Dataset:
    """The same instance in the other little-endian transfer syntax."""
    ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    return ds


def written(folder: Path, images: list[Dataset]) -> list[Path]:
    """The instances as files."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for ds in images:
        path = folder / f"{ds.SOPInstanceUID}.dcm"
        dcmwrite(path, ds, enforce_file_format=True)
        paths.append(path)
    return paths

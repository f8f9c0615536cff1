"""Datasets to the bytes of a file, explicit VR little endian: the same dataset gives the same bytes."""

import struct
from io import BytesIO

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element
from pydicom.uid import ExplicitVRLittleEndian

IMPLEMENTATION = "2.25.42218322897081385656810324430833686280"  # a UUID as number, made once
_ENCODING = ["latin-1"]  # ISO_IR 100


def encoded(ds: Dataset) -> bytes:
    """The file of a dataset."""
    ds.file_meta = _meta(ds.SOPClassUID, ds.SOPInstanceUID)
    stream = BytesIO()
    ds.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _meta(sop_class: str, sop_instance: str) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\0\1"
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = sop_class, sop_instance
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID, meta.ImplementationVersionName = IMPLEMENTATION, "LIVERMRE"
    return meta


class Template:
    """Files that share most attributes: those are encoded once, which saves most of the work of writing small images.

    common  what all files share; it may grow until the first file
    """

    def __init__(self, common: Dataset) -> None:
        self.common = common
        self._shared: dict[int, bytes] = {}
        self._meta: dict[int, bytes] = {}

    def file(self, own: Dataset, pixels: bytes) -> bytes:
        """The file of the common attributes, an image's own, which win, and its pixels: the bytes that pydicom writes.

        own  at least SOP Instance UID; elements of one or several values, no sequences
        """
        if not self._shared:
            self._shared = _elements(self.common)
            self._meta = _elements(_meta(self.common.SOPClassUID, own.SOPInstanceUID))
        name = Dataset()
        name.MediaStorageSOPInstanceUID = own.SOPInstanceUID
        head, body = {**self._meta, **_elements(name)}, {**self._shared, **_elements(own)}
        meta = b"".join(head[tag] for tag in sorted(head))
        return b"".join(
            (
                bytes(128) + b"DICM" + struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(meta)),
                meta,
                *(body[tag] for tag in sorted(body)),
                struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OW", 0, len(pixels)),
                pixels,
            )
        )


def _elements(ds: Dataset) -> dict[int, bytes]:
    """Every element of a dataset as bytes, by tag in order."""
    found = {}
    for element in ds:
        stream = DicomBytesIO()
        stream.is_little_endian, stream.is_implicit_VR = True, False
        write_data_element(stream, element, _ENCODING)
        found[int(element.tag)] = stream.getvalue()
    return found

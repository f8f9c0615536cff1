"""The page for people as DICOM: Encapsulated PDF, and a Secondary Capture for viewers that show neither SR nor SEG."""

from dataclasses import dataclass, field

import numpy as np

from livermre.dicom.objects.base import RESEARCH, Kind, Order, base
from livermre.dicom.objects.codes import own_scheme, sequence
from livermre.dicom.objects.items import Item
from livermre.dicom.objects.words import ELASTOGRAPHY

PDF = Kind("page", "1.2.840.10008.5.1.4.1.1.104.1", "DOC", 9050, "livermre report")
PICTURE = Kind("picture", "1.2.840.10008.5.1.4.1.1.7", "OT", 9060, "livermre overlay")


@dataclass(frozen=True)
class Pages:
    """What the report room made of a finding; None leaves the object out.

    pdf      bytes of report.pdf
    picture  (R, C, 3) uint8, RGB
    """

    pdf: bytes | None = field(default=None, repr=False)
    picture: np.ndarray | None = field(default=None, repr=False)


def encapsulated_pdf(order: Order, pdf: bytes, *, identified: bool) -> Item:
    """Encapsulated PDF Storage (PS3.3 A.45.1).

    identified  whether the page carries the patient's ID and date
    """
    ds = base(order, PDF)
    ds.ConversionType = "WSD"
    ds.AcquisitionDateTime = order.source.date + order.source.time
    ds.BurnedInAnnotation = "YES" if identified else "NO"
    ds.DocumentTitle = f"Liver MR elastography. {RESEARCH}"
    ds.ConceptNameCodeSequence = sequence(ELASTOGRAPHY)
    ds.CodingSchemeIdentificationSequence = [own_scheme()]
    ds.SourceInstanceSequence = _sources(order)
    ds.MIMETypeOfEncapsulatedDocument = "application/pdf"
    ds.EncapsulatedDocumentLength = len(pdf)
    ds.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    return ds


def secondary_capture(order: Order, picture: np.ndarray) -> Item:
    """Secondary Capture Image Storage (PS3.3 A.8.1) of (R, C, 3) uint8 RGB."""
    ds = base(order, PICTURE)
    ds.ConversionType = "WSD"
    ds.ImageType = ["DERIVED", "SECONDARY", "OTHER"]
    ds.PatientOrientation = ""
    ds.BurnedInAnnotation, ds.LossyImageCompression = "NO", "00"
    ds.ImageComments, ds.BodyPartExamined = RESEARCH, "LIVER"
    ds.SourceImageSequence = _sources(order)
    ds.Rows, ds.Columns = picture.shape[:2]
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, "RGB", 0
    ds.BitsAllocated = ds.BitsStored = 8
    ds.HighBit, ds.PixelRepresentation = 7, 0
    data = np.ascontiguousarray(picture, dtype=np.uint8).tobytes()
    ds.PixelData = data + b"\0" * (len(data) % 2)
    return ds


def _sources(order: Order) -> list[Item]:
    images = dict.fromkeys((i.sop_class, i.sop_instance) for i in order.source.images)
    return [Item(ReferencedSOPClassUID=c, ReferencedSOPInstanceUID=i) for c, i in images]

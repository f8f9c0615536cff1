"""A folder of DICOM without patients: new files, and a report of what was changed that holds no old value."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from livermre.dicom.deidentify.attributes import OPTIONS
from livermre.dicom.deidentify.clean import NO_SECRET, Secret, cleaned, patient_of
from livermre.dicom.deidentify.pixels import blanked, refusal
from livermre.dicom.files import DicomFile, open_all, quiet_pydicom, read_dataset
from livermre.dicom.header import Tag
from livermre.dicom.scan import EXPLICIT, IMPLICIT
from livermre.dicom.write.encode import IMPLEMENTATION
from livermre.exam.atomic import write_bytes
from livermre.exam.errors import CorruptFile, NothingFound, OutputError
from livermre.version import __version__


@dataclass(frozen=True)
class Deidentified:
    """What became of a folder.

    attributes  (attribute, action of PS3.15 Table E.1-1) -> how often
    refused     reason -> how many files
    """

    written: int
    letters: int
    attributes: Counter[tuple[str, str]]
    refused: Counter[str]

    def as_dict(self) -> dict[str, object]:
        """For a report that people keep: no old value, no file name."""
        return {
            "livermre": __version__,
            "profile": [{"code": c, "meaning": m} for c, m in OPTIONS.items()],
            "files_written": self.written,
            "files_refused": [{"reason": r, "files": n} for r, n in sorted(self.refused.items())],
            "pixels_blanked": self.letters,
            "attributes": [
                {"attribute": name, "action": action, "count": n}
                for (name, action), n in sorted(self.attributes.items())
            ],
        }


def deidentify(path: Path, out: Path, secret: Secret = NO_SECRET) -> Deidentified:
    """Write every MR image of a file or folder into `out`, which exists, without what tells who the patient is.

    Files are named by series and number; nothing of an old name stays. Where there are several patients or studies each
    has a folder of its own, `P-.../studyNNN`. Raises NothingFound where no file can be
    written, OutputError where the disk refuses.
    """
    folder = open_all([path])
    attributes, refused, letters = Counter[tuple[str, str]](), Counter[str](), 0
    refused.update("damaged" for _ in folder.damaged)
    names = _names(folder.files, secret)
    written = 0
    with quiet_pydicom():
        for file in folder.files:
            try:
                data, counts, found = _one(file, secret)
            except _Refused as reason:
                refused[str(reason)] += 1
                continue
            target = out / names[file.path]
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise OutputError(f"cannot make a folder in {out}: {error.strerror or error}") from error
            write_bytes(target, data)
            attributes.update(counts)
            letters, written = letters + found, written + 1
    if not written:
        reasons = "; ".join(sorted(refused)) or "it holds no DICOM"
        raise NothingFound(f"{path.name} holds nothing that can be de-identified: {reasons}")
    return Deidentified(written, letters, attributes, refused)


_PATIENT_NAME = 0x00100010


class _Refused(Exception):
    """A file that is left out; its text is the reason."""


def _one(file: DicomFile, secret: Secret) -> tuple[bytes, Counter[tuple[str, str]], int]:
    reason = refusal(file)
    if reason:
        raise _Refused(reason)
    try:
        ds = read_dataset(file.path, pixels=True)
        if str(ds.get("BurnedInAnnotation", "")).upper() == "YES":
            raise _Refused("the header says that text is burned in")
        letters = blanked(file, ds)
        result, counts = cleaned(ds, secret)
        return _bytes(result, file.transfer_syntax), counts, letters
    except _Refused:
        raise
    except CorruptFile as error:
        raise _Refused("damaged") from error
    except Exception as error:  # pydicom converts values on touch and may raise anything on damaged ones
        raise _Refused(f"its header or pixels cannot be rewritten ({type(error).__name__})") from error


def _bytes(ds: Dataset, syntax: str) -> bytes:
    ds.file_meta = FileMetaDataset()
    ds.file_meta.FileMetaInformationVersion = b"\0\1"
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian if syntax in ("", IMPLICIT, EXPLICIT) else syntax
    ds.file_meta.ImplementationClassUID, ds.file_meta.ImplementationVersionName = IMPLEMENTATION, "LIVERMRE"
    stream = BytesIO()
    ds.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _names(files: tuple[DicomFile, ...], secret: Secret) -> dict[Path, str]:
    """A new name for every file: a folder a series; above it one a patient and study, where there are several."""
    studies: dict[tuple[str, str], list[DicomFile]] = {}
    for file in files:
        if refusal(file):
            continue
        who = secret.pseudonym(patient_of(file.header.text(Tag.PATIENT_ID), file.header.text(_PATIENT_NAME)))
        studies.setdefault((who, secret.uid(file.header.text(Tag.STUDY_UID))), []).append(file)
    names: dict[Path, str] = {}
    numbers: Counter[str] = Counter()
    for who, study in sorted(studies):  # by their new names: the order tells nothing
        numbers[who] += 1
        above = f"{who}/study{numbers[who]:03d}/" if len(studies) > 1 else ""
        names |= {path: above + name for path, name in _named(studies[who, study])}
    return names


def _named(files: list[DicomFile]) -> Iterator[tuple[Path, str]]:
    """Names within a study: series by number, images in the order of Instance Number."""
    series: dict[str, list[DicomFile]] = {}
    for file in files:
        series.setdefault(file.header.text(Tag.SERIES_UID), []).append(file)
    order = sorted(
        series.values(), key=lambda fs: (fs[0].header.integer(Tag.SERIES_NUMBER), fs[0].header.text(Tag.SERIES_UID))
    )
    for n, members in enumerate(order, start=1):
        members.sort(key=lambda f: (f.header.integer(Tag.INSTANCE_NUMBER), f.header.text(Tag.SOP_INSTANCE)))
        for i, file in enumerate(members, start=1):
            yield file.path, f"series{n:03d}/image{i:05d}.dcm"

"""UIDs and the digest behind them: the same inputs give the same names, anything else gives new ones. No clock."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from livermre.exam.types import Finding


def uid_of(*what: object) -> str:
    """A UID under 2.25 (PS3.5 B.2: a 128-bit number) that is a hash of what it names."""
    digest = bytearray(hashlib.sha256("\0".join(map(str, what)).encode("utf-8", "replace")).digest()[:16])
    digest[6], digest[8] = digest[6] & 0x0F | 0x80, digest[8] & 0x3F | 0x80  # the form of a UUID, version 8 (RFC 9562)
    return f"2.25.{int.from_bytes(digest, 'big')}"


@dataclass(frozen=True)
class Names:
    """UIDs of one set of objects.

    digest  hash of everything that the objects hold
    """

    digest: str

    def uid(self, *what: object) -> str:
        """The UID of one thing: an object, a series, a tracked region."""
        return uid_of("livermre", self.digest, *what)


def names_of(finding: Finding, pdf: bytes | None, picture: np.ndarray | None, deidentified: bool | str) -> Names:
    """Names for the objects of a finding and its pages.

    deidentified  whether they carry no patient, or the fingerprint of the key that hides the patient
    """
    sha = hashlib.sha256()
    for part in (*_parts(finding, deidentified), pdf or b"", b"" if picture is None else _bytes(picture)):
        sha.update(len(part).to_bytes(8, "little"))
        sha.update(part)
    return Names(sha.hexdigest())


def _parts(finding: Finding, deidentified: bool | str) -> Iterator[bytes]:
    made, exam = finding.provenance, finding.exam
    settings = json.dumps(made.settings, sort_keys=True, default=str)
    said = (
        made.inputs_sha256, made.livermre, made.model, made.model_sha256, settings, made.stiffness_source,
        finding.stiffness, finding.stage, finding.flags, finding.roi.author, finding.liver.model, exam.acquisition,
        exam.quantity, exam.inversion, [s.plane for s in exam.slices], deidentified,
    )  # fmt: skip
    yield repr(said).encode("utf-8", "replace")
    for array in (finding.liver.liver, finding.roi.keep, exam.stiffness_kpa, exam.confidence):
        yield b"" if array is None else _bytes(array)


def _bytes(array: np.ndarray) -> bytes:
    return np.ascontiguousarray(array).tobytes()

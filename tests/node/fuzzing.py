"""What is fuzzed: the reader with whole exams, the reader of masks, the node's parsers, and the node's door.

Each is a target of guided.py: an input is bytes, the first of which choose what they are used for.
"""

import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless
from pynetdicom import AE, build_context
from pynetdicom.dimse_messages import C_STORE_RQ
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.dsutils import encode
from pynetdicom.pdu import P_DATA_TF

from dicom.damage import damaged
from dicom.makers import VENDORS
from dicom.phantom import phantom
from livermre.apps.node import web, wire
from livermre.dicom import inspect, masks, read_folder
from livermre.exam.errors import LivermreError
from livermre.exam.study import ReadOptions, Study
from node.found import Found
from node.made import MR, image
from node.mutants import mutant

EXPLICIT = "1.2.840.10008.1.2.1"
_PREAMBLE = 132
"""Bytes of a file without which it is no DICOM (PS3.10, 7.1): what is shorter is a stranger in the folder."""
_DELIMITER = 8
"""Bytes behind the last frame of compressed pixels (PS3.5, A.4): without them no pixel is missing."""
COMPRESSED = (RLELossless, JPEG2000Lossless, JPEGLSLossless)


@dataclass
class _World:
    """An exam on the disk of which one file at a time is replaced."""

    paths: list[Path]
    contents: list[bytes]
    whole: tuple[int, int, int]
    folder: Path


class Reader:
    """An exam with one file replaced: it is read, or one of livermre's own errors says why not.

    Where a file that holds pixels was cut short and nobody says a word about it, that is a wrong answer too.
    """

    name = "reader"

    def __init__(self, place: Path, exams: Sequence[Path] = (), styles: Sequence[str] = ()) -> None:
        self._place = Path(tempfile.mkdtemp(dir=place))
        self.read = 0
        self._worlds = [self._world(e) for e in exams] or [self._world(e) for e in _exams(self._place, styles)]
        self.seeds = [
            bytes([w, f]) + c for w, world in enumerate(self._worlds) for f, c in _one_a_series(world.contents)
        ]

    def _world(self, exam: Path) -> _World:
        folder = Path(tempfile.mkdtemp(dir=self._place))
        contents = [p.read_bytes() for p in sorted(exam.rglob("*")) if p.is_file()][:256]
        paths = [folder / f"{n}.dcm" for n in range(len(contents))]
        for path, content in zip(paths, contents, strict=True):
            path.write_bytes(content)
        return _World(paths, contents, _slices(folder), folder)

    def run(self, data: bytes) -> str:
        """Read the exam with this file in it; every fourth input goes through `inspect` too."""
        if len(data) < 2:
            return ""
        world = self._worlds[data[0] % len(self._worlds)]
        at, content = data[1] % len(world.contents), data[2:]
        whole = world.contents[at]
        world.paths[at].write_bytes(content)
        try:
            reading = read_folder([world.folder], ReadOptions())
            clean = bool(reading.studies) and not reading.failures
            self.read += clean
            cut = _PREAMBLE < len(content) < len(whole) - _DELIMITER and whole.startswith(content)
            if cut and clean and len(reading.studies) == 1 and _told(reading.studies[0]) == world.whole:
                return f"{world.paths[at].name} was cut short and nobody says so"
            if len(content) % 4 == 0:
                inspect([world.folder])
        except LivermreError:
            pass
        finally:
            world.paths[at].write_bytes(whole)
        return ""

    def mutate(self, data: bytes, rng: np.random.Generator) -> bytes:
        """A file changed, or an untouched one cut short within its pixels."""
        if rng.random() < 0.1:
            data = self.seeds[int(rng.integers(len(self.seeds)))]
            return data[: len(data) - int(rng.integers(2, 400))]
        return data[:2] + mutant(data[2:], rng)


def _exams(place: Path, styles: Sequence[str]) -> Iterator[Path]:
    """A small exam of every style that livermre reads, and one in each compressed form."""
    for vendor in VENDORS:
        if not styles or vendor.name in styles:
            small = phantom(slices=3 if "3d" in vendor.name or "mosaic" in vendor.name else 1, rows=24, columns=24)
            yield vendor.make(small).write(place / vendor.name)
    for n, syntax in enumerate(COMPRESSED if not styles else ()):
        folder = VENDORS[0].make(phantom(slices=1, rows=64, columns=64)).write(place / f"compressed{n}")
        for path in folder.iterdir():
            ds = dcmread(path)
            ds.compress(syntax, generate_instance_uid=False)
            ds.save_as(path)
        yield folder


def _one_a_series(contents: Sequence[bytes]) -> list[tuple[int, bytes]]:
    """(number, content) of the first file of every series: the others differ in little."""
    first: dict[str, tuple[int, bytes]] = {}
    for number, content in enumerate(contents):
        ds = dcmread(BytesIO(content), specific_tags=["SeriesInstanceUID", "ImageType", "ImageComments"])
        first.setdefault(str(ds), (number, content))
    return list(first.values())


def _slices(folder: Path) -> tuple[int, int, int]:
    (study,) = read_folder([folder], ReadOptions()).studies
    return _told(study)


def _told(study: Study) -> tuple[int, int, int]:
    """What an exam holds: slices, flags, and pixels of every kind."""
    planes = [
        a for s in study.exam.slices for a in (s.stiffness_kpa, s.confidence, s.phase_rad, s.wave_rad) if a is not None
    ]
    return len(study.exam.slices), len(study.exam.flags), sum(a.size for a in planes)


class Masks:
    """A DICOM mask file, read onto an exam as `--liver` and as `--roi`: a mask or one of livermre's own errors."""

    name = "masks"

    def __init__(self, study: Study, files: Sequence[Path], place: Path) -> None:
        self._exam, self._file = study.exam, place / "mask.dcm"
        self.seeds = [f.read_bytes() for f in files]
        self.read = 0

    def run(self, data: bytes) -> str:
        """Read it both ways."""
        self._file.write_bytes(data)
        for wanted in (masks.LIVER, masks.REGION):
            with suppress(LivermreError):
                found = masks.read_mask(self._file, self._exam, wanted)
                self.read += 1
                if found.dtype != bool or found.shape != np.shape(self._exam.magnitude):
                    return f"a mask of type {found.dtype} and shape {found.shape}"
        return ""

    def mutate(self, data: bytes, rng: np.random.Generator) -> bytes:
        """A file changed."""
        return mutant(data, rng)


class Parsers:
    """The node's own parsers on data sets, files and multipart answers: an answer, or Unreadable, WebError."""

    name = "parsers"

    def __init__(self) -> None:
        ds = image("fuzz", 1)
        ds.RequestAttributesSequence = [Dataset()]
        self._sop = str(ds.SOPInstanceUID)
        data = encode(ds, False, True)
        file = wire.file_start(MR, self._sop, EXPLICIT) + data
        body = b"--B\r\nContent-Type: application/dicom\r\n\r\n" + file + b"\r\n--B--\r\n"
        self.seeds = [b"\0" + data, b"\1" + encode(ds, True, True), b"\2" + encode(ds, False, False), b"\3" + file,
                      b"\4" + body]  # fmt: skip
        self.read = 0

    def run(self, data: bytes) -> str:
        """Give it to the parser that its first byte names."""
        kind, data = (data[0] % 5 if data else 0), data[1:]
        with suppress(wire.Unreadable, web.WebError):
            if kind < 3:
                wire.header(data, (EXPLICIT, wire.IMPLICIT, wire.BIG_ENDIAN)[kind], self._sop)
            elif kind == 3:
                wire.part10(data)
            else:
                web.parts_of(web.Answer(200, 'multipart/related; boundary="B"', data))
            self.read += 1
        return ""

    def mutate(self, data: bytes, rng: np.random.Generator) -> bytes:
        """Bytes changed near the start, where the headers are."""
        return data[:1] + damaged(data[1:] or b"\0\0", rng, 400)


def request_bytes() -> bytes:
    """The A-ASSOCIATE-RQ that a sender would send."""
    got = bytearray()
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()

        def listen() -> None:
            peer, _ = door.accept()
            with peer:
                got.extend(peer.recv(1 << 16))

        thread = threading.Thread(target=listen)
        thread.start()
        ae = AE("SENDER")
        ae.acse_timeout = 5
        contexts = [build_context(MR), build_context(wire.VERIFICATION), build_context(wire.COMMITMENT_CLASS)]
        ae.associate("127.0.0.1", door.getsockname()[1], contexts=contexts, ae_title="LIVERMRE")
        thread.join()
    return bytes(got)


def store_pdus(ds: Dataset, context: int = 1, size: int = 400) -> Iterator[bytes]:
    """The C-STORE of an instance as it goes over the wire, in small pieces."""
    request = C_STORE()
    request.MessageID, request.Priority = 7, 2
    request.AffectedSOPClassUID, request.AffectedSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    request.DataSet = BytesIO(encode(ds, False, True))
    message = C_STORE_RQ()
    message.primitive_to_message(request)
    for piece in message.encode_msg(context, size):
        pdu = P_DATA_TF()
        pdu.from_primitive(piece)
        yield pdu.encode()


@dataclass
class Door:
    """Associations and messages for a node's port: whatever comes, the node ends the connection by itself.

    An input is what a peer says; one that begins with a zero byte says it after a proper association request.
    """

    port: int
    wait_seconds: float = 15.0
    name: str = "door"
    read: int = 0
    seeds: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._request = request_bytes()
        release = bytes([5, 0, 0, 0, 0, 4, 0, 0, 0, 0])
        message = b"".join(store_pdus(image("fuzz", 1)))
        self.seeds = [b"\1" + self._request, b"\0" + message, b"\0" + message + release, b"\0" + message[:900],
                      b"\0" + message + message, b"\0" + release]  # fmt: skip

    def run(self, data: bytes) -> str:
        """Say it, say no more, and wait for the end."""
        with socket.create_connection(("127.0.0.1", self.port), self.wait_seconds) as sock:
            try:
                if data[:1] == b"\0":
                    sock.sendall(self._request)
                    sock.recv(1 << 16)
                sock.sendall(data[1:])
                sock.shutdown(socket.SHUT_WR)
                while part := sock.recv(1 << 16):
                    self.read += part[0] == 4  # P-DATA: an answer to a message
            except TimeoutError:
                return f"the connection stays open for {self.wait_seconds:g} s after its end"
            except OSError:  # the node has ended it
                return ""
        return ""

    def mutate(self, data: bytes, rng: np.random.Generator) -> bytes:
        """Bytes changed, most often in the first PDUs; now and then another instance."""
        if rng.random() < 0.1:
            data = b"\0" + b"".join(
                store_pdus(image("fuzz", int(rng.integers(1 << 30))), size=int(rng.integers(64, 4000)))
            )
        return data[:1] + damaged(data[1:] or b"\0\0", rng, 900)


def settled(connections: Callable[[], int], seconds: float = 30) -> bool:
    """Whether a node lets go of every connection within a time."""
    end = time.monotonic() + seconds
    while connections() and time.monotonic() < end:
        time.sleep(0.05)
    return not connections()


__all__ = ["Door", "Found", "Masks", "Parsers", "Reader", "settled"]

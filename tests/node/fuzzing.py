"""Damaged files for the reader and damaged messages for the node's door; both forms of the fuzzing use these.

Seeds only: the same seed gives the same bytes. What fails is written down by its seed and step.
"""

import resource
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pynetdicom import AE, build_context
from pynetdicom.dimse_messages import C_STORE_RQ
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.dsutils import encode
from pynetdicom.pdu import P_DATA_TF

from dicom.damage import damaged
from livermre.apps.node import web, wire
from livermre.dicom import read_folder
from livermre.exam.errors import LivermreError
from livermre.exam.study import ReadOptions
from node.made import MR, image

LONGEST_SECONDS, MOST_BYTES = 5.0, 1 << 30
EXPLICIT = "1.2.840.10008.1.2.1"


def _peak_bytes() -> int:
    """The most memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@dataclass
class Found:
    """What a campaign tried and what went wrong."""

    tried: int = 0
    read: int = 0
    failures: list[str] = field(default_factory=list)
    longest_seconds: float = 0.0
    before_bytes: int = field(default_factory=_peak_bytes)  # of this process, which may have run other tests

    def step(self, name: str, seconds: float) -> None:
        self.tried += 1
        self.longest_seconds = max(self.longest_seconds, seconds)
        if seconds > LONGEST_SECONDS:
            self.failures.append(f"{name}: {seconds:.1f} s of processor time")
        used = _peak_bytes()
        most = max(MOST_BYTES, self.before_bytes + MOST_BYTES // 2)
        if used > most and not any("memory" in f for f in self.failures):
            self.failures.append(f"{name}: {used >> 20} MiB of memory")


def reader(exam: Path, seconds: float, seed: int) -> Found:
    """Damage one file of an exam at a time: the reader gives an exam or one of its own errors, nothing else.

    Where a pixel file was cut short, an exam without a word about it is a failure too.
    """
    found, files = Found(), sorted(p for p in exam.rglob("*") if p.is_file())
    end = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / "exam"
        copy.mkdir()
        for number, path in enumerate(files):
            (copy / str(number)).write_bytes(path.read_bytes())
        whole = _slices(copy)
        while time.monotonic() < end:
            name = f"reader seed {seed} step {found.tried}"
            rng = np.random.default_rng([seed, found.tried])
            chosen = int(rng.integers(len(files)))
            content = files[chosen].read_bytes()
            cut = rng.random() < 0.2
            harmed = content[: len(content) - int(rng.integers(2, 400))] if cut else damaged(content, rng)
            began = time.process_time()
            (copy / str(chosen)).write_bytes(harmed)
            try:
                reading = read_folder([copy], ReadOptions())
                found.read += bool(reading.studies) and not reading.failures
                if cut and len(reading.studies) == 1 and not reading.failures and _slices(copy) == whole:
                    found.failures.append(f"{name}: {files[chosen].name} was cut short and nobody says so")
            except LivermreError:
                pass
            except Exception as error:
                found.failures.append(f"{name}: {type(error).__name__}: {error}")
            found.step(name, time.process_time() - began)
            (copy / str(chosen)).write_bytes(content)
    return found


def _slices(folder: Path) -> tuple[int, int, int]:
    """What an exam holds: slices, flags, and pixels of every kind."""
    (study,) = read_folder([folder], ReadOptions()).studies
    planes = [
        a for s in study.exam.slices for a in (s.stiffness_kpa, s.confidence, s.phase_rad, s.wave_rad) if a is not None
    ]
    return len(study.exam.slices), len(study.exam.flags), sum(a.size for a in planes)


def headers(seconds: float, seed: int) -> Found:
    """The node's own parsers on damaged data sets, files and multipart answers: an answer or Unreadable, WebError."""
    found, end = Found(), time.monotonic() + seconds
    ds = image("fuzz", 1)
    ds.RequestAttributesSequence = [Dataset()]
    data, sop = encode(ds, False, True), str(ds.SOPInstanceUID)
    file = wire.file_start(MR, sop, EXPLICIT) + data
    body = b"--B\r\nContent-Type: application/dicom\r\n\r\n" + file + b"\r\n--B--\r\n"
    while time.monotonic() < end:
        name, rng = f"headers seed {seed} step {found.tried}", np.random.default_rng([seed, found.tried])
        began = time.process_time()
        try:
            with suppress(wire.Unreadable):
                wire.header(damaged(data, rng, 400), str(rng.choice([EXPLICIT, wire.IMPLICIT, wire.BIG_ENDIAN])), sop)
                found.read += 1
            with suppress(wire.Unreadable):
                wire.part10(damaged(file, rng, 600))
            with suppress(web.WebError):
                web.parts_of(web.Answer(200, 'multipart/related; boundary="B"', damaged(body, rng, 200)))
        except Exception as error:
            found.failures.append(f"{name}: {type(error).__name__}: {error}")
        found.step(name, time.process_time() - began)
    return found


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
        ae.associate("127.0.0.1", door.getsockname()[1], contexts=[build_context(MR)], ae_title="LIVERMRE")
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


def door(port: int, seconds: float, seed: int) -> Found:
    """Damaged associations and messages; the caller looks afterwards whether the node is well."""
    found, end, request = Found(), time.monotonic() + seconds, request_bytes()
    while time.monotonic() < end:
        rng = np.random.default_rng([seed, found.tried])
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
            sock.settimeout(0.5)
            if rng.random() < 0.3:
                sock.sendall(damaged(request, rng, len(request)))
                sock.recv(1 << 16)
            else:
                sock.sendall(request)
                sock.recv(1 << 16)
                message = b"".join(store_pdus(image("fuzz", found.tried)))
                sock.sendall(damaged(message, rng, 900))
                found.read += bool(sock.recv(1 << 16))
        found.tried += 1
    return found

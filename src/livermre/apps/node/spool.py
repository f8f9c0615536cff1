"""The disk: what is put here is whole and stays, also after a power cut. No name here comes from a header.

Order of a put: write a hidden file, fsync it, rename it, fsync its folder (POSIX promises a name only after the last).
"""

import errno
import hashlib
import os
import shutil
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

MIB = 1 << 20
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
_LOCKS = 256


class NoRoom(Exception):
    """The disk did not take it: nothing of it remains, and it must not be acknowledged."""


def study_id(uid: str) -> str:
    """The name of a study on disk, in the journal's history and in the log: a hash of its UID."""
    return hashlib.sha256(uid.encode()).hexdigest()[:32]


def file_name(sop_uid: str, sha256: str) -> str:
    """The name of an instance on disk: a hash of its UID and one of its bytes, so that no two bytes share a name."""
    return f"{hashlib.sha256(sop_uid.encode()).hexdigest()[:24]}-{sha256[:24]}.dcm"


class Spool:
    """Folders below `root`: incoming/ (half-written), studies/ (acknowledged), runs/ (inputs), results/."""

    def __init__(self, root: Path, min_free_bytes: int = 0) -> None:
        self.root, self.min_free = root, min_free_bytes
        self.incoming, self.studies = root / "incoming", root / "studies"
        self.runs, self.results = root / "runs", root / "results"
        self._locks = [threading.Lock() for _ in range(_LOCKS)]
        self._number = iter(range(1 << 62))

    def open(self) -> None:
        """Make the folders, and forget what an earlier life left half-written."""
        for folder in (self.root, self.incoming, self.studies, self.runs, self.results):
            folder.mkdir(mode=0o700, exist_ok=True)
        for left in (*self.incoming.iterdir(), *self.runs.iterdir()):
            remove(left)
        sync_folder(self.root)

    def lock(self, name: str) -> threading.Lock:
        """Held from the first look at an instance to its row in the journal."""
        return self._locks[hash(name) % _LOCKS]

    def place(self, study: str, name: str) -> Path:
        """Where an instance lies."""
        return self.studies / study / name

    def free_bytes(self) -> int:
        """What the disk has left for the node's user."""
        return shutil.disk_usage(self.root).free

    def put(self, study: str, name: str, parts: Sequence[bytes | memoryview]) -> Path:
        """The parts as one file, there whole and for good when this returns; NoRoom where the disk refuses."""
        size = sum(len(p) for p in parts)
        if self.free_bytes() - size < self.min_free:
            raise NoRoom("less would be free than min_free_mib")
        target = self.place(study, name)
        partial = self.incoming / f"{os.getpid()}-{next(self._number)}"
        try:
            self._folder_of(target)
            write_synced(partial, parts)
            partial.rename(target)
            sync_folder(target.parent)
        except OSError as error:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            if error.errno in _FULL:
                raise NoRoom(os.strerror(error.errno)) from error
            raise
        return target

    def _folder_of(self, target: Path) -> None:
        if not target.parent.is_dir():
            target.parent.mkdir(mode=0o700, exist_ok=True)
            sync_folder(self.studies)

    def drop(self, study: str, name: str) -> None:
        """Remove an instance, and its folder if that is empty."""
        with suppress(OSError):
            self.place(study, name).unlink(missing_ok=True)
            self.place(study, name).parent.rmdir()

    def inputs(self, run: int, study: str, names: Iterable[str]) -> Path:
        """A folder of links to exactly these instances: what arrives meanwhile is not seen by the analysis."""
        folder = self.runs / str(run) / "exam"
        remove(folder.parent)
        folder.mkdir(parents=True)
        for name in names:
            os.link(self.place(study, name), folder / name)
        return folder

    def result_folder(self, run: int) -> Path:
        """Where a run writes; each has its own, so that one of an earlier life cannot meddle."""
        return self.results / str(run)

    def end_run(self, run: int) -> None:
        """The links are no longer needed."""
        remove(self.runs / str(run))

    def stored(self) -> Iterator[tuple[str, str]]:
        """Every instance that lies here: study, name."""
        for folder in sorted(self.studies.iterdir()):
            if folder.is_dir():
                yield from ((folder.name, p.name) for p in sorted(folder.iterdir()))

    def result_runs(self) -> list[int]:
        """The runs that have left results."""
        return sorted(int(p.name) for p in self.results.iterdir() if p.name.isdecimal())


def write_synced(path: Path, parts: Iterable[bytes | memoryview]) -> None:
    """A new file with these bytes, which are on the disk when this returns."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        for part in parts:
            rest = memoryview(part)
            while rest:
                rest = rest[os.write(handle, rest) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """The names in a folder are on the disk when this returns."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Every file and name below a folder is on the disk when this returns."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
    for path in [*(p for p in folder.rglob("*") if p.is_dir()), folder, folder.parent]:
        sync_folder(path)


def remove(path: Path) -> None:
    """Remove a file or a folder, links not followed; what cannot be removed stays."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

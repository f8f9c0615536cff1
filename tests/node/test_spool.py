"""The disk: whole or not at all, whatever fails, and there for good before anybody is told so."""

import errno
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from livermre.apps.node import spool as disk
from livermre.apps.node.spool import NoRoom, Spool, file_name, study_id


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    made = Spool(tmp_path / "data")
    made.open()
    return made


NAME = file_name("1.2.3", "ab" * 32)


def test_names_hold_nothing_of_a_header() -> None:
    """SHA-256 of FIPS 180-4 ("abc"), and 24 digits of two hashes: no UID, no slash, no two bytes with one name."""
    assert study_id("abc") == "ba7816bf8f01cfea414140de5dae2223"
    assert file_name("../../x", "f" * 64) != file_name("../../x", "e" * 64)
    assert "/" not in file_name("../../x", "f" * 64) and ".." not in file_name("../../x", "f" * 64)


def test_a_put_is_the_parts_joined(spool: Spool) -> None:
    path = spool.put("s", NAME, [b"one", memoryview(b"two"), b""])
    assert path.read_bytes() == b"onetwo" and not list(spool.incoming.iterdir())
    assert list(spool.stored()) == [("s", NAME)]
    assert path.stat().st_mode & 0o077 == 0 and spool.studies.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("step", ["open", "write", "fsync", "rename", "mkdir"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_disk_that_fails_at_any_step_leaves_nothing(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, step: str, code: int
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        if step in {"rename", "mkdir"}:
            patch.setattr(Path, step, fails)
        else:
            patch.setattr(disk.os, step, fails)
        with pytest.raises(NoRoom):
            spool.put("s", NAME, [b"bytes"])
    assert not list(spool.incoming.iterdir()) and not list(spool.stored())
    spool.put("s", NAME, [b"bytes"])  # and when there is room again it goes on


def test_short_writes_are_continued(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """write(2) may take less than it was given; a full disk often does so before it fails."""
    true = os.write
    monkeypatch.setattr(disk.os, "write", lambda handle, data: true(handle, bytes(data[:3])))
    assert spool.put("s", NAME, [b"0123456789" * 5]).read_bytes() == b"0123456789" * 5


def test_a_real_limit_of_the_system(tmp_path: Path) -> None:
    """RLIMIT_FSIZE: the kernel itself stops the write in the middle."""
    code = (
        "import resource, signal, sys\nfrom pathlib import Path\nfrom livermre.apps.node.spool import NoRoom, Spool\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nspool = Spool(Path(sys.argv[1]))\nspool.open()\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))\n"
        "try:\n    spool.put('s', 'n', [b'x' * 10000])\nexcept NoRoom as error:\n    print('no room')\n"
        "print(list(spool.stored()), list(spool.incoming.iterdir()))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "d")], capture_output=True, text=True, check=True)
    assert done.stdout == "no room\n[] []\n"
    assert resource.RLIMIT_FSIZE >= 0


def test_too_little_free_space(spool: Spool) -> None:
    spool.min_free = 1 << 60
    with pytest.raises(NoRoom, match="min_free_mib"):
        spool.put("s", NAME, [b"bytes"])


class PowerCut:
    """Remembers what the disk would hold after a power cut: bytes that were fsynced, names whose folder was."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.synced: set[tuple[int, int]] = set()
        self.dirty: set[tuple[int, int]] = set()
        self.named: set[str] = set()
        true_write, true_fsync = os.write, os.fsync

        def write(handle: int, data: bytes) -> int:
            self.dirty.add(self._inode(handle))
            self.synced.discard(self._inode(handle))
            return true_write(handle, data)

        def fsync(handle: int) -> None:
            true_fsync(handle)
            self.synced.add(self._inode(handle))
            place = Path(f"/proc/self/fd/{handle}").readlink()
            if place.is_dir():
                self.named |= {str(p) for p in place.iterdir()}

        monkeypatch.setattr(disk.os, "write", write)
        monkeypatch.setattr(disk.os, "fsync", fsync)

    @staticmethod
    def _inode(handle: int) -> tuple[int, int]:
        found = os.fstat(handle)
        return found.st_dev, found.st_ino

    def keeps(self, path: Path, root: Path) -> bool:
        """Whether a file and every name down to it would be there after the cut."""
        found = path.stat()
        names = [path, *(p for p in path.parents if root in p.parents)]
        return (found.st_dev, found.st_ino) in self.synced and all(str(p) in self.named for p in names)


def test_after_a_power_cut_what_was_put_is_there(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    cut = PowerCut(monkeypatch)
    spool.open()
    paths = [spool.put(study, file_name(str(n), f"{n:064x}"), [b"x" * 1000]) for study in "ab" for n in range(3)]
    assert all(cut.keeps(p, spool.root) for p in paths)


@pytest.mark.parametrize("broken", ["sync_folder", "fsync"])
def test_the_power_cut_test_can_fail(spool: Spool, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    cut = PowerCut(monkeypatch)
    no: Callable[..., None] = lambda *_: None  # noqa: E731
    monkeypatch.setattr(*((disk, "sync_folder", no) if broken == "sync_folder" else (disk.os, "fsync", no)))
    assert not cut.keeps(spool.put("a", NAME, [b"x"]), spool.root)


def test_results_are_synced_before_they_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cut = PowerCut(monkeypatch)
    (tmp_path / "7" / "exam").mkdir(parents=True)
    for name in ("seg.dcm", "finding.json"):
        (tmp_path / "7" / "exam" / name).write_bytes(b"x")
    disk.sync_tree(tmp_path / "7")
    assert all(cut.keeps(tmp_path / "7" / "exam" / n, tmp_path) for n in ("seg.dcm", "finding.json"))


def test_the_analysis_sees_what_it_was_given(spool: Spool) -> None:
    names = [file_name(str(n), f"{n:064x}") for n in range(3)]
    for name in names:
        spool.put("s", name, [name.encode()])
    folder = spool.inputs(4, "s", names[:2])
    assert sorted(p.name for p in folder.iterdir()) == sorted(names[:2])
    spool.drop("s", names[0])  # what happens to the original does not touch a running analysis
    assert (folder / names[0]).read_bytes() == names[0].encode()
    spool.end_run(4)
    assert not (spool.runs / "4").exists() and spool.place("s", names[1]).is_file()


def test_what_was_half_written_is_forgotten_at_the_start(spool: Spool) -> None:
    (spool.incoming / "1-1").write_bytes(b"half")
    (spool.runs / "3" / "exam").mkdir(parents=True)
    spool.open()
    assert not list(spool.incoming.iterdir()) and not list(spool.runs.iterdir())

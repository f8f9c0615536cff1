"""tests/programs.sh: asks Debian for exactly what is missing, only where that was allowed, and never fails a test run.

It runs with a PATH that holds nothing but stand-ins, and with another root, so that no machine is changed.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "programs.sh"
DCMTK = ["storescu", "echoscu", "findscu", "movescu", "dcmqrscp", "dcmdump", "dsrdump", "dcm2pdf"]
PROGRAMS = [*DCMTK, "dciodvfy", "Orthanc", "openssl"]
PLUGIN = "usr/share/orthanc/plugins/libOrthancDicomWeb.so"
ALLOWED = {"LIVERMRE_INSTALL_DEBIAN": "1"}


class Machine:
    """A machine with these programs, where apt-get writes down what it was asked for."""

    def __init__(self, folder: Path, programs: list[str], *, plugin: bool = True, user: int = 0, apt: str = "exit 0"):
        self.bin, self.root, self.asked = folder / "bin", folder / "root", folder / "asked"
        self.bin.mkdir()
        for name in ("sh", "grep", "tail", "timeout", "mktemp", "rm"):
            (self.bin / name).symlink_to(str(shutil.which(name)))
        for name in programs:
            self.put(name, "exit 9")
        self.put("id", f"echo {user}")
        if apt:
            self.put("apt-get", f'echo "$@" >>{self.asked}\n{apt}')
        self.root.mkdir()
        if plugin:
            (self.root / PLUGIN).parent.mkdir(parents=True)
            (self.root / PLUGIN).touch()

    def put(self, name: str, does: str) -> None:
        (self.bin / name).write_text(f"#!{shutil.which('sh')}\n{does}\n")
        (self.bin / name).chmod(0o755)

    def run(self, **environment: str) -> tuple[str, list[list[str]]]:
        """What it said, and what apt-get was asked for: one list of words a call, without the options."""
        done = subprocess.run(
            ["sh", str(SCRIPT)], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=60,
            env={"PATH": str(self.bin), "LIVERMRE_TEST_ROOT": str(self.root), **environment},
        )  # fmt: skip
        assert done.returncode == 0 and not done.stderr
        calls = self.asked.read_text().splitlines() if self.asked.exists() else []
        return done.stdout, [[w for w in call.split() if not w.startswith("-") and "=" not in w] for call in calls]


def test_nothing_is_done_where_all_is_there(tmp_path: Path) -> None:
    assert Machine(tmp_path, PROGRAMS).run(**ALLOWED) == ("", [])


@pytest.mark.parametrize("variable", ["LIVERMRE_INSTALL_DEBIAN", "CI"])
def test_the_missing_ones_are_asked_for(tmp_path: Path, variable: str) -> None:
    machine = Machine(tmp_path, [p for p in PROGRAMS if p not in ("movescu", "dciodvfy")], plugin=False)
    said, asked = machine.run(**{variable: "true"})
    packages = ["dcmtk", "dicom3tools", "orthanc-dicomweb"]
    assert asked == [["update"], ["install", *packages]]
    assert said == f"Installing {' '.join(packages)} from Debian, for the tests ...\n"


def test_orthanc_outside_the_path_is_found(tmp_path: Path) -> None:
    """Debian puts it into /usr/sbin, which is not on every user's PATH."""
    machine = Machine(tmp_path, [p for p in PROGRAMS if p != "Orthanc"])
    assert machine.run(**ALLOWED)[1] == [["update"], ["install", "orthanc"]]
    machine.asked.unlink()
    (machine.root / "usr/sbin").mkdir(parents=True)
    machine.put("Orthanc", "exit 9")
    (machine.bin / "Orthanc").rename(machine.root / "usr/sbin/Orthanc")
    assert machine.run(**ALLOWED) == ("", [])


@pytest.mark.parametrize(
    ("more", "environment", "reason"),
    [
        ({}, {}, "LIVERMRE_INSTALL_DEBIAN=1"),
        ({}, {"CI": "false"}, "LIVERMRE_INSTALL_DEBIAN=1"),
        ({}, {"CI": "true", "LIVERMRE_INSTALL_DEBIAN": "0"}, "LIVERMRE_INSTALL_DEBIAN=1"),
        ({"user": 1000}, ALLOWED, "only root can"),
        ({"apt": ""}, ALLOWED, "there is no apt-get"),
    ],
)
def test_a_machine_is_not_changed_unasked(tmp_path: Path, more: dict, environment: dict, reason: str) -> None:
    said, asked = Machine(tmp_path, [*DCMTK, "dciodvfy", "openssl"], plugin=False, **more).run(**environment)
    assert asked == [] and said.count("\n") == 1
    assert reason in said and "orthanc orthanc-dicomweb" in said and "are skipped" in said


def test_a_failing_apt_get_is_said_and_fails_nothing(tmp_path: Path) -> None:
    fails = '{ echo noise; echo "E: Unable to locate package" >&2; exit 100; }'
    does = f'for w in "$@"; do [ "$w" != install ] || {fails}; done'
    said, asked = Machine(tmp_path, DCMTK, apt=does).run(**ALLOWED)
    assert asked == [["update"], ["install", "dicom3tools", "orthanc", "openssl"]]
    assert said.splitlines()[1:] == [
        "apt-get could not install dicom3tools orthanc openssl (E: Unable to locate package); "
        "the tests that need them are skipped."
    ]


def test_without_a_network_the_lists_that_are_there_are_tried(tmp_path: Path) -> None:
    does = 'for w in "$@"; do [ "$w" != update ] || exit 100; done'
    said, asked = Machine(tmp_path, [*DCMTK, "dciodvfy", "openssl"], apt=does).run(**ALLOWED)
    assert asked == [["update"], ["install", "orthanc"]] and "could not" not in said

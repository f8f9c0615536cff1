"""DCMTK's own archive as the PACS: dcmqrscp takes the result as it is, and findscu finds it there."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import dcmread

from node.made import image, uid
from node.place import Here, config_file, destination, free_port, send, until

pytestmark = pytest.mark.skipif(
    not (shutil.which("dcmqrscp") and shutil.which("findscu")), reason="DCMTK (dcmqrscp, findscu) is not installed"
)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[int]:
    """The port of a running dcmqrscp whose AE title is PACS; its files lie in `tmp_path/archive`."""
    port, place = free_port(), tmp_path / "archive"
    place.mkdir()
    (tmp_path / "dcmqrscp.cfg").write_text(
        f"NetworkTCPPort = {port}\nMaxPDUSize = 16384\nMaxAssociations = 16\n"
        "HostTable BEGIN\nHostTable END\nVendorTable BEGIN\nVendorTable END\n"
        f"AETable BEGIN\nPACS {place} RW (200, 1024mb) ANY\nAETable END\n"
    )
    log = (tmp_path / "dcmqrscp.log").open("w")
    running = subprocess.Popen(["dcmqrscp", "-c", str(tmp_path / "dcmqrscp.cfg")], stdout=log, stderr=log)
    until(lambda: _listens(port), lambda: (tmp_path / "dcmqrscp.log").read_text())
    yield port
    running.terminate()
    running.wait(30)
    log.close()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_result_lies_in_an_archive_of_another_house(archive: int, tmp_path: Path) -> None:
    node = Here(config_file(tmp_path, destination("pacs", archive)))
    try:
        images = [image("archive", n) for n in range(3)]
        assert send(node.port, images) == [0, 0, 0]
        node.wait(done=1)
        (row,) = node.node.journal.ask("SELECT * FROM objects")
        (kept,) = [p for p in (tmp_path / "archive").iterdir() if p.name != "index.dat"]
        assert dcmread(kept) == dcmread(node.node.config.node.data / row["path"])
        keys = {
            "QueryRetrieveLevel": "IMAGE",
            "StudyInstanceUID": uid("study", "archive"),
            "SeriesInstanceUID": dcmread(kept).SeriesInstanceUID,
            "SOPInstanceUID": "",
        }
        asked = ["-aec", "PACS", "-S", *(w for k, v in keys.items() for w in ("-k", f"{k}={v}"))]
        found = subprocess.run(
            ["findscu", *asked, "127.0.0.1", str(archive)], capture_output=True, text=True, check=True
        )
        assert row["sop_uid"] in found.stdout + found.stderr
    finally:
        node.stop()

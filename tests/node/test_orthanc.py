"""The whole trip with other people's programs: storescu -> node -> Orthanc holds SEG, SR and PDF beside the source."""

import json
import os
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from livermre.apps.node.counts import overview
from livermre.apps.node.doctor import examine
from livermre.apps.node.schema import connect_to_read
from livermre.simulate.scan import ScanSettings
from livermre.simulated_cohort import simulate_cohort
from livermre.simulation import Recipe
from node.place import Away, Here, config_file, destination, free_port, until

ORTHANC = shutil.which("Orthanc") or next((p for p in ("/usr/sbin/Orthanc",) if os.access(p, os.X_OK)), None)
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(ORTHANC is None, reason="Orthanc is not installed (Debian: orthanc)"),
    pytest.mark.skipif(not PLUGIN.exists(), reason="Orthanc's DICOMweb plugin is not installed (orthanc-dicomweb)"),
    pytest.mark.skipif(not shutil.which("storescu"), reason="DCMTK (storescu) is not installed (Debian: dcmtk)"),
]


class Orthanc:
    """Orthanc with a folder of its own, asked over its REST interface."""

    def __init__(self, folder: Path) -> None:
        self.dicom, self.http, self.node = free_port(), free_port(), free_port()
        content = {
            "Name": "test", "DicomAet": "PACS", "DicomPort": self.dicom, "HttpPort": self.http,
            "StorageDirectory": str(folder / "store"), "IndexDirectory": str(folder / "store"),
            "DicomCheckCalledAet": True, "DicomAlwaysAllowStore": True, "DicomAlwaysAllowEcho": True,
            "DicomAlwaysAllowFind": True, "DicomAlwaysAllowMove": True,
            "DicomModalities": {"node": ["LIVERMRE", "127.0.0.1", self.node]},
            "AuthenticationEnabled": False, "RemoteAccessAllowed": False, "Plugins": [str(PLUGIN)],
            "UnknownSopClassAccepted": False, "OverwriteInstances": False,
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        }  # fmt: skip
        (folder / "orthanc.json").write_text(json.dumps(content))
        self._log = (folder / "orthanc.log").open("w")
        self._process = subprocess.Popen(
            [str(ORTHANC), str(folder / "orthanc.json")], stdout=self._log, stderr=subprocess.STDOUT
        )
        until(self._answers)

    def _answers(self) -> bool:
        try:
            return bool(self.ask("/system"))
        except urllib.error.URLError:
            return False

    def ask(self, path: str) -> object:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}{path}", timeout=20) as reply:
            return json.loads(reply.read())

    def modalities(self) -> list[str]:
        """One entry for each instance."""
        found = []
        for series in self.ask("/series?expand"):  # type: ignore[attr-defined]
            found += [series["MainDicomTags"]["Modality"]] * len(series["Instances"])
        return sorted(found)

    def end(self) -> None:
        self._process.terminate()
        self._process.wait(30)
        self._log.close()


@pytest.fixture
def orthanc(tmp_path: Path) -> Iterator[Orthanc]:
    running = Orthanc(tmp_path)
    yield running
    running.end()


def test_storescu_to_node_to_orthanc(tmp_path: Path, orthanc: Orthanc) -> None:
    """A simulated exam, really analysed; results by C-STORE and the same by STOW-RS, which must change nothing."""
    simulate_cohort(1, Recipe(3, "ge", ScanSettings(slices=2)), tmp_path / "sim")
    exam = [str(p) for p in sorted((tmp_path / "sim" / "exams").rglob("*.dcm"))]
    web = f'[[destination]]\nname = "web"\nweb = {{ url = "http://127.0.0.1:{orthanc.http}/dicom-web" }}\n'
    pacs = destination("pacs", orthanc.dicom, 'objects = ["SEG", "SR", "PMAP", "PDF", "SC", "OTHER", "SOURCE"]')
    config = config_file(tmp_path, pacs, web)
    config.write_text(config.read_text().replace('log = "', '# log = "'))
    assert not [c for c in examine(config) if c.state == "bad"]

    node = Away(config, "--real")
    until(node.ready)
    subprocess.run(["storescu", "-aec", "LIVERMRE", "127.0.0.1", str(node.port), *exam], check=True)
    with closing(connect_to_read(tmp_path / "data" / "journal.sqlite")) as base:
        until(lambda: overview(base, 0).states["done"] == 1, lambda: str(overview(base, 0).states), 240)
        view = overview(base, 0)
        kinds = {r["kind"] for r in base.execute("SELECT kind FROM objects")}
    assert node.end() == 0

    assert {"SEG", "SR", "PDF", "SC", "SOURCE"} <= kinds
    held = orthanc.modalities()
    assert held.count("MR") >= len(exam) and {"SEG", "SR", "DOC"} <= set(held)
    assert len(orthanc.ask("/patients")) == len(orthanc.ask("/studies")) == 1  # beside the source, not elsewhere
    results = view.sends["pacs", "sent"] - len(exam)
    assert len(held) == len(exam) + results and view.sends["web", "sent"] == results

    poll = (
        '[[poll]]\nname = "archive"\nevery_seconds = 0.5\ndays = 36500\nquery = { ModalitiesInStudy = "MR" }\n'
        f'web = {{ url = "http://127.0.0.1:{orthanc.http}/dicom-web" }}\n'
    )
    other = tmp_path / "other"
    other.mkdir()
    second = Here(config_file(other, poll))
    second.wait(done=1)
    fetched = second.node.journal.ask("SELECT sop_uid FROM instances")
    second.stop()
    assert len(fetched) == len(held)  # all that Orthanc holds, fetched once
    _found_and_moved(tmp_path / "moved", orthanc, len(held))


def _found_and_moved(folder: Path, orthanc: Orthanc, count: int) -> None:
    """DCMTK's findscu sees the results beside the source; movescu makes Orthanc send it all to a third node."""
    folder.mkdir()
    ask = ["-aec", "PACS", "-S", "-k", "QueryRetrieveLevel=STUDY", "127.0.0.1", str(orthanc.dicom)]
    study = json.loads(json.dumps(orthanc.ask("/studies?expand")))[0]["MainDicomTags"]["StudyInstanceUID"]
    keys = ["-k", f"StudyInstanceUID={study}", "-k", "ModalitiesInStudy"]
    seen = subprocess.run(["findscu", *ask, *keys], capture_output=True, text=True, check=True)
    assert all(m in seen.stdout + seen.stderr for m in ("MR", "SEG", "SR"))
    third = Here(config_file(folder, receive='hosts = ["127.0.0.0/8"]', port=orthanc.node))
    third.node.server._server.ae.require_calling_aet = ["PACS"]
    subprocess.run(
        ["movescu", "-aet", "MOVER", "-aem", "LIVERMRE", *ask, "-k", f"StudyInstanceUID={study}"], check=True
    )
    third.wait(done=1)
    assert len(third.node.journal.ask("SELECT 1 FROM instances")) == count
    third.stop()

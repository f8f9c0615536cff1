"""Ctrl-C in the middle: 130, what was finished stays, nothing is half-written, and no traceback."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from apps.helpers import left_over
from livermre import pipeline, report

SLOW = """
import sys, time
import numpy as np
from livermre import pipeline
from livermre.apps.cli import main
from livermre.exam.types import LiverMask

class Body:
    def segment(self, exam):
        print("working", file=sys.stderr, flush=True)
        time.sleep(0.3)
        mask = exam.magnitude > 100
        return LiverMask(mask.astype(np.float32), mask, None)

pipeline.segmenter = lambda model, device: Body()
sys.exit(main(sys.argv[1:]))
"""


def exams(source: Path, folder: Path, count: int) -> list[Path]:
    return [Path(shutil.copytree(source, folder / f"e{i}")) for i in range(count)]


def test_between_two_exams(livermre, ge_exam, tmp_path, monkeypatch):
    paths = exams(ge_exam, tmp_path, 3)
    honest, seen = pipeline.analyze_study, []

    def second_interrupts(study, settings):
        seen.append(study)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return honest(study, settings)

    monkeypatch.setattr(pipeline, "analyze_study", second_interrupts)
    ran = livermre("analyze", *paths, "--out", tmp_path / "out")
    assert ran.status == 130 and "interrupted" in ran.sentence
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"e0", "summary.csv"}
    assert "e0" in (tmp_path / "out/summary.csv").read_text()
    assert livermre("analyze", *paths, "--out", tmp_path / "out").status == 0  # the same command goes on
    assert len(seen) == 4


def test_while_writing(livermre, ge_exam, tmp_path, monkeypatch):
    def half(finding, identity, folder):
        (folder / "report.html").write_text("half a pa")
        raise KeyboardInterrupt

    monkeypatch.setattr(report, "write", half)
    ran = livermre("analyze", ge_exam, "--out", tmp_path / "out")
    assert ran.status == 130
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["summary.csv"]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_real_signal(ge_exam, tmp_path, number):
    paths = exams(ge_exam, tmp_path, 8)
    command = [sys.executable, "-c", SLOW, "analyze", *map(str, paths), "--out", str(tmp_path / "out")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for _ in range(2):  # the first exam is through, the second in hand
        line = process.stderr.readline().strip()
        assert line == "working", line + process.stderr.read()
    os.kill(process.pid, number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said and "interrupted" in said
    assert not left_over(tmp_path / "out")
    for folder in (p for p in (tmp_path / "out").iterdir() if p.is_dir()):
        json.loads((folder / "finding.json").read_text())
        assert (folder / "roi_reasons.nii.gz").exists()

"""Time and memory of `livermre analyze`, beside the plain route (smp + PyTorch fp32), as markdown.

    .venv/bin/python benchmarks/analyze.py --out docs/benchmarks.md

All numbers of one page come from one run on one machine: compare the ratios, not the seconds of different pages.
Needs the extra [train] for the plain route and ../shared/data/ge-mrtouch (or --exam) for a real exam.
"""

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from livermre import pipeline
from livermre.exam.types import Identity
from livermre.report import finding_json
from livermre.settings import Settings
from livermre.version import __version__

ROOT = Path(__file__).parent.parent
GE = ROOT.parent / "shared" / "data" / "ge-mrtouch"
INSTALLED = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
"""Of a process that starts as an installed package does, its bytecode there: the run not counted writes it."""
MANY = 20
"""Exams of the rows that tell what one of many costs."""


@dataclass(frozen=True)
class Row:
    """One line of the page: what, how much (median, spread), and what was wanted."""

    what: str
    value: str
    target: str = ""
    met: bool | None = None

    def line(self) -> str:
        """The line in markdown."""
        verdict = {None: "", True: "yes", False: "**no**"}[self.met]
        return f"| {self.what} | {self.value} | {self.target} | {verdict} |"


def main() -> None:
    """Measure and print or write the page."""
    parser = argparse.ArgumentParser(description="time and memory of livermre analyze")
    parser.add_argument("--exam", type=Path, default=GE)
    parser.add_argument("--model", default="default")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rows = [*warm(options), *cold(options), *many(options), *network(options)]
    text = page(rows, options)
    if options.out is None:
        print(text)
    else:
        options.out.write_text(text, encoding="utf-8")


def timed(work: Callable[[], object], repeats: int) -> tuple[float, str]:
    """Median seconds, and 'median (fastest-slowest)' in ms; one call before is not counted."""
    work()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    middle = statistics.median(seconds)
    return middle, f"{1000 * middle:.0f} ms ({1000 * min(seconds):.0f}-{1000 * max(seconds):.0f})"


def row(what: str, work: Callable[[], object], repeats: int, limit_s: float | None = None) -> Row:
    """One timed line with its target."""
    seconds, words = timed(work, repeats)
    if limit_s is None:
        return Row(what, words)
    return Row(what, words, f"under {1000 * limit_s:.0f} ms", seconds < limit_s)


def warm(options: argparse.Namespace) -> list[Row]:
    """The road in a process that has the model loaded."""
    settings = Settings(model=options.model)
    study = pipeline.read_studies(options.exam, settings.read)[0]
    liver = pipeline.find_liver(study.exam, settings)
    found = pipeline.analyze_study(study, settings)

    def to_finding_json(folder: Path) -> None:
        for one in pipeline.read_studies(options.exam, settings.read):
            text = str(finding_json(pipeline.analyze_study(one, settings)))
            (folder / "finding.json").write_text(text, encoding="utf-8")

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        return [
            row("warm: files to finding.json", lambda: to_finding_json(out), options.repeats, 0.35),
            row(
                "warm: files to all pages and masks",
                lambda: pipeline.analyze_path(options.exam, out, settings, overwrite=True),
                options.repeats,
                0.8,
            ),
            row("- reading", lambda: pipeline.read_studies(options.exam, settings.read), options.repeats),
            row("- liver", lambda: pipeline.find_liver(study.exam, settings), options.repeats),
            row(
                "- region, stiffness, interval",
                lambda: pipeline._measure(study.exam, None, liver, settings),
                options.repeats,
            ),
            row("- pages", lambda: pipeline.report.write(found, Identity(), out / "pages"), options.repeats),
        ]


def cold(options: argparse.Namespace) -> list[Row]:
    """A process of its own: imports, model, one exam, all pages."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "livermre", "analyze", str(options.exam), "--out", folder, "--overwrite"]
        command += ["--model", str(options.model)]

        def run() -> None:
            subprocess.run(command, check=True, capture_output=True, env=INSTALLED)

        seconds, words = timed(run, max(3, options.repeats // 3))
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    help_s, help_words = timed(
        lambda: subprocess.run(
            [sys.executable, "-m", "livermre", "--help"], check=True, capture_output=True, env=INSTALLED
        ),
        5,
    )
    return [
        Row("cold process: everything", words, "under 2500 ms", seconds < 2.5),
        Row("peak memory of that process", f"{peak_mb:.0f} MB", "under 700 MB", peak_mb < 700),
        Row("`livermre --help`", help_words, "under 300 ms", help_s < 0.3),
    ]


def many(options: argparse.Namespace) -> list[Row]:
    """One of many exams, all pages, start included: in one process, and in two side by side."""
    with tempfile.TemporaryDirectory() as folder:
        exams = [Path(folder) / f"exam{i:02d}" for i in range(MANY)]
        for exam in exams:
            exam.symlink_to(options.exam.resolve())
        command = [sys.executable, "-m", "livermre", "analyze", *map(str, exams), "--out", f"{folder}/out"]
        command += ["--overwrite", "--model", str(options.model)]

        def each(jobs: int) -> Row:
            seconds, _ = timed(
                lambda: subprocess.run([*command, "--jobs", str(jobs)], check=True, capture_output=True, env=INSTALLED),
                3,
            )
            return Row(f"{MANY} exams, `--jobs {jobs}`: each", f"{1000 * seconds / MANY:.0f} ms")

        return [each(1), each(2)]


def network(options: argparse.Namespace) -> list[Row]:
    """The network alone on one slice, beside the same architecture in PyTorch fp32."""
    segmenter = pipeline.segmenter(options.model, "cpu")
    image = np.random.default_rng(1).random((1, 3, 256, 256), dtype=np.float32)
    ours, words = timed(lambda: segmenter.engine(image), options.repeats)
    bf16 = "bf16" in segmenter.engine.name
    rows = [Row(f"network, 256 x 256 slice, {segmenter.engine.name}", words, "at most 35 ms (bf16 units)", None)]
    if bf16:
        rows = [Row(rows[0].what, words, rows[0].target, ours <= 0.035)]
    plain = _plain_route()
    if plain is None:
        return [*rows, Row("plain route: smp + torch fp32", "not installed")]
    theirs, their_words = timed(lambda: plain(image), options.repeats)
    return [*rows, Row("plain route: smp + torch fp32, same slice", f"{their_words}, {theirs / ours:.1f} times ours")]


def _plain_route() -> Callable[[np.ndarray], object] | None:
    try:
        import segmentation_models_pytorch as smp
        import torch
    except ImportError:
        return None
    net = smp.Unet("resnext50_32x4d", encoder_weights=None, in_channels=3, classes=2).eval()

    def run(image: np.ndarray) -> object:
        with torch.inference_mode():
            return net(torch.from_numpy(image)).numpy()

    return run


def page(rows: list[Row], options: argparse.Namespace) -> str:
    """The markdown page."""
    real = "one real exam (GE MR-Touch, 4 slices, 256 x 256)" if options.exam == GE else f"`{options.exam.name}`"
    head = [
        "# Benchmarks",
        "",
        f"Made by `make bench` with livermre {__version__} on {real};",
        f"median (fastest-slowest) of {options.repeats} runs.",
        f"Machine: {_processor()}, {_cores()} cores; {platform.system()}, Python {platform.python_version()}.",
        "",
        "| what | measured | wanted | met |",
        "|---|---|---|---|",
    ]
    return "\n".join([*head, *(r.line() for r in rows)]) + "\n"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    name = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    flags = next((line for line in lines if line.startswith("flags")), "")
    return name + (" with AMX bf16" if "amx_bf16" in flags else " without AMX")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


if __name__ == "__main__":
    main()

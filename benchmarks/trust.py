"""Do the intervals hold, and does the gate find failures? Simulated exams through the real pipeline.

    python benchmarks/trust.py --shapes SHAPES --exams 2700 --out DIR --resume    make exams (one line each)
    python benchmarks/trust.py --out DIR --report                                 tables, figure and calibration of DIR

SHAPES is a folder of label maps (`livermre train --synthetic` takes it, too): the bodies of the second generator.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

ROWS, BANK = "exams.jsonl", "bank.npz"
BANK_SEED, TRANSPLANTS = 77, 40


def main() -> int:
    """Make exams, or report on those that are there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the rows and tables")
    parser.add_argument("--exams", type=int, default=0, help="how many exams shall be there in the end")
    parser.add_argument("--shapes", type=Path, help="folder of label maps, for the second generator")
    parser.add_argument("--resume", action="store_true", help="go on with what is there")
    parser.add_argument("--part", default="1/1", metavar="K/N", help="make every N-th exam from the K-th on: N at once")
    parser.add_argument("--report", action="store_true", help="tables, figure and calibration from the rows")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    if asked.exams:
        if (asked.out / ROWS).exists() and not asked.resume:
            parser.error(f"{asked.out / ROWS} is there: add --resume to go on with it, or choose another --out")
        part, parts = (int(p) for p in asked.part.split("/"))
        make(asked.exams, asked.out, asked.shapes, part, parts)
    if asked.report:
        from trust_report import report

        report(list(rows_of(asked.out)), asked.out)
    return 0


def rows_of(out: Path) -> Iterator[dict]:
    """Every finished exam; a half-written last line is passed over."""
    if not (out / ROWS).exists():
        return
    for line in (out / ROWS).read_text(encoding="utf-8").splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue


def make(exams: int, out: Path, shapes: Path | None, part: int = 1, parts: int = 1) -> None:
    """Append what lacks, in order; of several parts, which may run side by side, one."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from trust_exams import A_ROUND, cases, row_of

    done = {(r["set"], r["number"]) for r in rows_of(out)}
    wanted = cases(exams // sum(A_ROUND.values()) + 1)[:exams][part - 1 :: parts]
    left = [c for c in wanted if (c.set, c.number) not in done]
    bodies = _bodies(out, shapes)
    columns = (TextColumn("exams"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with (out / ROWS).open("a", encoding="utf-8") as file, Progress(*columns) as progress:
        bar = progress.add_task("exams", total=len(wanted), completed=len(wanted) - len(left))
        for case in left:
            file.write(json.dumps(row_of(case, bodies), default=_plain, allow_nan=False) + "\n")
            file.flush()
            progress.advance(bar)


def _bodies(out: Path, shapes: Path | None) -> list:
    """The whole bodies of the second generator: label maps and transplants, made once and kept."""
    from livermre.simulate.second import Body
    from livermre.train.shapes import build_bank, load_bank, save_bank

    if not (out / BANK).exists():
        if shapes is None:
            sys.exit("the second generator needs bodies: give a folder of label maps with --shapes")
        save_bank(out / BANK, build_bank(shapes, np.random.default_rng(BANK_SEED), TRANSPLANTS))
    return [Body(s.name, s.labels, s.spacing_mm) for s in load_bank(out / BANK) if s.complete_liver]


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is no JSON")


if __name__ == "__main__":
    sys.exit(main())

"""A worker process: one JSON line in for each study, one out. It loads the network once, and nothing is pickled.

Run by work.py as `python -m livermre.apps.node.worker`; a crash here is one attempt at one study.
"""

import contextlib
import json
import os
import resource
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from livermre.apps.node.spool import sync_tree

Analyse = Callable[[Path, Path, Mapping[str, Any]], "list[dict[str, Any]]"]
"""Folder of images, folder for results, settings -> one dict for each exam: status, message, kind of error."""


def serve(analyse: Analyse) -> None:
    """Answer requests until the parent closes the pipe or is gone."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints is no answer
    _end_with(os.getppid())
    for line in sys.stdin:
        request = json.loads(line)
        if request.get("memory_bytes"):
            _limit_memory(int(request["memory_bytes"]))
        try:
            answer = _answer(analyse, request)
        except Exception as error:  # the kind alone: its text may quote a header
            answer = {"failed": type(error).__name__}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _answer(analyse: Analyse, request: Mapping[str, Any]) -> dict[str, Any]:
    out = Path(request["out"])
    out.mkdir(parents=True, exist_ok=True)
    exams = analyse(Path(request["images"]), out, request.get("settings") or {})
    sync_tree(out)
    return {"exams": exams, "objects": [_object(p) for p in sorted(out.rglob("*.dcm")) if p.is_file()]}


def _object(path: Path) -> dict[str, str]:
    from hashlib import sha256

    from livermre.apps.node.wire import file_identity

    sop_class, sop_uid, transfer_syntax = file_identity(path)
    return {
        "path": str(path), "sop_class": sop_class, "sop_uid": sop_uid, "transfer_syntax": transfer_syntax,
        "sha256": sha256(path.read_bytes()).hexdigest(),
    }  # fmt: skip


def _limit_memory(size: int) -> None:
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (size, size))


def _end_with(parent: int) -> None:
    """Die when the node dies: what it started is started anew by its next life."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def analyse_study(images: Path, out: Path, settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every exam of a study by the same road as `livermre analyze`."""
    from livermre.pipeline import analyze_path

    outcomes = analyze_path(images, out, settings_of(settings), name="exam", overwrite=True)
    return [
        {"status": o.status, "message": o.message, "ours": o.failed and not _files_at_fault(out / o.exam)}
        for o in outcomes
    ]


def _files_at_fault(folder: Path) -> bool:
    """Whether an exam failed because of its files: another attempt would end the same way."""
    from livermre.exam import errors

    try:
        kind = json.loads((folder / "error.json").read_text(encoding="utf-8"))["error"]
        return issubclass(getattr(errors, kind), errors.InputError)
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return False  # not even error.json could be written: the disk


def settings_of(keys: Mapping[str, Any]) -> Any:
    """The settings of an analysis from the keys of [analysis]."""
    from livermre.exam.study import ReadOptions
    from livermre.roi import RoiSettings
    from livermre.settings import Settings

    erode = keys.get("erode_mm")
    return Settings(
        read=ReadOptions(keys.get("stiffness_unit"), keys.get("frequency_hz")),
        roi=RoiSettings() if erode is None else RoiSettings(erode_mm=erode),
        table=keys["table"],
        model=keys["model"] if keys["model"] == "default" else Path(keys["model"]),
        device=keys["device"],
        deidentify=keys["deidentify"],
        key_file=Path(keys["deidentify_key"]) if keys.get("deidentify_key") else None,
        from_phase=keys["from_phase"],
    )


def main(arguments: Sequence[str] = ()) -> None:
    """Serve real analyses, the network loading meanwhile."""
    from livermre.apps.node.log import hush_libraries

    hush_libraries()
    serve(analyse_study)


if __name__ == "__main__":
    main()

"""What a key of the configuration may hold, and the sentence for a value that it may not."""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, field, fields
from pathlib import Path
from typing import Any

AE_TITLE = re.compile(r"(?=.*[^ ])[\x20-\x5b\x5d-\x7e]{1,16}")
"""PS3.5, 6.2, VR AE: up to 16 characters, no backslash, not only spaces."""
UID = re.compile(r"[0-9.]{1,64}")


def text(default: Any = MISSING, choices: tuple[str, ...] = ()) -> Any:
    """A key that holds a text, one of `choices` where there are any."""
    return field(default=default, metadata={"kind": "text", "choices": choices})


def title(default: Any = MISSING) -> Any:
    """A key that holds an AE title."""
    return field(default=default, metadata={"kind": "title"})


def titles(default: Any = MISSING) -> Any:
    """A key that holds a list of AE titles."""
    return field(default=default, metadata={"kind": "titles"})


def texts(default: Any = (), choices: tuple[str, ...] = (), pattern: re.Pattern[str] | None = None) -> Any:
    """A key that holds a list of texts."""
    return field(default=default, metadata={"kind": "texts", "choices": choices, "pattern": pattern})


def number(default: Any = MISSING, *, low: float, high: float, whole: bool = False) -> Any:
    """A key that holds a number from `low` to `high`."""
    return field(default=default, metadata={"kind": "whole" if whole else "number", "low": low, "high": high})


def port(default: Any = MISSING) -> Any:
    """A key that holds a TCP port."""
    return number(default, low=1, high=65535, whole=True)


def switch(default: bool) -> Any:
    """A key that is true or false."""
    return field(default=default, metadata={"kind": "switch"})


def path(default: Any = MISSING, word: str | None = None) -> Any:
    """A key that names a file or folder, taken from the folder of the configuration; `word` is said instead of one."""
    return field(default=default, metadata={"kind": "path", "word": word})


def table(cls: type, default: Any = MISSING) -> Any:
    """A section of its own below this one."""
    if default is MISSING:
        return field(default_factory=cls, metadata={"kind": "table", "cls": cls})
    return field(default=default, metadata={"kind": "table", "cls": cls})


def words(default: Any = ()) -> Any:
    """A table of free keys with text values (the query of a poll)."""
    return field(default=default, metadata={"kind": "words"})


class Problems(list[str]):
    """Sentences about one file, each with the place of the key."""

    def add(self, where: str, sentence: str) -> None:
        """Remember one more."""
        self.append(f"{where} {sentence}".strip())


def read(cls: type, found: Any, where: str, base: Path, problems: Problems) -> Any:
    """A section as its class, or None where a key that it needs is missing or wrong; problems are added."""
    if not isinstance(found, Mapping):
        problems.add(where, f"must be a section with keys, found {_shown(found)}")
        return None
    known = {f.name: f for f in fields(cls)}
    for name in found.keys() - known.keys():
        problems.add(where, f"has no key {name!r}{suggestion(name, known)}")
    values, before = {}, len(problems)
    for name, spec in known.items():
        if name in found:
            values[name] = _value(spec, found[name], where, base, problems)
        elif spec.default is MISSING and spec.default_factory is MISSING:
            problems.add(where, f"lacks the key {name!r}: {_wanted(spec)}")
    if len(problems) > before:
        return None
    try:
        return cls(**values)
    except ValueError as error:  # what only the whole section can tell
        problems.add(where, str(error))
        return None


def suggestion(name: str, known: Mapping[str, Any]) -> str:
    """What a misspelt key may have meant."""
    near = difflib.get_close_matches(name, known, 1, 0.6)
    return f"; did you mean {near[0]!r}?" if near else f" (it has {', '.join(sorted(known))})"


def _value(spec: Field, found: Any, where: str, base: Path, problems: Problems) -> Any:
    kind = spec.metadata["kind"]
    if kind == "table":
        inner = f"{where[:-1]}.{spec.name}]" if where.endswith("]") else f"[{spec.name}]"
        return read(spec.metadata["cls"], found, inner, base, problems)
    if not _fits(spec, found):
        problems.add(where, f"{spec.name} must be {_wanted(spec)}, found {_shown(found)}")
        return None
    if kind == "path":
        return found if found == spec.metadata["word"] else base / Path(found).expanduser()
    if kind == "words":
        return tuple(sorted(found.items()))
    return tuple(found) if kind in {"texts", "titles"} else found


def _fits(spec: Field, found: Any) -> bool:
    meta = spec.metadata
    match meta["kind"]:
        case "text":
            return isinstance(found, str) and bool(found) and (not meta["choices"] or found in meta["choices"])
        case "path":
            return isinstance(found, str) and bool(found)
        case "title":
            return isinstance(found, str) and AE_TITLE.fullmatch(found) is not None
        case "titles":
            return isinstance(found, list) and all(isinstance(t, str) and AE_TITLE.fullmatch(t) for t in found)
        case "texts":
            return isinstance(found, list) and all(_is_one(t, meta) for t in found)
        case "switch":
            return isinstance(found, bool)
        case "words":
            return isinstance(found, dict) and all(isinstance(v, str) for v in found.values())
    kinds = int if meta["kind"] == "whole" else int | float
    return isinstance(found, kinds) and not isinstance(found, bool) and meta["low"] <= found <= meta["high"]


def _is_one(found: Any, meta: Mapping[str, Any]) -> bool:
    if not isinstance(found, str) or not found:
        return False
    if meta["pattern"] is not None and not meta["pattern"].fullmatch(found):
        return False
    return not meta["choices"] or found in meta["choices"]


def _wanted(spec: Field) -> str:
    meta = spec.metadata
    match meta["kind"]:
        case "text" | "texts" if meta["choices"]:
            return ("one of " if meta["kind"] == "text" else "a list of ") + ", ".join(map(repr, meta["choices"]))
        case "whole" | "number" as kind:
            return f"a {kind} {'number ' if kind == 'whole' else ''}from {meta['low']:g} to {meta['high']:g}"
    return {
        "text": "a text",
        "texts": "a list of texts",
        "path": "a path",
        "title": "an AE title (1 to 16 characters, no backslash)",
        "titles": "a list of AE titles (1 to 16 characters each, no backslash)",
        "switch": "true or false",
        "table": "a section",
        "words": "a section of texts",
    }[meta["kind"]]


def _shown(found: Any) -> str:
    return repr(found) if len(repr(found)) < 60 else f"{repr(found)[:57]}..."


def doubled(names: list[str]) -> Iterator[str]:
    """Names that stand more than once."""
    yield from sorted({n for n in names if names.count(n) > 1})

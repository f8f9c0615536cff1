"""PS3.3 as tables with conditions and enumerated values, in the form that dicom-validator's engine reads.

The package dicom_standard (MIT, tables of early 2020) has the text of each attribute; dicom-validator's own parser
reads the conditions in it (extra [dev]).
"""

import copy
import json
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

from pydicom.datadict import DicomDictionary

PLACE = Path(sys.prefix) / "standard"
"""Where pip puts the tables."""
OBJECTS = {
    "segmentation": "1.2.840.10008.5.1.4.1.1.66.4", "comprehensive-3d-sr": "1.2.840.10008.5.1.4.1.1.88.34",
    "parametric-map": "1.2.840.10008.5.1.4.1.1.30", "encapsulated-pdf": "1.2.840.10008.5.1.4.1.1.104.1",
    "secondary-capture-image": "1.2.840.10008.5.1.4.1.1.7",
}  # fmt: skip
_REPORT, _VALUE_TYPE, _CONTENT = "sr-document-content", "(0040,A040)", "(0040,A730)"
_TIMES = {"(0040,A138)", "(0040,A13A)"}
_ENUMERATED = re.compile(r"<strong>\s*([^<]*Enumerated Values[^<]*)</strong>\s*</p>\s*<dl>(.*?)</dl>", re.S)
_WHOLE_NUMBERS = {"US", "SS", "UL", "SL"}
_DEPTH = 8


def _load(name: str) -> list[dict]:
    return json.loads((PLACE / f"{name}.json").read_text(encoding="utf-8"))


def _plain(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).strip()


class Tables:
    """Reads the tables of our objects; `counted` says how many conditions and enumerations were understood."""

    def __init__(self) -> None:
        from dicom_validator.spec_reader.condition_parser import ConditionParser

        self.counted = {"conditions": 0, "enumerations": 0}
        self.dictionary = {
            f"({tag >> 16:04X},{tag & 0xFFFF:04X})": {"name": v[2], "vr": v[0], "vm": v[1], "prop": ""}
            for tag, v in DicomDictionary.items()
        }
        self._parser = ConditionParser(self.dictionary)

    def condition(self, text: str) -> Any:
        """What can be told from the data set alone; None for "required if contrast was used" and the like."""
        from dicom_validator.spec_reader.condition import ConditionType

        found = self._parser.parse(text)
        return None if found.type == ConditionType.UserDefined else found

    def enumerations(self, html: str, tag: str) -> list[dict]:
        """The values that a description allows, each list with its condition."""
        found = []
        for head, body in _ENUMERATED.findall(html):
            values: list[Any] = [_plain(v) for v in re.findall(r"<dt>(.*?)</dt>", body, re.S)]
            if self.dictionary.get(tag, {}).get("vr") in _WHOLE_NUMBERS:
                values = [int(v.rstrip("H"), 16 if v.endswith("H") else 10) for v in values]
            entry: dict[str, Any] = {"val": values}
            if number := re.search(r"for Value (\d)", head):
                entry["index"] = number[1]
            if when := re.search(r"(?:if|when) ([^:]*)", head):
                entry["cond"] = self.condition(f"Required if {when[1]}")
                if entry["cond"] is None:
                    continue
            found.append(entry)
        return found

    def module(self, name: str, rows: list[dict]) -> dict:
        """One module or macro, its sequences nested."""
        made: dict = {}
        for row in sorted(rows, key=lambda r: r["path"].count(":")):
            sequences = row["path"].split(":")[1:-1]
            if "xx" in row["path"]:
                continue
            level = made
            for part in sequences:
                tag = f"({part[:4]},{part[4:]})".upper()
                level = level.setdefault(tag, {"name": tag, "type": "3"}).setdefault("items", {})
            tag = row["tag"].upper()
            level.setdefault(tag, {}).update(self._attribute(name, tag, row))
        return made

    def _attribute(self, module: str, tag: str, row: dict) -> dict:
        kind, html = row["type"] if row["type"] in {"1", "1C", "2", "2C", "3"} else "3", row["description"] or ""
        if module == _REPORT and tag != _VALUE_TYPE and (kind in {"1", "2"} or tag in _TIMES):
            kind = "3"  # the attributes of every value type stand side by side: that they are there cannot be asked
        made: dict[str, Any] = {"name": self.dictionary.get(tag, {}).get("name", tag), "type": kind}
        if kind in {"1C", "2C"} and (condition := self.condition(_plain(html))) is not None:
            made["cond"] = condition
            self.counted["conditions"] += 1
        if allowed := self.enumerations(html, tag):
            made["enums"] = allowed
            self.counted["enumerations"] += len(allowed)
        return made


def _all_used(tables: Tables, rows: list[dict], key: str, names: dict[str, str]) -> dict:
    return {names[r[key]]: _used(tables, r, r[key]) for r in rows}


def _used(tables: Tables, row: dict, ref: str) -> dict:
    made = {"ref": ref, "use": row["usage"]}
    if row["conditionalStatement"] and (condition := tables.condition(row["conditionalStatement"])) is not None:
        made["cond"] = condition
    return made


@cache
def standard() -> tuple[Any, dict[str, int]]:
    """The tables of our objects for dicom-validator, and how much of them was understood."""
    from dicom_validator.spec_reader.serializer import DefinitionEncoder
    from dicom_validator.validator.dicom_info import DicomInfo

    tables = Tables()
    modules_of, groups_of = (
        [r for r in _load(name) if r["ciodId"] in OBJECTS] for name in ("ciod_to_modules", "ciod_to_fg_macros")
    )
    names = {m["id"]: m["name"] for m in (*_load("modules"), *_load("macros"))}
    rows: dict[str, list[dict]] = {}
    for kind, used in (("module", modules_of), ("macro", groups_of)):
        wanted = {r[f"{kind}Id"] for r in used}
        for row in _load(f"{kind}_to_attributes"):
            if row[f"{kind}Id"] in wanted:
                rows.setdefault(row[f"{kind}Id"], []).append(row)
    iods = {
        uid: {
            "title": name,
            "modules": _all_used(tables, [r for r in modules_of if r["ciodId"] == name], "moduleId", names),
            "group_macros": _all_used(tables, [r for r in groups_of if r["ciodId"] == name], "macroId", names),
        }
        for name, uid in OBJECTS.items()
    }  # fmt: skip
    modules = {name: tables.module(name, found) for name, found in rows.items()}
    iods, modules = (json.loads(json.dumps(o, cls=DefinitionEncoder)) for o in (iods, modules))
    _deepen(modules[_REPORT])
    return DicomInfo(tables.dictionary, iods, modules), tables.counted


def _deepen(report: dict) -> None:
    """Content in content without end (PS3.3 C.17.3.2.4): the table shows it once."""
    flat = copy.deepcopy(report[_CONTENT]["items"])
    below = report[_CONTENT]["items"]
    for _ in range(_DEPTH):
        inner = copy.deepcopy(flat)
        below[_CONTENT] = {"name": "Content Sequence", "type": "3", "items": inner}
        below = inner

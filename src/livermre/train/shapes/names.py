"""Names of structures in published label maps, and the tissue that each is."""

import json
import re
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import nibabel
import numpy as np

from livermre.simulate.tissue import Tissue
from livermre.train.shapes.shape import BODY, ShapeError


@cache
def label_table() -> dict:
    """The data table `label_names.json`."""
    return json.loads(Path(__file__).with_name("label_names.json").read_text(encoding="utf-8"))


def tissue_of(name: str) -> int | None:
    """The `Tissue` number (or `BODY`) of a structure name, None if the table does not know it."""
    wanted = name.strip().lower().replace(" ", "_")
    for tissue, patterns in label_table()["tissues"].items():
        if any(fnmatch(wanted, pattern) for pattern in patterns):
            return BODY if tissue == "BODY" else int(Tissue[tissue])
    return None


def lookup(names: dict[int, str], where: str) -> np.ndarray:
    """Table uint8 [256] from label number to tissue; raises ShapeError listing unknown names."""
    tissues = {number: tissue_of(name) for number, name in names.items()}
    unknown = sorted(names[number] for number, tissue in tissues.items() if tissue is None)
    if unknown:
        raise ShapeError(f"{where}: no tissue is known for these label names: {', '.join(unknown)}")
    table = np.zeros(256, np.uint8)
    for number, tissue in tissues.items():
        table[number] = tissue or 0
    return table


def names_beside(path: Path, root: Path) -> dict[int, str] | None:
    """Label names from the nearest `labels.json` between the file's folder and `root`, else None."""
    for folder in (path.parent, *path.parent.parents):
        if (folder / "labels.json").is_file():
            named = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
            return {int(number): name for name, number in named.items()}
        if folder == root:
            break
    return None


def names_inside(image: nibabel.Nifti1Image) -> dict[int, str] | None:
    """Label names from the label table that TotalSegmentator writes into the header extension, else None."""
    for extension in image.header.extensions:
        raw = extension.get_content()
        text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
        found = re.findall(r'<Label Key="(\d+)"[^>]*><!\[CDATA\[([^\]]*)\]\]>', text)
        if found:
            return {int(number): name for number, name in found}
    return None


def names_known(path: Path) -> dict[int, str] | None:
    """Label names of the published numbering that the file name asks for, else None."""
    for pattern, key in label_table()["numbering"].items():
        if fnmatch(path.name, pattern):
            return dict(enumerate(label_table()["class_maps"][key], start=1))
    return None

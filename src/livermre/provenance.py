"""What made a finding, as it stands in finding.json: settings, given files by their content, versions."""

import dataclasses
import hashlib
import json
import platform
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from livermre import nifti
from livermre.deidentifying import read_key
from livermre.exam.errors import InputError
from livermre.network import model_card
from livermre.settings import Settings

_NAMED = ("numpy", "scipy", "pydicom", "nibabel", "openvino", "onnxruntime")


def recorded(settings: Settings) -> dict[str, object]:
    """Settings as plain values; given files by their hash, for paths tell about people and machines."""
    plain = dataclasses.asdict(settings)
    plain["model"] = "default" if settings.model == "default" else model_card(settings.model).sha256
    key = plain.pop("key_file")
    if key is not None:  # its hash under a name of its own: the key itself stands nowhere
        plain["key_fingerprint"] = read_key(key).fingerprint
    for name, hashed in (("liver_file", _sha256_of_mask), ("region_file", _sha256_of_mask), ("earlier_file", sha256)):
        given = plain.pop(name)
        plain[name.replace("_file", "_sha256")] = None if given is None else hashed(given)
    return json.loads(json.dumps(plain))


def _sha256_of_mask(path: Path) -> str:
    """Hash of a mask's file, or of all its files where there is one a slice."""
    parts = tuple(sorted(p for p in path.rglob("*") if p.is_file())) if path.is_dir() else nifti.files_of(path)
    return nifti.hash_of(parts) if len(parts) > 1 else sha256(path if not parts else parts[0])


def sha256(path: Path) -> str:
    """Hash of a file's bytes; InputError where it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error


@cache
def versions() -> dict[str, str]:
    """Versions of what computes a finding, as far as it is installed."""
    found = {"python": platform.python_version()}
    for name in _NAMED:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found

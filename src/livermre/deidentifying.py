"""An exam without its patient: `livermre deidentify`."""

import json
import os
import shutil
from pathlib import Path

from livermre.dicom.deidentify import Deidentified, Secret, deidentify
from livermre.exam.errors import OutputError, SettingsError
from livermre.results import check_place, make_folder, write_text

REPORT = "deidentified.json"


def deidentify_path(path: Path, out: Path, key: Path | None = None) -> Deidentified:
    """Write the MR images of a file or folder of DICOM into `out` without what tells who the patient is, and a report;
    all of it or nothing.

    key  a file whose bytes the new UIDs, names and dates hang on; without it the same exam gives the same everywhere

    Raises SettingsError for a folder that is not empty, lies on the input, or a key that cannot be read; NothingFound
    where nothing can be de-identified; OutputError where the disk refuses.
    """
    check_place([path], out)
    secret = read_key(key)
    out = out.resolve()
    make_folder(out)
    if any(out.iterdir()):
        raise SettingsError(f"--out: {out} is not empty; de-identified files are never mixed with others")
    partial = out.with_name(f".{out.name}.partial-{os.getpid()}")
    try:
        shutil.rmtree(partial, ignore_errors=True)  # of a process of the same number that was killed
        make_folder(partial)
        done = deidentify(path, partial, secret)
        write_text(partial / REPORT, json.dumps(done.as_dict(), indent=2) + "\n")
        out.rmdir()
        partial.rename(out)
    except OSError as error:
        raise OutputError(f"cannot write to {out}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return done


def read_key(key: Path | None) -> Secret:
    """What new names are made from: the bytes of a key file, or nothing. SettingsError where it cannot be read."""
    if key is None:
        return Secret()
    try:
        data = key.read_bytes()
    except OSError as error:
        raise SettingsError(f"--key: {key} cannot be read ({error.strerror or error})") from error
    if len(data) < 16:
        raise SettingsError(f"--key: {key} holds {len(data)} bytes; a key has 16 or more, best made at random")
    return Secret(data)

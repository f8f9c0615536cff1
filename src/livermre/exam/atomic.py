"""Write a file whole or not at all."""

import os
import tempfile
from pathlib import Path

from livermre.exam.errors import OutputError


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole or not at all (temporary name, then rename); OutputError where the disk refuses."""
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
        temporary = None
    except OSError as error:
        raise OutputError(f"{path.name} cannot be written ({error.strerror or error})") from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current

"""livermre: a liver MR-elastography exam in, stiffness in kPa with its reasons out.

The face is short: what is named here stays. Names load what they need when they are first used.
"""

from importlib import import_module

from livermre.version import __version__

_FACE = {
    "Settings": "livermre.settings",
    "analyze_path": "livermre.pipeline",
    "analyze_study": "livermre.pipeline",
    "LivermreError": "livermre.exam.errors",
}

__all__ = ["__version__", *_FACE]


def __getattr__(name: str) -> object:
    if name not in _FACE:
        raise AttributeError(f"module 'livermre' has no attribute {name!r}")
    return getattr(import_module(_FACE[name]), name)

"""What several tests of the doors look at."""

from pathlib import Path


def left_over(out: Path) -> list[str]:
    """Hidden, half-written things in a result folder."""
    return [p.name for p in out.rglob("*") if p.name.startswith(".")]

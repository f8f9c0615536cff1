"""What a fuzzing campaign tried and what went wrong."""

import resource
from dataclasses import dataclass, field

LONGEST_SECONDS, MOST_BYTES = 5.0, 1 << 30


def peak_bytes() -> int:
    """The most memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@dataclass
class Found:
    """Counts of a campaign, its failures in words, and the inputs that made them.

    kept   inputs that reached something new; lines  steps from line to line that were reached
    """

    tried: int = 0
    read: int = 0
    kept: int = 0
    lines: int = 0
    failures: list[str] = field(default_factory=list)
    longest_seconds: float = 0.0
    before_bytes: int = field(default_factory=peak_bytes)  # of this process, which may have run other tests
    inputs: list[bytes] = field(default_factory=list, repr=False)

    def step(self, name: str, seconds: float) -> str:
        """Count one more; what is wrong with its time or memory, or nothing."""
        self.tried += 1
        self.longest_seconds = max(self.longest_seconds, seconds)
        used, most = peak_bytes(), max(MOST_BYTES, self.before_bytes + MOST_BYTES // 2)
        if used > most and not any("memory" in f for f in self.failures):
            return f"{used >> 20} MiB of memory"
        return f"{seconds:.1f} s of processor time" if seconds > LONGEST_SECONDS else ""

    def fail(self, told: str, data: bytes = b"") -> None:
        """Write a failure down; the same kind of failure often means the same mistake, so at most 200."""
        if len(self.failures) < 200:
            self.failures.append(told)
            self.inputs.append(data)

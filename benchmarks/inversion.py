"""Our inversion against the vendor's map of one real exam (GE MR-Touch 2-D GRE, 60 Hz), and all methods side by side.

    python benchmarks/inversion.py --real DATA [--leave-one-out] [--pictures DIR]
    python benchmarks/inversion.py --simulated N [--slices 4]
    python benchmarks/inversion.py --limits M
    python benchmarks/inversion.py --vibration N [--offsets 4] [--seed S]

DATA is the folder that holds `ge-mrtouch`. Prints tables; writes nothing but the pictures asked for. Times are CPU time
of this process per slice, of reading nothing: unwrapping alone, then phase to map without it.
"""

import argparse
import sys
from pathlib import Path

from inversion_real import Real, leave_one_out, methods, pictures, real_baselines
from inversion_simulated import limits, simulated
from inversion_vibration import vibration


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real", type=Path, metavar="DATA", help="the folder that holds the real exam")
    parser.add_argument("--leave-one-out", action="store_true")
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--simulated", type=int, default=0, metavar="N", help="simulated exams per stiffness")
    parser.add_argument("--slices", type=int, default=4, help="slices of a simulated exam")
    parser.add_argument("--limits", type=int, default=0, metavar="M", help="simulated exams per obliquity and noise")
    parser.add_argument(
        "--vibration", type=int, default=0, metavar="N", help="simulated exams on, off and out of order"
    )
    parser.add_argument("--offsets", type=int, default=4, help="of the exams of --vibration")
    parser.add_argument("--seed", type=int, default=5950, help="first seed of --vibration")
    options = parser.parse_args()
    if options.real:
        real = Real(options.real)
        methods(real)
        real_baselines(real)
        if options.leave_one_out:
            leave_one_out(real)
        if options.pictures:
            pictures(real, options.pictures)
    if options.simulated:
        simulated(options.simulated, options.slices)
    if options.limits:
        limits(options.limits)
    if options.vibration:
        vibration(options.vibration, options.offsets, options.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())

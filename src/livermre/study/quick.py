"""The cohort of `livermre study --quick` without DATA: small, simulated, made on the spot."""

from pathlib import Path

from livermre.simulate.scan import ScanSettings
from livermre.simulated_cohort import simulate_cohort
from livermre.simulation import Made, Recipe
from livermre.study.inspection import Report
from livermre.study.settings import StudySettings

FOLDER = "cohort"
PATIENTS, SLICES, MATRIX = 40, 2, 128
"""Enough to fill every subset and table, few enough for minutes."""


def quick_cohort(out: Path, settings: StudySettings, report: Report) -> Path:
    """DIR/cohort with simulated patients; those that lie there already are kept. Gives the folder."""
    made = 0

    def done(_: Made) -> None:
        nonlocal made
        made += 1
        report("simulating patients", made, PATIENTS)

    report("simulating patients", 0, PATIENTS)
    recipe = Recipe(settings.split_seed, None, ScanSettings(slices=SLICES, matrix=MATRIX))
    simulate_cohort(PATIENTS, recipe, out / FOLDER, done=done)
    return out / FOLDER

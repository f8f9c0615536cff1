"""What each command does: options to settings, one call, exit status."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from livermre import batch, given, pipeline
from livermre.apps import console
from livermre.apps.status import NOTHING, OK, SOME
from livermre.exam.errors import SettingsError
from livermre.exam.study import ReadOptions
from livermre.inversion import InversionSettings
from livermre.report import words
from livermre.results import Outcome, make_folder
from livermre.roi import RoiSettings
from livermre.settings import Settings


def analyze(options: argparse.Namespace) -> int:
    """Exams to findings; the status says whether all, some or none gave one."""
    settings = _settings(options)
    single = [
        o for o, value in (("--liver", options.liver), ("--roi", options.roi), ("--compare", options.compare)) if value
    ]
    if single and len(options.exams) > 1:
        raise SettingsError(f"{single[0]} belongs to one exam, but {len(options.exams)} were given")
    outcomes = _analyze_all(options.exams, options.out, settings, options)
    console.show_outcomes(outcomes, options.out)
    return status(outcomes)


def status(outcomes: Sequence[Outcome]) -> int:
    """0 where every exam has a finding, 3 where none has, 4 where some have not."""
    failed = sum(o.failed for o in outcomes)
    return OK if not failed else NOTHING if failed == len(outcomes) else SOME


def _settings(options: argparse.Namespace) -> Settings:
    margin = {} if options.erode_mm is None else {"erode_mm": options.erode_mm}
    region = RoiSettings(right_lobe_only=options.right_lobe, **margin)
    return Settings(
        read=ReadOptions(options.stiffness_unit, options.frequency_hz),
        roi=region,
        table=options.table,
        model=options.model,
        device=options.device,
        liver_file=options.liver,
        region_file=options.roi,
        earlier_file=options.compare,
        deidentify=options.deidentify,
        key_file=options.key,
        dicom=options.dicom,
        from_phase=options.from_phase,
    )


def _analyze_all(paths: Sequence[Path], out: Path, settings: Settings, options: argparse.Namespace) -> list[Outcome]:
    with console.progress_bar(len(paths), options.debug) as bar:
        return batch.analyze_all(paths, out, settings, jobs=options.jobs, overwrite=options.overwrite, done=bar.step)


def inspect(options: argparse.Namespace) -> int:
    """What every series is; nothing is measured."""
    reports = pipeline.inspect(options.path)
    if options.json:
        print(json.dumps([r.as_dict() for r in reports], indent=2, ensure_ascii=False))
    else:
        console.show_series(reports)
    return OK


def segment(options: argparse.Namespace) -> int:
    """The liver of one image to a mask on the same grid; prints the files written."""
    settings = Settings(model=options.model, device=options.device)
    print(*pipeline.segment_image(options.image, options.out, settings), sep="\n")
    return OK


def invert(options: argparse.Namespace) -> int:
    """Acquired phase to maps; prints what a person should know of them and the picture's path."""
    from livermre.inverting import InvertRequest, Region, invert_path

    frequencies = tuple(options.frequency_hz or ())
    checked = [ReadOptions(frequency_hz=f) for f in frequencies]  # each within what drivers do
    several = len(frequencies) > 1
    request = InvertRequest(
        InversionSettings(method=options.method, frequencies_hz=frequencies if several else None),
        start="wave" if options.from_wave else "phase",
        regions=tuple(Region(path, nominal) for path, nominal in options.phantom),
        overwrite=options.overwrite,
    )
    outcomes = invert_path(options.exam, options.out, checked[0] if len(checked) == 1 else ReadOptions(), request)
    for outcome in outcomes:
        console.show_inversion(outcome, alone=len(outcomes) == 1)
    failed = sum(bool(o.error) for o in outcomes)
    return OK if not failed else NOTHING if failed == len(outcomes) else SOME


def deidentify(options: argparse.Namespace) -> int:
    """The images of an exam without its patient; prints how many, what was left out, and where the report is."""
    from livermre.deidentifying import REPORT, deidentify_path

    done = deidentify_path(options.exam, options.out, options.key)
    console.say(f"{done.written} image(s) written, {done.letters} pixel(s) of burned-in text blanked")
    for reason, count in sorted(done.refused.items()):
        console.say(f"{count} file(s) left out: {reason}")
    console.say(str(options.out / REPORT))
    return OK


def simulate(options: argparse.Namespace) -> int:
    """Simulated exams as a vendor's DICOM, with masks, maps and numbers of the truth."""
    from livermre.simulate.scan import ScanSettings
    from livermre.simulated_cohort import simulate_cohort
    from livermre.simulation import Recipe

    try:
        scan = ScanSettings(slices=options.slices)
    except ValueError as error:
        raise SettingsError(f"--slices: {error}") from error
    recipe = Recipe(options.seed, options.vendor, scan)
    with console.progress_bar(options.patients * (1 + options.repeats), options.debug) as bar:
        made = simulate_cohort(
            options.patients, recipe, options.out,
            repeats=options.repeats, jobs=options.jobs, done=lambda _: bar.step(()),
        )  # fmt: skip
    kept = sum(m.status == "kept" for m in made)
    console.say(f"simulated exams: {len(made)}" + (f", {kept} of them made earlier" if kept else ""))
    console.say(str(options.out / "truth.csv"))
    return OK


def demo(options: argparse.Namespace) -> int:
    """The main job on exams simulated here, from acquired phase to page; ends with a page worth opening."""
    from livermre.demo import demo_exams

    settings = Settings(model=options.model, device=options.device, from_phase=True)
    given.check(settings)
    make_folder(options.out)
    console.say("Simulating three exams, waves and all: no data of patients is used or needed ...")
    exams = list(demo_exams(options.out / "exams"))
    asked = argparse.Namespace(**vars(options), jobs=1, overwrite=True)
    outcomes = _analyze_all([e.folder for e in exams], options.out, settings, asked)
    console.show_outcomes(outcomes, options.out)
    for exam in exams:
        console.say(f"{exam.folder.name}: the simulated liver's true |G*| is {words.kpa(exam.liver_kpa)} kPa")
    worth = next((o for o in outcomes if o.status == "measured"), outcomes[0])
    console.say("\nAll three exams are simulated. A page worth opening:")
    console.say(str((options.out / worth.exam / "report.html").resolve()))
    return status(outcomes)


def train(options: argparse.Namespace) -> int:
    """A network from images and labels, or from label maps alone."""
    _check_training(options)
    missing = [name for name in ("torch", "segmentation_models_pytorch", "onnx") if find_spec(name) is None]
    if missing:
        raise SettingsError(f"training needs {', '.join(missing)}: pip install 'livermre[train]'")
    from livermre.train.cli import TrainRequest, train
    from livermre.train.loop import Stage, TrainSettings

    settings = TrainSettings(network=options.network, seed=options.seed, device=options.device, bf16=options.bf16)
    if options.peak_rate is not None:
        settings = replace(settings, peak_rate=options.peak_rate)
    if options.stages:
        settings = replace(settings, stages=tuple(Stage(*s) for s in options.stages))
    request = TrainRequest(
        options.out, options.data, options.synthetic, options.start, settings, options.weights, licence=options.licence
    )
    with console.training_bar() as report:
        path = train(request, report)
    console.say(str(path))
    return OK


def _check_training(options: argparse.Namespace) -> None:
    """Raise SettingsError for what can be seen to be wrong before anything heavy is loaded."""
    if (options.data is None) == (options.synthetic is None):
        raise SettingsError("give either DATA (images/ and labels/) or --synthetic SHAPES, not both and not neither")
    for option, folder in (("DATA", options.data), ("--synthetic", options.synthetic)):
        if folder is not None and not folder.is_dir():
            raise SettingsError(f"{option}: there is no folder {folder}")
    resumed = (options.out / "checkpoint.pt").is_file()
    if options.start is not None and not resumed and not options.start.is_file():
        raise SettingsError(f"--from: there is no file {options.start}")


def node(options: argparse.Namespace) -> int:
    """The DICOM node's own commands."""
    from livermre.apps.node.commands import node as act

    return act(options)


def study(options: argparse.Namespace) -> int:
    """Both networks on a cohort: check, train, evaluate, compare, write up."""
    from livermre.apps.study import study as act

    return act(options)


def evaluate(options: argparse.Namespace) -> int:
    """Masks and measurements of any program against the truth."""
    from livermre.apps.study import evaluate as act

    return act(options)

"""The command line: options in, one call, exit status out. Nothing heavy is imported before a command needs it."""

import argparse
import atexit
import gc
import io
import math
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from livermre.apps.status import INTERRUPTED, NOTHING, OK, USAGE
from livermre.exam.errors import LivermreError, SettingsError
from livermre.version import __version__

_REPORT_HERE = "please report this, with the output of the same command and --debug"


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one sentence, not a screen of usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit status."""
    options = parser().parse_args(arguments)
    _never_stumble_over_a_letter()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _run(options)
    except BrokenPipeError:  # `livermre inspect | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK


def _never_stumble_over_a_letter() -> None:
    """A terminal without a letter shows its number instead, where Python would stop with an error."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _run(options: argparse.Namespace) -> int:
    try:
        _begin_loading(options)
        return getattr(_commands(), options.command)(options)
    except KeyboardInterrupt:
        return _say("interrupted; what was finished stays, nothing is half-written", INTERRUPTED)
    except LivermreError as error:
        return _say(str(error), USAGE if isinstance(error, SettingsError) else NOTHING)
    except BrokenPipeError:
        raise
    except Exception as error:
        if options.debug:
            raise
        return _say(f"{type(error).__name__} inside livermre: {error}; {_REPORT_HERE}", NOTHING)


def _begin_loading(options: argparse.Namespace) -> None:
    """Compile the network, where this process will need it, while the rest is imported: half a second saved."""
    asked = vars(options)
    if asked.get("model") and not asked.get("liver") and asked.get("jobs", 1) == 1:
        import_module("livermre.network").begin_loading(options.model, options.device)


def _commands() -> ModuleType:
    """What the commands do, imported the first time, when half a million objects come that stay.

    To look for garbage among them takes a tenth of a second while they come, and three tenths at the end.
    """
    name = "livermre.apps.commands"
    if name not in sys.modules:
        gc.disable()
        import_module(name)
        gc.freeze()
        gc.enable()
        atexit.register(gc.freeze)
    return sys.modules[name]


def _say(sentence: str, status: int) -> int:
    print(f"livermre: {sentence}", file=sys.stderr)
    return status


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = _Parser(
        prog="livermre",
        description="Reads a liver MR-elastography exam: liver outline, region, stiffness in kPa, stage, page.",
        epilog="For research use only. `livermre demo` shows it all without any data of yours.",
    )
    top.add_argument("--version", action="version", version=f"livermre {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (_analyze, _inspect, _segment, _invert, _deidentify, _simulate, _demo, _train, _study, _evaluate, _node):
        add(commands)
    return top


def _command(commands: argparse._SubParsersAction, name: str, does: str, more: str = "") -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=does, description=f"{does[0].upper()}{does[1:]}. {more}".strip())
    command.add_argument("--debug", action="store_true", help="show tracebacks of unexpected errors")
    return command


def _analyze(commands: argparse._SubParsersAction) -> None:
    status = "Exit status: 0 every exam gave a finding, 2 wrong usage, 3 none did, 4 some did not, 130 interrupted."
    c = _command(commands, "analyze", "measure liver stiffness in exams", status)
    c.add_argument("exams", nargs="+", type=Path, metavar="EXAM", help="folder or file of DICOM, or a NIfTI set")
    c.add_argument("--out", required=True, type=Path, metavar="DIR", help="results go to DIR/<exam>/")
    c.add_argument(
        "--table", default="rdes149", metavar="NAME", help="cut-off table of the stage (default %(default)s)"
    )
    c.add_argument(
        "--stiffness-unit", choices=("Pa", "kPa"), help="unit of the stiffness map where the files do not say"
    )
    c.add_argument("--frequency-hz", type=_above_zero, metavar="HZ", help="driver frequency where the files do not say")
    c.add_argument("--from-phase", action="store_true", help="measure livermre's own inversion of the acquired phase")
    _model(c)
    c.add_argument("--liver", type=Path, metavar="MASK", help="a liver mask (NIfTI or DICOM), not the network's")
    c.add_argument("--roi", type=Path, metavar="MASK", help="a region to measure in (NIfTI or DICOM)")
    c.add_argument("--erode-mm", type=_not_below_zero, metavar="MM", help="margin to the liver's edge (default 10)")
    c.add_argument("--right-lobe", action="store_true", help="measure in the right lobe only")
    c.add_argument(
        "--compare", type=Path, metavar="FINDING", help="finding.json of an earlier exam of the same patient"
    )
    c.add_argument("--deidentify", action="store_true", help="no patient on the page, nor in the DICOM objects")
    c.add_argument("--key", type=Path, metavar="FILE", help="with --deidentify: secret bytes, as in `deidentify`")
    c.add_argument("--no-dicom", dest="dicom", action="store_false", help="write no DICOM objects (SEG, SR, PDF ...)")
    c.add_argument("--overwrite", action="store_true", help="analyse finished exams again (else they are skipped)")
    c.add_argument("--jobs", type=_count, default=1, metavar="N", help="exams side by side, in N processes")


def _inspect(commands: argparse._SubParsersAction) -> None:
    c = _command(commands, "inspect", "tell what every series of a folder is, how sure, and why")
    c.add_argument("path", type=Path, metavar="PATH", help="folder or file of DICOM, or a NIfTI set")
    c.add_argument("--json", action="store_true", help="for programs")


def _segment(commands: argparse._SubParsersAction) -> None:
    c = _command(commands, "segment", "outline the liver in a magnitude image")
    c.add_argument("image", type=Path, metavar="IMAGE", help="a NIfTI image or a DICOM series")
    c.add_argument("--out", required=True, type=Path, metavar="MASK", help="NIfTI mask to write, on the image's grid")
    _model(c)


def _invert(commands: argparse._SubParsersAction) -> None:
    c = _command(
        commands, "invert", "make stiffness maps from acquired phase", "DIR is then a NIfTI set for `analyze`."
    )
    c.add_argument("exam", type=Path, metavar="EXAM", help="folder or file of DICOM, or a NIfTI set")
    c.add_argument(
        "--out", required=True, type=Path, metavar="DIR", help="maps go to DIR (DIR/<exam>/ for several exams)"
    )
    c.add_argument(
        "--frequency-hz", type=_above_zero, action="append", metavar="HZ",
        help="driver frequency where the files do not say; once for each, in their order, where the phase has several",
    )  # fmt: skip
    methods = ("helmholtz", "aide", "lfe", "gradient")  # inversion.settings.METHODS, not imported for --help
    c.add_argument("--method", choices=methods, default="helmholtz", help="default %(default)s; the others to compare")
    c.add_argument("--from-wave", action="store_true", help="start from the scanner's filtered wave images")
    c.add_argument(
        "--phantom", nargs="+", type=_region, default=(), metavar="MASK[=KPA]",
        help="report mean and SD in these NIfTI masks, beside what they should hold",
    )  # fmt: skip
    c.add_argument("--overwrite", action="store_true", help="replace an earlier inversion")


def _deidentify(commands: argparse._SubParsersAction) -> None:
    c = _command(commands, "deidentify", "copy the MR images of an exam without its patient (PS3.15, by allow-list)")
    c.add_argument("exam", type=Path, metavar="EXAM", help="folder or file of DICOM")
    c.add_argument("--out", required=True, type=Path, metavar="DIR", help="empty or new; gets the images and a report")
    c.add_argument("--key", type=Path, metavar="FILE", help="secret bytes; the same key gives the same names and UIDs")


def _simulate(commands: argparse._SubParsersAction) -> None:
    c = _command(
        commands, "simulate", "make simulated exams with known truth", "The same command goes on after an interruption."
    )
    c.add_argument("--patients", required=True, type=_count, metavar="N", help="how many simulated patients")
    c.add_argument("--seed", type=_whole, default=1, metavar="S", help="same seed, same bytes (default %(default)s)")
    c.add_argument("--out", required=True, type=Path, metavar="DIR", help="gets exams/, masks/ and truth.csv")
    styles = ("ge", "siemens", "siemens-enhanced", "philips-enhanced")  # dicom.write.STYLES, not imported for --help
    c.add_argument("--vendor", choices=styles, help="DICOM style of all exams (default: each patient's own)")
    c.add_argument("--repeats", type=_whole, default=0, metavar="N", help="further scans of each patient (default 0)")
    c.add_argument("--slices", type=_count, default=4, metavar="N", help="of each exam, 1 to 12 (default %(default)s)")
    c.add_argument("--jobs", type=_count, default=1, metavar="N", help="exams side by side, in N processes")


def _demo(commands: argparse._SubParsersAction) -> None:
    c = _command(commands, "demo", "analyse exams that livermre simulates itself")
    c.add_argument("--out", type=Path, default=Path("livermre-demo"), metavar="DIR", help="default: %(default)s")
    _model(c)


def _train(commands: argparse._SubParsersAction) -> None:
    c = _command(commands, "train", "train a network (needs the extra [train])", "Resumable: the same command goes on.")
    c.add_argument("data", nargs="?", type=Path, metavar="DATA", help="images/ID.nii.gz and labels/ID.nii.gz")
    c.add_argument("--synthetic", type=Path, metavar="SHAPES", help="train on images generated from label maps instead")
    c.add_argument(
        "--network", choices=("unet", "unet-resnext50"), default="unet-resnext50", help="default %(default)s"
    )
    c.add_argument("--out", required=True, type=Path, metavar="RUN", help="folder of the run")
    c.add_argument("--from", dest="start", type=Path, metavar="WEIGHTS", help="start from these weights")
    c.add_argument(
        "--stages", nargs="+", type=_stage, metavar="SIZE:STEPS:BATCH", help="grid sizes, one after the other"
    )
    c.add_argument("--seed", type=int, default=1, metavar="S", help="default %(default)s")
    c.add_argument("--peak-rate", type=_above_zero, metavar="R", help="highest learning rate (default 0.0012)")
    c.add_argument("--device", default="cpu", choices=("cpu", "cuda"), help="default %(default)s")
    c.add_argument("--bf16", action="store_true", help="faster where the processor has bf16 matrix units")
    c.add_argument("--weights", choices=("int8", "fp16", "fp32"), default="int8", help="of the export (default int8)")
    c.add_argument("--licence", default="", metavar="TEXT", help="of the training data, for the model card")


def _study(commands: argparse._SubParsersAction) -> None:
    more = "The same command goes on after an interruption. Training needs the extra [train]."
    c = _command(commands, "study", "train both networks on a cohort, evaluate, compare, write the report", more)
    c.add_argument("data", nargs="?", type=Path, metavar="DATA", help="exams/, masks/, table.csv; or images, labels")
    c.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder of the study")
    c.add_argument("--check", action="store_true", help="only look whether DATA fits together -> DIR/check.json")
    c.add_argument("--quick", action="store_true", help="small and short; without DATA on patients simulated for it")
    c.add_argument("--report-only", action="store_true", help="write the report of DIR again, without training")
    c.add_argument("--networks", nargs="+", choices=("unet", "unet-resnext50"), help="default: both")
    c.add_argument("--seeds", nargs="+", type=_whole, metavar="S", help="one training each (default 1 2 3)")
    c.add_argument("--folds", type=_whole, metavar="K", help="cross-validation with K folds (default: one test set)")
    c.add_argument("--split-seed", type=_whole, default=1, metavar="S", help="of split and bootstrap (default 1)")
    c.add_argument("--table", metavar="NAME", help="cut-off table of the stages (default rdes149)")
    c.add_argument("--size", type=_count, metavar="N", help="pixels of a training image (default 128)")
    c.add_argument("--images", type=_count, metavar="N", help="images a network and seed (default 12000)")
    c.add_argument("--batch", type=_count, metavar="N", help="images a step (default 8)")
    c.add_argument("--accumulate", type=_count, metavar="N", help="parts of a batch, to save memory (default 1)")
    c.add_argument("--validate-every", type=_count, metavar="N", help="steps between validations (default 100)")
    c.add_argument("--patience", type=_count, metavar="N", help="stop after N validations without a better one")
    c.add_argument("--peak-rate", type=_above_zero, metavar="R", help="highest learning rate (default 0.0012)")
    c.add_argument(
        "--from", dest="start", action="append", type=_named, metavar="NETWORK=WEIGHTS", help="start from these weights"
    )
    _liver_labels(c)
    c.add_argument("--no-zero-shot", dest="zero_shot", action="store_false", help="no shipped and no starting weights")
    c.add_argument("--device", default="cpu", choices=("cpu", "cuda"), help="default %(default)s")
    c.add_argument("--threads", type=_count, metavar="N", help="of PyTorch")
    c.add_argument("--bf16", action="store_true", help="faster where the processor has bf16 matrix units")
    c.add_argument("--weights", choices=("int8", "fp16", "fp32"), help="of the export (default int8)")


def _evaluate(commands: argparse._SubParsersAction) -> None:
    more = "Exit status: 0 every exam of TRUTH had a usable prediction, 3 none had, 4 some had not."
    c = _command(commands, "evaluate", "compare masks and measurements of any program with the truth", more)
    c.add_argument("predictions", type=Path, metavar="PREDICTIONS", help="NAME/liver.nii.gz or NAME.nii.gz, and a CSV")
    c.add_argument("truth", type=Path, metavar="TRUTH", help="a cohort: exams/, masks/ and table.csv; exams may lack")
    c.add_argument("--out", required=True, type=Path, metavar="DIR", help="gets page, JSON, tables, figures")
    c.add_argument("--table", default="rdes149", metavar="NAME", help="cut-off table (default %(default)s)")
    _liver_labels(c)
    c.add_argument("--draws", type=_count, default=2000, metavar="N", help="of the bootstrap (default %(default)s)")
    c.add_argument("--seed", type=_whole, default=1, metavar="S", help="of the bootstrap (default %(default)s)")


def _node(commands: argparse._SubParsersAction) -> None:
    c = _command(commands, "node", "receive exams over DICOM, send results (needs the extra [node])")
    actions = c.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, does in (
        ("run", "receive, analyse and send until SIGTERM"),
        ("doctor", "try everything that CONFIG names and say what to mend"),
        ("status", "how the node stands, or what became of a study"),
        ("retry", "give a study that was set aside a new chance"),
    ):
        action = actions.add_parser(name, help=does, description=f"{does[0].upper()}{does[1:]}.")
        action.add_argument("config", type=Path, metavar="CONFIG", help="TOML file; `livermre node init` writes one")
        if name == "status":
            action.add_argument("--study", metavar="UID|HASH", help="the history of one study")
            action.add_argument("--last", type=_whole, default=20, metavar="N", help="studies to list (default 20)")
            action.add_argument("--json", action="store_true", help="for programs")
        if name == "retry":
            action.add_argument("study", metavar="UID|HASH", help="Study Instance UID, or the start of its hash")
    init = actions.add_parser("init", help="write a commented configuration", description="Write a commented CONFIG.")
    init.add_argument("file", nargs="?", type=Path, default=Path("livermre-node.toml"), metavar="FILE")


def _model(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--model", default="default", metavar="NAME|FILE", help="network weights (default: the shipped)"
    )
    command.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="default %(default)s")


def _above_zero(text: str) -> float:
    number = _number(text)
    if number <= 0:
        raise argparse.ArgumentTypeError(f"must be above zero, found {text}")
    return number


def _not_below_zero(text: str) -> float:
    number = _number(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"must not be below zero, found {text}")
    return number


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"must be a number, found {text}")
    return number


def _stage(text: str) -> tuple[int, int, int]:
    numbers = text.split(":")
    if len(numbers) != 3:
        raise argparse.ArgumentTypeError(f"must be SIZE:STEPS:BATCH, found {text}")
    size, steps, batch = map(_count, numbers)
    return size, steps, batch


def _liver_labels(c: argparse.ArgumentParser) -> None:
    c.add_argument(
        "--labels", dest="liver_labels", type=_labelled, metavar="liver=N[,N]",
        help="which values of label maps are the liver (default: as dataset.json says, else 1)",
    )  # fmt: skip


def _labelled(text: str) -> tuple[int, ...]:
    name, _, values = text.partition("=")
    if name.casefold() != "liver" or not all(v.strip().isdecimal() and int(v) > 0 for v in values.split(",")):
        raise argparse.ArgumentTypeError(f"must be liver=N or liver=N,N with whole numbers above 0, found {text}")
    return tuple(int(v) for v in values.split(","))


def _named(text: str) -> tuple[str, Path]:
    name, equals, file = text.partition("=")
    if not (name and equals and file):
        raise argparse.ArgumentTypeError(f"must be NETWORK=WEIGHTS, found {text}")
    return name, Path(file)


def _region(text: str) -> tuple[Path, float | None]:
    mask, equals, nominal = text.rpartition("=")
    return (Path(mask), _above_zero(nominal)) if equals else (Path(text), None)


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be a whole number of 0 or more, found {text}")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of 1 or more, found {text}")
    return int(text)

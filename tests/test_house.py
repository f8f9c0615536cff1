"""The house as DESIGN and docs/architecture.md draw it: which room may import which, read from the source."""

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "livermre"
FILES = sorted(SOURCE.rglob("*.py"))
ROOMS = sorted({p.name for p in SOURCE.iterdir() if p.is_dir() and (p / "__init__.py").exists()} | {"nifti"})

GROUND = {"exam", "version"}
ROADS = {
    "pipeline",
    "provenance",
    "network",
    "given",
    "settings",
    "demo",
    "from_phase",
    "above_noise",
    "objects_out",
    "study",
    "deidentifying",
    "inverting",
    "simulation",
    "simulated_cohort",
    "batch",
    "results",
    "apps",
    "__main__",
    "__init__",
}  # may know several rooms
ALLOWED = {"train": {"simulate"}}  # beside the ground and itself
TORCH = {"train", "study"}
LIBRARIES = {  # who may import what beside the standard library and numpy
    "exam": set(),
    "dicom": {"pydicom", "scipy", "gdcm", "openjpeg", "rle", "jpeg_ls", "pylibjpeg"},
    "nifti": {"nibabel", "scipy"},
    "inversion": {"scipy", "skimage"},
    "roi": {"scipy"},
    "stiffness": {"scipy"},
    "simulate": {"scipy"},
    "evaluate": {"scipy"},
    "segment": {"scipy", "openvino", "onnxruntime"},
    "report": {"scipy", "jinja2", "markupsafe", "fpdf", "PIL"},
    "pipeline": set(),
    "batch": set(),
    "results": set(),
    "apps": {"rich", "pynetdicom", "pydicom"},  # the node's two; the next test says where
}


def room_of(path: Path) -> str:
    part = path.relative_to(SOURCE).parts[0]
    return part.removesuffix(".py")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[str]:
    """Full names of all modules that a file imports, lazily or at once."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            yield node.module or ""
            if node.module == "livermre":
                yield from (f"livermre.{a.name}" for a in node.names)


def rooms_of(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imports(path) if name.startswith("livermre.")}


def libraries_of(path: Path) -> set[str]:
    return (
        {name.split(".")[0] for name in imports(path)} - set(sys.stdlib_module_names) - {"livermre", "__future__", ""}
    )


def offenders(rule: Callable[[Path], Iterable[str]], files: Iterable[Path] = tuple(FILES)) -> list[str]:
    """'room/file.py: what' for everything that a rule finds."""
    return [f"{path.relative_to(SOURCE).as_posix()}: {what}" for path in files for what in sorted(rule(path))]


def test_rooms_know_only_the_ground() -> None:
    """Only pipeline.py knows the order of things."""

    def strangers(path: Path) -> set[str]:
        room = room_of(path)
        return set() if room in ROADS else rooms_of(path) - GROUND - {room} - ALLOWED.get(room, set())

    assert not offenders(strangers)


def test_nothing_imports_the_doors() -> None:
    inside = [p for p in FILES if room_of(p) not in {"apps", "__main__"}]
    assert not offenders(lambda path: rooms_of(path) & {"apps", "__main__"}, inside)


def test_the_roads_run_one_way() -> None:
    reach = {name: rooms_of(SOURCE / f"{name}.py") for name in ("results", "pipeline", "batch")}
    assert reach["results"] <= GROUND
    assert "batch" not in reach["pipeline"]


def test_analysis_needs_no_torch() -> None:
    torch = {"torch", "torchvision", "segmentation_models_pytorch", "onnx", "timm"}
    assert not offenders(lambda path: libraries_of(path) & torch, [p for p in FILES if room_of(p) not in TORCH])


def test_a_study_trains_in_one_file() -> None:
    """So that `study --check`, `study --report-only` and `evaluate` work where torch is not installed."""
    files = [p for p in FILES if room_of(p) == "study" and p.name != "training.py"]
    assert not offenders(lambda path: libraries_of(path) & {"torch", "onnx"}, files)
    assert not offenders(lambda path: rooms_of(path) & {"train"}, files)


def test_only_dicom_has_seen_a_tag() -> None:
    """Beside it the node's wire.py, which reads what an instance belongs to before there is an exam."""
    seen = [p for p in FILES if room_of(p) != "dicom" and p != SOURCE / "apps" / "node" / "wire.py"]
    assert not offenders(lambda path: libraries_of(path) & {"pydicom"}, seen)


def test_only_the_node_speaks_on_the_network() -> None:
    outside = [p for p in FILES if (SOURCE / "apps" / "node") not in p.parents]
    assert not offenders(lambda path: libraries_of(path) & {"pynetdicom"}, outside)


def test_libraries_of_a_room() -> None:
    listed = [p for p in FILES if room_of(p) in LIBRARIES]
    assert not offenders(lambda path: libraries_of(path) - LIBRARIES[room_of(path)] - {"numpy"}, listed)


def test_environment_and_clock_stay_at_the_door() -> None:
    """Same exam, same settings, same answer: nothing inside reads a clock, a variable or global random numbers."""
    shut = {"time", "random", "socket", "urllib", "requests"}
    inside = [p for p in FILES if room_of(p) != "apps"]
    assert not offenders(lambda path: {n.split(".")[0] for n in imports(path)} & shut, inside)
    assert not offenders(_reads_outside, inside)


def _reads_outside(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
            written = ast.unparse(node)
            if written in {"os.environ", "os.getenv", "os.putenv", "os.environb"}:
                yield f"line {node.lineno}: {written}"
            if re.fullmatch(
                r"(datetime|date)\.(now|today|utcnow)|datetime\.datetime\.\w*now|datetime\.date\.today", written
            ):
                yield f"line {node.lineno}: {written}"
            if re.match(r"(np|numpy)\.random\.(?!default_rng|Generator|SeedSequence|PCG64)", written):
                yield f"line {node.lineno}: {written}"


def test_no_path_of_one_machine() -> None:
    place = re.compile(r"[\"'](/(?:home|root|work|farm|tmp|Users|mnt|opt)/[^\"']*)")
    assert not offenders(lambda path: set(place.findall(path.read_text(encoding="utf-8"))))


def test_the_face() -> None:
    """What `import livermre` promises; a change here is a change for users."""
    import livermre

    assert livermre.__all__ == ["__version__", "Settings", "analyze_path", "analyze_study", "LivermreError"]
    assert all(hasattr(livermre, name) for name in livermre.__all__)


HEAVY = ("numpy", "scipy", "openvino", "onnxruntime", "torch", "pydicom", "nibabel", "fpdf", "jinja2", "rich", "PIL")


@pytest.mark.parametrize(
    "arguments", [("--help",), ("--version",), ("analyze", "--help"), ("train", "--help"), ("study", "--help")]
)
def test_help_loads_nothing_heavy(arguments: tuple[str, ...]) -> None:
    code = (
        "import sys\nfrom livermre.apps.cli import main\n"
        f"try:\n    main({list(arguments)!r})\nexcept SystemExit as end:\n    assert not end.code\n"
        "print(*[m for m in sys.modules if '.' not in m], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(HEAVY) & set(done.stderr.split())
    assert "livermre" in done.stdout

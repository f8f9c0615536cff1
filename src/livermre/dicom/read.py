"""Folder or files of DICOM -> exams, or one clear sentence why there is none."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from livermre.dicom.arrange import TOLERANCE, at_position
from livermre.dicom.drafts import Draft, companions, drafts
from livermre.dicom.files import Folder, open_all
from livermre.dicom.header import Tag
from livermre.dicom.series import Group, Sorted, sort
from livermre.dicom.study import build
from livermre.exam.errors import Contradiction, CorruptFile, InputError, LivermreError, NothingFound
from livermre.exam.flags import Flag, flag
from livermre.exam.study import NO_OPTIONS, ReadOptions, Study


@dataclass(frozen=True)
class Reading:
    """What a folder holds: the exams that could be read, and for each that could not the error that says why."""

    studies: tuple[Study, ...]
    failures: tuple[InputError, ...] = ()


def read(paths: Sequence[Path], options: ReadOptions = NO_OPTIONS) -> list[Study]:
    """Every MRE exam under the given files and folders, in order of series number.

    Raises NothingFound, CorruptFile, UnclearUnit or Contradiction where no exam can be read; where some can, the
    others become a flag of each.
    """
    reading = read_folder(paths, options)
    if not reading.studies:
        raise reading.failures[0]
    return list(reading.studies)


def read_folder(paths: Sequence[Path], options: ReadOptions = NO_OPTIONS) -> Reading:
    """Every MRE exam under the given files and folders, and every one that cannot be read with its error.

    Raises NothingFound or CorruptFile only where there is nothing that could have been an exam.
    """
    paths = [Path(p) for p in paths]
    try:
        return _read(paths, options)
    except (MemoryError, RecursionError) as error:
        raise CorruptFile(f"the input needs more memory than there is ({type(error).__name__})") from error


def _read(paths: list[Path], options: ReadOptions) -> Reading:
    folder = open_all(paths)
    found = sort(folder.files)
    groups = with_partners(found.groups)
    mixed = [g for g in groups if g.problem and not g.damaged]
    broken = [g for g in groups if g.problem and g.damaged]
    studies: list[Study] = []
    failures: list[InputError] = [Contradiction(g.problem) for g in mixed]
    drawn = drafts(groups)
    for draft in drawn:
        if not any(draft.images["magnitude"]) and _explained(draft, mixed):
            continue
        try:
            studies.append(build(draft, options, _input_flags(folder, found, draft, drawn)))
        except InputError as error:
            failures.append(error.with_traceback(None))  # a traceback would keep the images in memory
    if not studies and not failures:
        raise _nothing(paths, folder, found, groups)
    reasons = [*(str(f) for f in failures), *(g.problem for g in broken)]
    failures += [CorruptFile(g.problem) for g in broken if g.rule.role == "stiffness"]
    return Reading(tuple(_with_problems(s, reasons) for s in studies), tuple(failures))


def _explained(draft: Draft, mixed: list[Group]) -> bool:
    """Whether a series that cannot be used, already reported, is why a map has no magnitude; each explains one."""
    for group in mixed:
        if draft.has_map and companions(draft.first, group):
            mixed.remove(group)
            return True
    return False


def with_partners(groups: Sequence[Group]) -> tuple[Group, ...]:
    """The groups, those whose rule also fits other methods kept only beside phase or stiffness of the same slices."""
    sure = [g for g in groups if g.role in ("phase", "stiffness") and not g.rule.needs_mre]
    return tuple(replace(g, role="other") if _unsure(g) and not any(_beside(g, s) for s in sure) else g for g in groups)


def _unsure(group: Group) -> bool:
    return group.rule.needs_mre and group.role != "other"


def _beside(group: Group, sure: Group) -> bool:
    same = group.study == sure.study and (group.place == sure.place or not group.place or not sure.place)
    if not same:
        return False
    plane = sure.frames[0].plane
    tolerance = TOLERANCE * max(plane.thickness_mm, 1.0)
    return any(at_position(group.frames, f.plane, tolerance) for f in sure.frames[:8] + sure.frames[-8:])


def _input_flags(folder: Folder, found: Sorted, draft: Draft, drawn: Sequence[Draft]) -> list[Flag]:
    """What was left out of this exam: duplicates of its series; damage that is not known to be another exam's."""
    flags = []
    own = {g.uid for g in draft.used}
    others = {g.uid for d in drawn if d is not draft for g in d.used} - own
    duplicates = draft.repeats + sum(count for series, count in found.duplicates.items() if series in own)
    if duplicates:
        flags.append(flag("duplicate_images", count=duplicates))
    damaged = len(folder.damaged) + sum(series not in others for series, _ in found.damaged)
    if damaged:
        flags.append(flag("damaged_files", count=damaged))
    return flags


def _with_problems(study: Study, reasons: Sequence[str]) -> Study:
    more = tuple(flag("exam_left_out", reason=r.rstrip(".")) for r in reasons)
    return replace(study, exam=replace(study.exam, flags=(*study.exam.flags, *more)))


def _nothing(paths: list[Path], folder: Folder, found: Sorted, groups: Sequence[Group]) -> LivermreError:
    """The sentence that says what was found instead of an exam."""
    where = ", ".join(p.name or str(p) for p in paths)
    damaged = [reason for _, reason in (*folder.damaged, *found.damaged)]
    if damaged:
        more = f" (and {len(damaged) - 1} more damaged file(s))" if len(damaged) > 1 else ""
        return CorruptFile(f"{where} holds no readable exam: {damaged[0]}{more}")
    if not folder.files:
        return NothingFound(f"{where} holds {folder.others} file(s), none of them DICOM")
    coloured = [
        g for g in groups if g.rule.name in ("colour", "capture") and g.header.text(Tag.MODALITY) in ("MR", "OT")
    ]
    if coloured and _only(groups, ("colour", "capture")):
        return NothingFound(
            f"{where} holds only coloured pictures (series {coloured[0].number}); colours cannot be measured, "
            "send the stiffness map in grey values (kPa or Pa)"
        )
    modalities = sorted({f.header.text(Tag.MODALITY) or "unknown" for f in folder.files})
    if "MR" not in modalities:
        return NothingFound(f"{where} holds only {', '.join(modalities)} images, no MR elastography")
    if any(g.role != "other" for g in groups):
        roles = sorted({g.role for g in groups if g.role != "other"})
        return NothingFound(
            f"{where} holds {' and '.join(roles)} images of an MRE exam but neither stiffness map nor phase"
        )
    return NothingFound(f"{where} holds MR images but no MR elastography; 'livermre inspect' says what each series is")


def _only(groups: Sequence[Group], names: tuple[str, ...]) -> bool:
    images = [g for g in groups if g.rule.name != "not-mr"]
    return bool(images) and all(g.rule.name in names for g in images)

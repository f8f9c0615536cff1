"""Sort frames into groups: the images of one series that play one role."""

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from livermre.dicom.files import DicomFile
from livermre.dicom.frames import Frame, frames_of
from livermre.dicom.header import Header, Tag, Value, describe
from livermre.dicom.patterns import sequence_name, vendor
from livermre.dicom.vendors import Role, Rule, rule_of
from livermre.exam.errors import Contradiction, CorruptFile, InputError

MEASURED: frozenset[Role] = frozenset({"magnitude", "phase", "wave", "stiffness", "confidence"})

_RULE_TAGS = (
    Tag.IMAGE_TYPE, Tag.SOP_CLASS, Tag.MODALITY, Tag.MANUFACTURER, Tag.SERIES_DESCRIPTION, Tag.PROTOCOL, Tag.COMMENTS,
    Tag.FRAME_COMMENTS, Tag.COMPLEX_COMPONENT, Tag.SEQUENCE_NAME, Tag.PULSE_SEQUENCE_NAME, Tag.GE_SEQUENCE,
    Tag.GE_DIRECTIONS_EPI, Tag.GE_DIRECTIONS_GRE, Tag.SERIES_NUMBER, Tag.PHOTOMETRIC, Tag.SAMPLES, Tag.BITS_ALLOCATED,
    Tag.SERIES_UID,
)  # fmt: skip
"""All that the rules look at: frames alike in these get the same rule without asking again."""


@dataclass(frozen=True)
class Group:
    """Images of one series in one role, in Instance Number order.

    damaged  how many images of the group could not be decoded or placed
    problem  why the images cannot be used, one sentence; empty when they can
    """

    rule: Rule
    role: Role
    frames: tuple[Frame, ...] = field(repr=False)
    damaged: int = 0
    problem: str = ""

    @property
    def header(self) -> Header:
        """Header of the first image."""
        return self.frames[0].header

    @property
    def number(self) -> int:
        """Series Number."""
        return self.header.integer(Tag.SERIES_NUMBER)

    @property
    def uid(self) -> str:
        """Series Instance UID."""
        return self.header.text(Tag.SERIES_UID)

    @property
    def study(self) -> str:
        """Study Instance UID."""
        return self.header.text(Tag.STUDY_UID)

    @property
    def place(self) -> str:
        """Frame of Reference UID; empty when the header has none."""
        return self.header.text(Tag.FRAME_OF_REFERENCE)

    @property
    def sequence(self) -> str:
        """The sequence as its vendor names it."""
        return sequence_name(self.header)


@dataclass(frozen=True)
class Sorted:
    """All groups of an input, and what was left out of which series (Series Instance UID).

    duplicates  how many duplicate images of each series
    damaged     (series, reason) of every file or image that is damaged
    """

    groups: tuple[Group, ...]
    duplicates: Mapping[str, int]
    damaged: tuple[tuple[str, str], ...]


def sort(files: Iterable[DicomFile]) -> Sorted:
    """Group the images of files by series and role, each image once, damaged ones left out."""
    unique, duplicates = _without_duplicates(files)
    frames: list[Frame] = []
    damaged: list[tuple[str, str]] = []
    for file in unique:
        try:
            frames.extend(frames_of(file))
        except CorruptFile as error:
            damaged.append((file.header.text(Tag.SERIES_UID), str(error)))
    groups: list[Group] = []
    for rule, members in _by_rule(frames):
        found, lost = _usable(rule, members)
        groups.extend(found)
        damaged.extend((members[0].header.text(Tag.SERIES_UID), reason) for reason in lost)
    return Sorted(
        tuple(sorted(groups, key=lambda g: (g.number, g.uid, g.rule.name, g.role))), duplicates, tuple(damaged)
    )


def _without_duplicates(files: Iterable[DicomFile]) -> tuple[list[DicomFile], Counter[str]]:
    seen: set[Hashable] = set()
    kept, duplicates = [], Counter[str]()
    for file in files:
        name = _name_of(file.header)
        if name in seen:
            duplicates[file.header.text(Tag.SERIES_UID)] += 1
            continue
        if name is not None:
            seen.add(name)
        kept.append(file)
    return kept, duplicates


def _name_of(header: Header) -> Hashable:
    """What two copies of an image share; the UID alone is not enough, some de-identification gives one to all."""
    uid = header.text(Tag.SOP_INSTANCE)
    place = tuple(round(v, 2) for v in header.numbers(Tag.POSITION))
    return (uid, header.text(Tag.SERIES_UID), header.number(Tag.INSTANCE_NUMBER), place) if uid else None


def _by_rule(frames: Iterable[Frame]) -> list[tuple[Rule, list[Frame]]]:
    known: dict[tuple[tuple[Value, ...] | None, ...], Rule] = {}
    groups: dict[tuple[str, str, str], list[Frame]] = defaultdict(list)
    rules: dict[str, Rule] = {}
    for frame in frames:
        h = frame.header
        key = tuple(h.values.get(t) for t in _RULE_TAGS)
        rule = known.setdefault(key, rule_of(h)) if key not in known else known[key]
        rules[rule.name] = rule
        groups[h.text(Tag.STUDY_UID), h.text(Tag.SERIES_UID), rule.name].append(frame)
    return [(rules[key[2]], sorted(members, key=_order)) for key, members in groups.items()]


def _order(frame: Frame) -> tuple[float, float, int, str]:
    h = frame.header
    return (
        h.number(Tag.INSTANCE_NUMBER) or 0.0,
        h.number(Tag.ACQUISITION_NUMBER) or 0.0,
        frame.index,
        h.text(Tag.SOP_INSTANCE),
    )


def _usable(rule: Rule, frames: list[Frame]) -> tuple[list[Group], list[str]]:
    if rule.role == "other":
        return [Group(rule, "other", tuple(frames))], []
    good: list[Frame] = []
    lost: list[str] = []
    for frame in frames:
        try:
            if frame.stored().shape != frame.plane.shape:
                raise CorruptFile(f"{frame.name} holds {frame.stored().shape} pixels, its header says {frame.shape}")
        except InputError as error:
            lost.append(str(error))
        else:
            good.append(frame)
    if not good:
        return [Group(rule, "other", tuple(frames), len(lost), lost[0])], lost
    if rule.role != "phase_then_magnitude":
        return [Group(rule, rule.role, tuple(good), len(lost))], lost
    return _halves(rule, good, len(lost)), lost


def _halves(rule: Rule, frames: list[Frame], damaged: int) -> list[Group]:
    """The phase half and the magnitude half of a GE series; a group with a problem where they cannot be told apart."""
    try:
        phase, magnitude = split_halves(frames)
    except Contradiction as error:
        return [Group(rule, "other", tuple(frames), damaged, str(error))]
    named = ((phase, "phase"), (magnitude, "magnitude"))
    return [Group(replace(rule, role=role), role, tuple(part), damaged) for part, role in named if part]  # type: ignore[arg-type]


def split_halves(frames: Sequence[Frame]) -> tuple[list[Frame], list[Frame]]:
    """(phase, magnitude) of a GE series: first half and second half by Instance Number, checked by pixel signs.

    Signed pixels tell each image by itself, so that missing files do no harm; unsigned ones are split at the middle and
    checked by their mean. Raises Contradiction where order and pixels disagree.
    """
    series = f"series {frames[0].header.integer(Tag.SERIES_NUMBER)}"
    negative = [bool(f.stored().min() < 0) for f in frames]
    if any(negative):
        changes = sum(a != b for a, b in pairwise(negative))
        if not negative[0] or changes > 1:
            raise Contradiction(
                f"{series}: phase and magnitude images should be its first and second half, but are mixed"
            )
        return [f for f, n in zip(frames, negative, strict=True) if n], [
            f for f, n in zip(frames, negative, strict=True) if not n
        ]
    half = len(frames) // 2
    phase, magnitude = list(frames[:half]), list(frames[half:])
    if len(frames) % 2 or not _same_places(phase, magnitude):
        raise Contradiction(
            f"{series}: its {len(frames)} images are no phase half and magnitude half of the same slices: "
            "export the whole series, phase and magnitude of every offset"
        )
    if not all(_looks_like_unsigned_phase(f.stored()) for f in phase) or _all_phase(magnitude):
        raise Contradiction(f"{series}: the first half of its images does not look like phase")
    return phase, magnitude


def _same_places(a: Sequence[Frame], b: Sequence[Frame]) -> bool:
    def places(frames: Sequence[Frame]) -> list[tuple[float, ...]]:
        return sorted(tuple(round(v, 1) for v in f.header.numbers(Tag.POSITION)) for f in frames)

    return places(a) == places(b)


def _looks_like_unsigned_phase(stored: np.ndarray) -> bool:
    """Milliradian moved by half a turn: within 0..2 pi * 1000, nearly the whole range, mean near the middle."""
    return bool(stored.max() <= 6290 and np.ptp(stored) > 5000 and 2000 < stored.mean() < 4300)


def _all_phase(frames: Sequence[Frame]) -> bool:
    return all(_looks_like_unsigned_phase(f.stored()) for f in frames)


def frequency_hz(header: Header) -> float | None:
    """Driver frequency that a header states; None where no sound field does.

    GE: first number of (0043,10A2) MEG Data; (0043,1082) lineFreq is the mains and is never read. Others: '60 Hz'
    written out in a description or comment.
    """
    if vendor(header) == "GE":
        stated = header.number(Tag.GE_MEG)
        if stated is not None and 10 <= stated <= 500:
            return stated
    found = {float(m) for m in re.findall(r"(?<![\d.])(\d{2,3}(?:\.\d+)?) ?hz\b", describe(header).replace("_", " "))}
    return found.pop() if len(found) == 1 and 10 <= min(found) <= 500 else None


_SIEMENS_INDEX = re.compile(r"fI\[(\d+)\]dI\[(\d+)\].*?tI\[(\d+)\]")


def wave_index(header: Header) -> tuple[int, int, int] | None:
    """(frequency, direction, offset) index where a header states it: Siemens comments 'MRE: fI[0]dI[1]…tI[7]'."""
    match = _SIEMENS_INDEX.search(header.text(Tag.COMMENTS))
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def directions(header: Header) -> int:
    """How many motion directions a header says were encoded; 1 where it does not say."""
    if vendor(header) == "GE":
        return max(1, header.integer(Tag.GE_DIRECTIONS_EPI), header.integer(Tag.GE_DIRECTIONS_GRE))
    if vendor(header) == "Siemens":
        last = header.text(Tag.SIEMENS_DIRECTIONS).split("_")[-1]
        return max(1, int(last)) if last.isdigit() and int(last) <= 12 else 1
    return 1

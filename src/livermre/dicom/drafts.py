"""Which groups of images make one exam, and which images of every role lie in each of its slices."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from livermre.dicom.arrange import PARALLEL, TOLERANCE, at_position, positions_mm, spacing_mm
from livermre.dicom.frames import Frame
from livermre.dicom.pairing import preferences
from livermre.dicom.patterns import vendor
from livermre.dicom.series import Group, frequency_hz
from livermre.exam.flags import Flag, flag
from livermre.exam.plane import Plane

_NEAREST = 0.75
"""Slices of one exam lie no nearer than this share of their step or thickness (project's choice)."""

_UNEVEN = 0.2
"""Interleaved slices lie on a common grid within this share of its step (project's choice)."""


@dataclass
class Draft:
    """One exam in the making: the groups that span its grid, and for each slice of it the images of every role."""

    anchors: list[Group]
    planes: list[Plane] = field(default_factory=list)
    maps: list[Frame] = field(default_factory=list)
    images: dict[str, list[tuple[Group, list[Frame]] | None]] = field(default_factory=dict)
    flags: list[Flag] = field(default_factory=list)
    problem: str = ""
    repeats: int = 0

    @property
    def first(self) -> Group:
        """The group that names the exam."""
        return self.anchors[0]

    @property
    def used(self) -> list[Group]:
        """The groups that the exam's images come from, each once."""
        chosen = [c[0] for images in self.images.values() for c in images if c is not None]
        return list({id(g): g for g in [*self.anchors, *chosen]}.values())

    @property
    def has_map(self) -> bool:
        """Whether the exam has a stiffness map."""
        return self.first.role == "stiffness"


def drafts(groups: Sequence[Group]) -> list[Draft]:
    """Exams that the groups form: around every stiffness map, else around every set of phase images."""
    anchors = [g for g in groups if g.role == "stiffness"]
    phases = [g for g in groups if g.role == "phase" and not any(companions(a, g) for a in anchors)]
    found: list[Draft] = []
    for group in [*anchors, *phases]:
        _join(found, group)
    for draft in found:
        _lay_out(draft)
    for role in ("magnitude", "phase", "confidence", "wave"):
        _attach(found, role, groups)
    return _one_map_each(found)


def _join(found: list[Draft], group: Group) -> None:
    """Add a group to the exam whose gaps it fills, or begin a new exam."""
    for draft in found:
        same = (
            draft.first.rule.name == group.rule.name
            and companions(draft.first, group)
            and _key(draft.first) == _key(group)
        )
        if same and not any(_overlap(a, group) for a in draft.anchors) and _regular([*draft.anchors, group]):
            draft.anchors.append(group)
            return
    found.append(Draft([group]))


def _regular(groups: Sequence[Group]) -> bool:
    """Whether groups together are one stack: no group's slices come much nearer than its own step or thickness.

    A repeat of the same protocol that was shifted along the body lies between the slices of the first.
    """
    normal = groups[0].frames[0].plane.normal
    if any(float(g.frames[0].normal @ normal) < PARALLEL for g in groups):
        return False
    stacks = [np.unique(positions_mm(_distinct_planes(g), normal)) for g in groups]
    if all(s.size == 1 for s in stacks):
        return True
    union = np.sort(np.concatenate(stacks))
    smallest = spacing_mm(union, groups[0].frames[0].plane.thickness_mm)
    shares = np.diff(union) / smallest
    for group, stack in zip(groups, stacks, strict=True):
        if stack.size > 1:
            thickness = group.frames[0].plane.thickness_mm
            own = spacing_mm(stack, thickness)
            if smallest < _NEAREST * (min(own, thickness) if thickness > 0 else own):
                return False
    return _apart(stacks) or bool(np.abs(shares - np.rint(shares)).max(initial=0.0) < _UNEVEN)


def _apart(stacks: Sequence[np.ndarray]) -> bool:
    """Whether stacks follow each other without a slice of one between slices of another."""
    ends = sorted((float(s[0]), float(s[-1])) for s in stacks)
    return all(a[1] < b[0] for a, b in pairwise(ends))


def _key(group: Group) -> tuple[str, str, float | None, tuple[int, int]]:
    return group.sequence, vendor(group.header), frequency_hz(group.header), group.frames[0].shape


def _overlap(a: Group, b: Group) -> bool:
    tolerance = TOLERANCE * _spacing(a)
    return any(at_position(b.frames, p, tolerance) for p in _distinct_planes(a))


def _spacing(group: Group) -> float:
    planes = [f.plane for f in group.frames]
    return spacing_mm(positions_mm(planes, planes[0].normal), planes[0].thickness_mm)


def _distinct_planes(group: Group) -> list[Plane]:
    seen: dict[float, Plane] = {}
    for frame in group.frames:
        plane = frame.plane
        seen.setdefault(round(plane.position_mm, 1), plane)
    return list(seen.values())


def companions(a: Group, b: Group) -> bool:
    """Whether two groups can belong to one acquisition: nothing that both state differs."""
    stated = (
        (a.study, b.study),
        (a.place, b.place),
        (a.sequence, b.sequence),
        (frequency_hz(a.header), frequency_hz(b.header)),
    )
    return all(x == y or not x or not y for x, y in stated)


def _lay_out(draft: Draft) -> None:
    """Order the slices foot to head; one frame each of the map (identical repeats are duplicates)."""
    frames = [f for g in draft.anchors for f in g.frames]
    normal = frames[0].plane.normal
    frames = [f for f in frames if float(f.normal @ normal) >= PARALLEL]
    positions = positions_mm([f.plane for f in frames], normal)
    tolerance = TOLERANCE * spacing_mm(positions, frames[0].plane.thickness_mm)
    for i in np.argsort(positions, kind="stable"):
        if draft.maps and positions[i] - positions_mm([draft.planes[-1]], normal)[0] <= tolerance:
            if draft.has_map:
                _check_repeat(draft, frames[i])
            continue
        draft.maps.append(frames[i])
        draft.planes.append(frames[i].plane)


def _check_repeat(draft: Draft, frame: Frame) -> None:
    if not np.array_equal(draft.maps[-1].stored(), frame.stored()):
        place = draft.planes[-1].position_mm
        draft.problem = f"series {draft.first.number} holds two different stiffness maps at {place:.1f} mm"
    draft.repeats += 1


def _attach(found: Sequence[Draft], role: str, groups: Sequence[Group]) -> None:
    """For every exam and slice the images of a role from the group that belongs to it best."""
    order = preferences(
        [a for draft in found for a in draft.anchors],
        [g for g in groups if g.role == role],
        lambda a, b: companions(a, b) and _overlap(a, b),
        [g for g in groups if g.role == "magnitude"],
    )
    for draft in found:
        tolerance = TOLERANCE * spacing_mm(
            positions_mm(draft.planes, draft.planes[0].normal), draft.planes[0].thickness_mm
        )
        draft.images[role] = [
            _first_at(order[id(next(a for a in draft.anchors if frame in a.frames))], plane, tolerance)
            for plane, frame in zip(draft.planes, draft.maps, strict=True)
        ]


def _first_at(groups: Sequence[Group], plane: Plane, tolerance_mm: float) -> tuple[Group, list[Frame]] | None:
    for group in groups:
        images = at_position(group.frames, plane, tolerance_mm)
        if images:
            return group, images
    return None


def _one_map_each(found: list[Draft]) -> list[Draft]:
    """One exam an acquisition: of several maps over the same magnitude the surest rule's, then the first, is kept."""
    kept: dict[tuple[object, ...], Draft] = {}
    for draft in sorted(found, key=lambda d: (-d.first.rule.certainty, d.first.number)):
        images = tuple(sorted(id(f) for c in draft.images["magnitude"] if c for f in c[1]))
        first = kept.setdefault(images or (draft.first.uid, draft.first.rule.name), draft)
        if first is not draft:
            first.flags.append(flag("other_maps_ignored", used=first.first.number, ignored=draft.first.number))
    return sorted(kept.values(), key=lambda d: (d.first.number, d.first.uid))

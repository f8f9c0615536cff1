"""Which group of images belongs to which map: its source was acquired before it, and each acquisition has its own."""

from collections import defaultdict
from collections.abc import Callable, Sequence

from livermre.dicom.header import Header, Tag
from livermre.dicom.patterns import vendor
from livermre.dicom.series import Group

_DERIVED = frozenset({"confidence", "wave"})
_SAME_TIME_S = 1.0
"""Maps carry the Acquisition Time of their source (read on one real GE exam); another breath-hold starts later."""

Span = tuple[float, float]
Class = tuple[bool, ...]
Rank = tuple[Class, float, int, int, str]


def preferences(
    anchors: Sequence[Group],
    candidates: Sequence[Group],
    touch: Callable[[Group, Group], bool],
    sources: Sequence[Group] = (),
) -> dict[int, list[Group]]:
    """id(anchor) -> groups that share slices with it, best first; repeats of one protocol get a group each.

    touch    whether two groups can belong together and share a slice
    sources  magnitude groups: a derived map belongs to the map of the same source

    Maps are served from the last to the first, so that the order of acquired groups is the order of their maps even
    where everything was acquired before anything was reconstructed.
    """
    spans = {id(g): _span(g) for g in (*anchors, *candidates)}
    found: dict[int, list[Group]] = {}
    taken: dict[int, list[Group]] = defaultdict(list)
    for anchor in sorted(anchors, key=lambda g: (g.number, g.uid), reverse=True):
        near = [g for g in candidates if touch(anchor, g)]
        timed = all(spans[id(g)] for g in (anchor, *near))
        own_sources = [s for s in sources if touch(anchor, s)]
        ranks = {id(g): _rank(anchor, g, spans if timed else {}, own_sources) for g in near}
        near.sort(key=lambda g: ranks[id(g)])
        free = [
            g
            for g in near
            if ranks[id(g)][0] == ranks[id(near[0])][0]
            and not any(_repeats(anchor, other) and touch(anchor, other) for other in taken[id(g)])
        ]
        found[id(anchor)] = [*free, *(g for g in near if g not in free)]
        if near:
            taken[id(found[id(anchor)][0])].append(anchor)
    return found


def _repeats(a: Group, b: Group) -> bool:
    """Whether two maps are the same product, so that two of them come from two acquisitions."""
    return (a.rule.name, a.header.text(Tag.SERIES_DESCRIPTION)) == (b.rule.name, b.header.text(Tag.SERIES_DESCRIPTION))


def _rank(anchor: Group, group: Group, spans: dict[int, Span | None], sources: Sequence[Group]) -> Rank:
    """Smaller is nearer: how a group belongs to a map, then by time, then by number."""
    own, other = spans.get(id(anchor)), spans.get(id(group))
    wait = own[0] - other[1] if own and other else 0.0  # from the end of the group to the start of the map
    late = other[0] - own[1] if own and other else 0.0
    family = anchor.rule.name.split("-")[0] == group.rule.name.split("-")[0]
    number = _base(group) if _base(group) != _base(anchor) else group.number
    wanted = _base(anchor) if _base(group) != _base(anchor) else anchor.number
    derived = group.role in _DERIVED
    after = not derived and number > wanted and _base(group) != _base(anchor)
    kind = (
        anchor.uid != group.uid,
        max(wait, late) > _SAME_TIME_S,
        not (family and _base(anchor) == _base(group)) and vendor(anchor.header) == "GE",
        not family,
        late > _SAME_TIME_S and not derived,
        after,
        derived and _source(anchor, sources) != _source(group, sources),
    )
    return kind, max(wait, late, 0.0), abs(number - wanted), -group.number, group.uid


def _base(group: Group) -> int:
    """The acquired series of a GE number (5 -> 500, 505, 507); for others the number itself."""
    return group.number if group.number < 100 or vendor(group.header) != "GE" else group.number // 100


def _source(group: Group, sources: Sequence[Group]) -> int:
    """Number of the last magnitude series before a group."""
    return max((_base(s) for s in sources if _base(s) <= _base(group)), default=0)


def _span(group: Group) -> Span | None:
    """First and last Acquisition Time of a group, s; None where an image has none."""
    times = [_seconds(f.header) for f in group.frames]
    known = [t for t in times if t is not None]
    return (min(known), max(known)) if len(known) == len(times) else None


def _seconds(header: Header) -> float | None:
    clock = header.number(Tag.ACQUISITION_TIME)
    if clock is None or clock < 0:
        return None
    hours, rest = divmod(clock, 10000)
    minutes, seconds = divmod(rest, 100)
    return hours * 3600 + minutes * 60 + seconds

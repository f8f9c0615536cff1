"""Change since an earlier exam of the same patient, and whether it is more than measurements vary by themselves."""

from collections.abc import Mapping
from dataclasses import dataclass

from livermre.exam.errors import InputError
from livermre.exam.types import Acquisition, Change, Stiffness


@dataclass(frozen=True)
class CompareSettings:
    """Which change is a true one."""

    limit_percent: float = 19.0
    """A change of at least this much is a true one with 95 % confidence."""

    limit_source: str = "QIBA profile Magnetic Resonance Elastography of the Liver, 2019"
    """Who says so."""

    limit_verified: bool = False
    """Whether the number was read in its source; the remark says so where not."""

    frequency_tolerance_hz: float = 5.0
    """Drivers run at 60.1 Hz and headers round."""


_SAME = ("vendor", "sequence", "frequency_hz", "field_t", "dimension")
_WORDS = {"vendor": "vendor", "sequence": "sequence", "frequency_hz": "frequency", "field_t": "field strength",
          "dimension": "dimension", "stiffness_source": "inversion"}  # fmt: skip


def compare(
    stiffness: Stiffness,
    acquisition: Acquisition,
    earlier: Mapping[str, object],
    settings: CompareSettings | None = None,
    stiffness_source: str | None = None,
    drawn: Mapping[str, object] | None = None,
    *,
    quantity: str | None = None,
    inversion: Mapping[str, object] | None = None,
) -> Change | None:
    """The change relative to an earlier finding; None where this exam has no number.

    earlier           content of the earlier finding.json
    stiffness_source  "vendor" or "livermre" for this exam; where given, the limit holds for one inversion only
    drawn             the recorded settings of this exam; where given, the remark warns of regions drawn otherwise
    quantity          what the stiffness of this exam is ("|G*|", "rho c^2"); where given, it must be the earlier one's
    inversion         how livermre made this exam's map (method, start, settings); asked where both maps are livermre's

    Across vendor, sequence, frequency, field, dimension, quantity or inversion, or where one of them is not known, the
    limit does not apply: `exceeds_limit` is None and the remark says why.
    Raises InputError where the earlier file is no finding or has no number.
    """
    settings = settings or CompareSettings()
    before = earlier_kpa(earlier)
    now = stiffness.mean_kpa
    if now is None:
        return None
    percent = 100 * (now - before) / before
    obstacles = _obstacles(acquisition, earlier, stiffness_source, settings)
    obstacles += _quantities(quantity, earlier) + _inversions(stiffness_source, inversion, earlier)
    exceeds = None if obstacles else round(abs(percent), 9) >= settings.limit_percent
    remark = _remark(exceeds, obstacles, settings)
    cautions = [] if drawn is None else _cautions(drawn, _section(_section(earlier, "provenance"), "settings"))
    if cautions:
        remark += f" Caution: {'; '.join(cautions)}."
    return Change(before, now - before, percent, exceeds, settings.limit_percent, remark)


def _cautions(now: Mapping[str, object], before: Mapping[str, object]) -> list[str]:
    """How the two regions were drawn otherwise, in words; empty where they were drawn alike."""
    if not before:
        return ["how the earlier region was drawn is not known"]
    kinds = _kind(before), _kind(now)
    if kinds[0] != kinds[1]:
        return [f"the regions are of different kinds ({kinds[0]} then, {kinds[1]} now)"]
    if now.get("region_sha256"):
        return []
    ours, theirs = _section(now, "roi"), _section(before, "roi")
    changed = [k for k in ours if ours[k] != theirs.get(k)]
    return [f"{k} of the region differs ({_plain(theirs.get(k))} then, {_plain(ours[k])} now)" for k in changed]


def _kind(settings: Mapping[str, object]) -> str:
    if settings.get("region_sha256"):
        return "a given region"
    return f"livermre's region in {'a given' if settings.get('liver_sha256') else 'its own'} liver outline"


def _plain(value: object) -> str:
    return "not set" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def earlier_kpa(earlier: Mapping[str, object]) -> float:
    """The number of an earlier finding.json, kPa; InputError where the file is no finding or has no number."""
    if "stiffness_kpa" not in earlier or "reportable" not in earlier:
        raise InputError("the earlier file is no finding.json of livermre: it lacks stiffness_kpa or reportable")
    number = earlier["stiffness_kpa"]
    if not earlier["reportable"] or number is None:
        raise InputError("the earlier exam was not reportable: it has no stiffness to compare with")
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 < number < float("inf"):
        raise InputError(f"the earlier finding's stiffness_kpa must be a number above zero, found {number!r}")
    return float(number)


def _obstacles(
    acquisition: Acquisition, earlier: Mapping[str, object], source: str | None, settings: CompareSettings
) -> list[str]:
    """Why the limit does not apply, in words; empty where it does."""
    known = _section(earlier, "acquisition")
    pairs = [(key, getattr(acquisition, key), known.get(key)) for key in _SAME]
    if source is not None:
        pairs.append(("stiffness_source", source, _section(earlier, "provenance").get("stiffness_source")))
    words = [_difference(key, now, before, settings) for key, now, before in pairs]
    return [w for w in words if w]


def _quantities(now: str | None, earlier: Mapping[str, object]) -> list[str]:
    """How the two quantities differ, in words; finding.json names a quantity by a phrase that ends in its symbol."""
    if now is None:
        return []
    before = _section(earlier, "inversion").get("quantity") or earlier.get("quantity")
    if not before:
        return ["the quantity of one exam is not known"]
    return [] if str(before).endswith(now) else [f"the quantity differs ({before} then, {now} now)"]


def _inversions(source: str | None, now: Mapping[str, object] | None, earlier: Mapping[str, object]) -> list[str]:
    """How livermre's two inversions differ, in words; asked only where both maps are livermre's."""
    made = _section(earlier, "provenance")
    if source != "livermre" or made.get("stiffness_source") != "livermre":
        return []
    ours, theirs = _flat(now or {}), _flat(_earlier_inversion(earlier))
    if not ours or not theirs:
        return ["the inversion's settings of one exam are not known"]
    names = [k for k in {**ours, **theirs} if ours.get(k, _ABSENT) != theirs.get(k, _ABSENT)]
    if not names:
        return []
    shown = [f"{k} {_plain(theirs.get(k))} then, {_plain(ours.get(k))} now" for k in names[:_NAMED]]
    more = [f"{len(names) - _NAMED} more"] if len(names) > _NAMED else []
    return [f"livermre's inversion differs ({', '.join(shown + more)})"]


_ABSENT = object()  # null is a setting, too
_NAMED = 3


def _flat(inversion: Mapping[str, object]) -> dict[str, object]:
    """Settings, start and components of an inversion by name; empty where the settings are not known."""
    settings = _section(inversion, "settings")
    how = {"start": inversion.get("start", "phase"), "components": inversion.get("components", "one")}
    return {**settings, **how} if settings else {}


def _earlier_inversion(earlier: Mapping[str, object]) -> Mapping[str, object]:
    """How the earlier map was made; settings that were recorded without having made the map do not count."""
    made = _section(earlier, "provenance")
    if made.get("inversion") is not None:
        return _section(made, "inversion")
    settings = _section(_section(made, "settings"), "inversion")
    return {"settings": settings} if _section(earlier, "inversion") else {}


def _section(finding: Mapping[str, object], key: str) -> Mapping[str, object]:
    section = finding.get(key)
    return section if isinstance(section, Mapping) else {}


def _difference(key: str, now: object, before: object, settings: CompareSettings) -> str | None:
    """One difference in words; None where both are known and alike."""
    word = _WORDS[key]
    if now in (None, "") or before in (None, ""):
        return f"the {word} of one exam is not known"
    if isinstance(now, int | float) and isinstance(before, int | float):
        tolerance = settings.frequency_tolerance_hz if key == "frequency_hz" else 0.1 * abs(float(now))
        same = abs(now - before) <= tolerance
    else:
        same = str(now).casefold().strip() == str(before).casefold().strip()
    return None if same else f"{word} differs ({before} then, {now} now)"


def _remark(exceeds: bool | None, obstacles: list[str], settings: CompareSettings) -> str:
    limit = f"{settings.limit_percent:g} % limit of the {settings.limit_source}"
    if not settings.limit_verified:
        limit += " (number not verified in its source)"
    if exceeds is None:
        return f"The {limit} does not apply: {'; '.join(obstacles)}."
    return f"The change {'exceeds' if exceeds else 'stays within'} the {limit}."

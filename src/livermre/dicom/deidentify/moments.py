"""Dates and times, moved together: an interval between two of them stays, also over midnight."""

import re
from datetime import datetime, timedelta

from pydicom.dataset import Dataset

_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})")
_TIME = re.compile(r"(\d{2})(?:(\d{2})(?:(\d{2})(?:\.(\d{1,6}))?)?)?")
_NOON = (12, 0, 0, 0)


def moved(keyword: str, text: str, ds: Dataset, shift: timedelta) -> str:
    """A DA, TM or DT value after the shift, as exact as it was; empty where it is none (it must not stay then).

    keyword  of the attribute; `StudyDate` and `StudyTime` move as one moment where the data set has both
    shift    whole seconds
    """
    text = text.strip()
    if keyword.endswith("DateTime"):
        return _date_time(text, shift)
    date, time = keyword.removesuffix("Time").removesuffix("Date"), keyword.endswith("Time")
    other = str(ds.get(f"{date}Date" if time else f"{date}Time") or "").strip()
    return _time(text, other, shift) if time else _date(text, other, shift)


def _date(text: str, time: str, shift: timedelta) -> str:
    """A date; the time of day beside it decides whether the shift leads over midnight. Without one only days count."""
    clock = _clock(time)
    moment = _moment(text, clock or _NOON, shift if clock else timedelta(days=shift.days + (shift.seconds > 43200)))
    return f"{moment:%Y%m%d}" if moment else ""


def _time(text: str, date: str, shift: timedelta) -> str:
    clock = _clock(text)
    if clock is None:
        return ""
    moment = _moment(date, clock, shift) or _moment("20000201", clock, timedelta(seconds=shift.seconds))
    return _written(moment, text) if moment else ""


def _date_time(text: str, shift: timedelta) -> str:
    """Date and time in one value; the offset from UTC goes, for it tells where somebody lives."""
    text = re.split(r"[+-]", text)[0].strip()
    date, time = text[:8], text[8:]
    clock = _clock(time)
    if not time:
        return _date(date, "", shift)
    moment = _moment(date, clock, shift) if clock else None
    return f"{moment:%Y%m%d}" + _written(moment, time) if moment else ""


def _clock(text: str) -> tuple[int, int, int, int] | None:
    """Hours, minutes, seconds, microseconds; None where it is no time. A leap second counts as the one before."""
    found = _TIME.fullmatch(text)
    if not found:
        return None
    hours, minutes, seconds, fraction = found.groups()
    micro = int((fraction or "").ljust(6, "0") or 0)
    return int(hours), int(minutes or 0), min(int(seconds or 0), 59), micro


def _moment(date: str, clock: tuple[int, int, int, int], shift: timedelta) -> datetime | None:
    found = _DATE.fullmatch(date)
    if not found:
        return None
    try:
        year, month, day = map(int, found.groups())
        moment = datetime(year, month, day, *clock) + shift
    except (ValueError, OverflowError):
        return None
    return moment if moment.year >= 1000 else None


def _written(moment: datetime, like: str) -> str:
    """The time of day with as many digits as another."""
    return f"{moment:%H%M%S.%f}"[: len(like)]

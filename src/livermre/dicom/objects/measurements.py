"""The measurement groups of the report: the exam as a whole, then each slice."""

import json
from collections.abc import Iterator

import numpy as np

from livermre.dicom.objects import segmentation as seg
from livermre.dicom.objects import tree, words
from livermre.dicom.objects.base import RESEARCH, Order
from livermre.dicom.objects.codes import ELASTICITY, HERTZ, KPA, LIVER, NO_UNIT, OWN, PIXELS, SQUARE_MM, Code
from livermre.dicom.objects.items import Item
from livermre.exam.flags import Flag, Severity
from livermre.exam.types import SliceStiffness, Stage, Stiffness

_FLAG = {Severity.BLOCKING: words.BLOCKING, Severity.WARNING: words.WARNING, Severity.INFO: words.INFO}


def groups(order: Order, segmentation: Item) -> Iterator[Item]:
    """Template 1411 for the exam, template 1410 for each slice."""
    yield tree.container(words.GROUP, _exam(order, segmentation), "1411")
    for i, row in enumerate(order.finding.stiffness.slices):
        yield tree.container(words.GROUP, _slice(order, segmentation, i, row), "1410")


def _exam(order: Order, segmentation: Item) -> Iterator[Item]:
    finding = order.finding
    yield from _tracked(
        seg.tracking_id(order, seg.REGION_SEGMENT), seg.tracking_uid(order, seg.REGION_SEGMENT), _method(order)
    )
    yield from _algorithm(order)
    yield tree.image(words.SEGMENT, segmentation.SOPClassUID, segmentation.SOPInstanceUID, segment=seg.REGION_SEGMENT)
    for series in dict.fromkeys(i.series for i in order.source.images):
        yield tree.uid("CONTAINS", words.SOURCE_SERIES, series)
    if finding.reportable:
        yield from _exam_stiffness(finding.stiffness)
        yield from _spread(_values(order, slice(None)))
    yield tree.number(words.AREA, round(finding.stiffness.area_mm2, 2), SQUARE_MM)
    yield tree.number(words.PIXEL_COUNT, finding.stiffness.pixels, PIXELS)
    liver_mm2 = sum(s.liver_area_mm2 for s in finding.stiffness.slices)
    yield tree.number(words.LIVER_AREA, round(liver_mm2, 2), SQUARE_MM)
    if liver_mm2 > 0:
        yield tree.number(words.VALID_FRACTION, round(finding.stiffness.area_mm2 / liver_mm2, 4), NO_UNIT)
    if finding.exam.acquisition.frequency_hz is not None:
        yield tree.number(words.DRIVER, finding.exam.acquisition.frequency_hz, HERTZ)
    yield tree.code("CONTAINS", words.REPORTABLE, words.YES if finding.reportable else words.NO)
    if finding.reportable and finding.stage is not None:
        yield from _stage(finding.stage)
    yield from _flags(finding.flags)
    yield tree.text("CONTAINS", words.QUANTITY, finding.exam.quantity)
    yield tree.text("CONTAINS", words.COMMENT, RESEARCH)


def _slice(order: Order, segmentation: Item, index: int, row: SliceStiffness) -> Iterator[Item]:
    finding, source = order.finding, order.source.images[index]
    yield from _tracked(
        f"{seg.tracking_id(order, seg.REGION_SEGMENT)} slice {index + 1}",
        order.names.uid("tracking", seg.REGION_SEGMENT, index),
        _method(order),
    )
    yield tree.image(
        words.SEGMENT_FRAME,
        segmentation.SOPClassUID,
        segmentation.SOPInstanceUID,
        frame=seg.frame_number(seg.REGION_SEGMENT, index, len(finding.exam.slices)),
    )
    yield tree.image(words.SOURCE_IMAGE, source.sop_class, source.sop_instance, frame=source.frame)
    if finding.reportable:
        yield from _kpa((words.MEAN, row.mean_kpa), (words.SD, row.sd_kpa), (words.MEDIAN, row.median_kpa))
        if row.iqr_kpa is not None:
            yield from _kpa((words.IQR, row.iqr_kpa[1] - row.iqr_kpa[0]))
        yield from _extremes(_values(order, index))
    yield tree.number(words.AREA, round(row.area_mm2, 2), SQUARE_MM)
    yield tree.number(words.PIXEL_COUNT, row.pixels, PIXELS)
    yield tree.number(words.LIVER_AREA, round(row.liver_area_mm2, 2), SQUARE_MM)
    yield tree.number(words.VALID_FRACTION, round(row.valid_fraction, 4), NO_UNIT)
    yield from _flags(row.flags)


def _tracked(name: str, uid: str, method: Code) -> Iterator[Item]:
    yield tree.text("HAS OBS CONTEXT", words.TRACKING, name)
    yield tree.uid("HAS OBS CONTEXT", words.TRACKING_UID, uid)
    yield tree.code("CONTAINS", words.FINDING, LIVER)
    yield tree.code("HAS CONCEPT MOD", words.METHOD, method)
    yield tree.code("HAS CONCEPT MOD", words.SITE, LIVER)


def _method(order: Order) -> Code:
    return words.BY_VENDOR if order.finding.exam.stiffness_source == "vendor" else words.BY_LIVERMRE


def _algorithm(order: Order) -> Iterator[Item]:
    """Template 4019: which program, with which weights and settings."""
    made = order.finding.provenance
    yield tree.text("HAS CONCEPT MOD", words.ALGORITHM, "livermre")
    yield tree.text("HAS CONCEPT MOD", words.ALGORITHM_VERSION, made.livermre)
    parameters = [
        f"network: {made.model or 'none, the outline was given'}",
        f"network weights SHA-256: {made.model_sha256 or 'none'}",
        f"region by: {order.finding.roi.author}",
        f"inputs SHA-256: {made.inputs_sha256}",
        f"settings: {json.dumps(made.settings, sort_keys=True, default=str)}",
    ]
    for parameter in parameters:
        yield tree.text("HAS CONCEPT MOD", words.ALGORITHM_PARAMETERS, parameter)


def _exam_stiffness(found: Stiffness) -> Iterator[Item]:
    yield from _kpa(
        (words.MEAN, found.mean_kpa), (words.SD, found.sd_kpa), (words.BETWEEN_SLICES, found.between_slice_sd_kpa)
    )
    for interval, names in (
        (found.interval_95_kpa, (words.INTERVAL_LOW, words.INTERVAL_HIGH)),
        (found.repeat_interval_95_kpa, (words.REPEAT_LOW, words.REPEAT_HIGH)),
    ):
        if interval is not None:
            yield from _kpa(*zip(names, interval, strict=True))


def _spread(values: np.ndarray) -> Iterator[Item]:
    if values.size:
        yield from _kpa((words.MEDIAN, float(np.median(values))))
        yield from _extremes(values)


def _extremes(values: np.ndarray) -> Iterator[Item]:
    if values.size:
        yield from _kpa((words.MINIMUM, float(values.min())), (words.MAXIMUM, float(values.max())))


def _values(order: Order, where: int | slice) -> np.ndarray:
    """Stiffness of the measured pixels, kPa."""
    kpa = order.finding.exam.stiffness_kpa
    if kpa is None:
        return np.empty(0)
    inside = kpa[where][order.finding.roi.keep[where]]
    return inside[np.isfinite(inside)]


def _kpa(*pairs: tuple[Code, float | None]) -> Iterator[Item]:
    """Elasticity in kPa by derivation, four decimals as in finding.json; what is None is left out."""
    for derivation, value in pairs:
        if value is not None:
            how = tree.code("HAS CONCEPT MOD", words.DERIVATION, derivation)
            yield tree.number(ELASTICITY, round(value, 4), KPA, how)


def _stage(stage: Stage) -> Iterator[Item]:
    number = stage.bands.index(stage.band) + 1 if stage.band in stage.bands else 0
    yield tree.code("CONTAINS", words.BAND, Code(f"{stage.table}-{number}", OWN, stage.band[:64]))
    cutoffs = ", ".join(f"{c:g}" for c in stage.cutoffs_kpa)
    yield tree.text("CONTAINS", words.TABLE, f"{stage.table}: cut-offs {cutoffs} kPa; {stage.source}")


def _flags(flags: tuple[Flag, ...]) -> Iterator[Item]:
    for f in flags:
        yield tree.text("CONTAINS", _FLAG[f.severity], f"{f.code}: {f.message}")

"""Zero-shot segmentation of real images: volume Dice and IoU on CHAOS T2-SPIR, 2-D Dice on one GE MR-Touch exam.

    python benchmarks/segmentation.py DATA [--model FILE] [--pictures DIR] [--record] [--network-alone] [--cohort DIR]

DATA is the folder that holds `chaos-dev` and `ge-mrtouch`. Neither was trained on. `--network-alone` leaves out the
exam's own tissue; `--cohort` measures the exams of `livermre simulate --out DIR`, too.
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
from PIL import Image
from skimage.draw import polygon2mask

from livermre.dicom import ReadOptions, read
from livermre.evaluate import bootstrap_mean, dice, iou
from livermre.exam.plane import Plane
from livermre.exam.types import Acquisition, Exam, Slice
from livermre.nifti import read_mask
from livermre.segment import Segmenter, load_segmenter

CONTOURS = Path(__file__).parents[1] / "tests" / "fixtures" / "ge_mrtouch_liver_contours.json"


def chaos_exam(path: Path) -> Exam:
    """A magnitude-only exam from one NIfTI volume, its rows front to back and columns right to left."""
    image = nibabel.as_closest_canonical(nibabel.load(path))
    volume = np.asarray(image.dataobj, dtype=np.float32).transpose(2, 1, 0)[:, ::-1, ::-1]
    dx, dy, dz = (float(z) for z in image.header.get_zooms()[:3])
    rows, columns = volume.shape[1:]
    planes = [
        Plane((rows, columns), (dy, dx), (0.0, 0.0, i * dz), (0, 1, 0), (1, 0, 0), dz) for i in range(len(volume))
    ]
    slices = tuple(Slice(p, np.ascontiguousarray(v)) for p, v in zip(planes, volume, strict=True))
    return Exam(slices, Acquisition("CHAOS"), path.name)


def chaos_liver(path: Path) -> np.ndarray:
    """The manual liver (S, R, C) bool in the same orientation."""
    label = nibabel.as_closest_canonical(nibabel.load(path))
    return (np.asarray(label.dataobj) == 1).transpose(2, 1, 0)[:, ::-1, ::-1]


def ge_contours(exam: Exam) -> np.ndarray:
    """The hand-drawn liver (S, R, C) bool of the GE exam."""
    drawn = json.loads(CONTOURS.read_text())["slices"]
    masks = []
    for s in exam.slices:
        z = s.plane.origin_mm[2]
        contour = min(drawn, key=lambda d: abs(d["z_mm"] - z))
        mask = np.zeros(s.plane.shape, dtype=bool)
        for polygon in contour["polygons"]:
            mask |= polygon2mask(s.plane.shape, np.asarray(polygon)[:, ::-1])
        masks.append(mask)
    return np.stack(masks)


def quarters(found: np.ndarray, true: np.ndarray) -> list[float]:
    """Dice of the lowest, middle two and highest quarter of the liver's height, and false liver outside its height."""
    z = np.flatnonzero(true.any((1, 2)))
    a, b, c, d = z[0], z[0] + len(z) // 4, z[-1] + 1 - len(z) // 4, z[-1] + 1
    parts = [dice(found[i:j], true[i:j]) or 0.0 for i, j in ((a, b), (b, c), (c, d))]
    return [*parts, (found[:a].sum() + found[d:].sum()) / true.sum()]


def picture(path: Path, image: np.ndarray, found: np.ndarray, true: np.ndarray) -> None:
    """Slices side by side: found in red, true in green."""
    tiles = []
    for m, f, t in zip(image, found, true, strict=True):
        grey = np.clip(m / max(float(np.percentile(m, 99)), 1e-6), 0, 1) * 255
        rgb = np.repeat(grey[..., None], 3, axis=-1)
        for mask, channel in ((f, 0), (t, 1)):
            edge = mask & ~(np.roll(mask, 1, 0) & np.roll(mask, -1, 0) & np.roll(mask, 1, 1) & np.roll(mask, -1, 1))
            rgb[edge] = 0
            rgb[edge, channel] = 255
        tiles.append(rgb.astype(np.uint8))
    per_row = min(8, len(tiles))
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % per_row)
    rows = [np.concatenate(tiles[i : i + per_row], 1) for i in range(0, len(tiles), per_row)]
    Image.fromarray(np.concatenate(rows, 0)).save(path)


def measure_chaos(data: Path, segmenter: Segmenter, pictures: Path | None) -> dict[str, object]:
    """Print one line a volume and the mean over volumes; gives the means and their intervals."""
    scores = []
    for path in sorted((data / "chaos-dev").glob("image_*.nii.gz")):
        name = path.name.split(".")[0]
        exam, true = chaos_exam(path), chaos_liver(path.with_name(path.name.replace("image", "label")))
        found = segmenter.segment(exam).liver
        scores.append((dice(found, true) or 0.0, iou(found, true) or 0.0, *quarters(found, true)))
        d, j, low, middle, high, outside = scores[-1]
        print(
            f"{name:10s} Dice {d:.3f} IoU {j:.3f}  low / middle / high {low:.2f} / {middle:.2f} / {high:.2f}  "
            f"outside {outside:.3f}",
            flush=True,
        )
        if pictures:
            picture(pictures / f"{name}.png", exam.magnitude, found, true)
    table = np.array(scores)
    results: dict[str, object] = {"what": "CHAOS T2-SPIR (chaos-dev), zero-shot, volumes", "n": len(table)}
    for name, column in (("dice", 0), ("iou", 1)):
        mean, (low, high) = bootstrap_mean(table[:, column])
        results[name] = {"mean": round(mean, 3), "interval_95": [round(low, 3), round(high, 3)]}
    quarter = dict(zip(("low", "middle", "high", "false liver outside"), table[:, 2:].mean(0).round(3), strict=True))
    results["dice_by_height"] = {k: float(v) for k, v in quarter.items()}
    print(results)
    return results


def measure_ge(data: Path, segmenter: Segmenter, pictures: Path | None) -> dict[str, object]:
    """Print and give the 2-D Dice of the four slices, foot to head, and their mean."""
    exam = read([data / "ge-mrtouch" / "dicom"], ReadOptions())[0].exam
    true, found = ge_contours(exam), segmenter.segment(exam).liver
    scores = [round(dice(f, t) or 0.0, 3) for f, t in zip(found, true, strict=True)]
    if pictures:
        picture(pictures / "ge.png", exam.magnitude, found, true)
    results = {
        "what": "GE MR-Touch 2-D GRE, zero-shot, slices foot to head against hand contours",
        "n": len(scores),
        "dice_2d": {"mean": round(float(np.mean(scores)), 3), "slices": scores},
    }
    print(results)
    return results


def measure_cohort(folder: Path, segmenter: Segmenter) -> dict[str, object]:
    """Print and give the mean Dice over the exams of a simulated cohort."""
    scores = []
    for path in sorted((folder / "exams").iterdir()):
        exam = read([path], ReadOptions())[0].exam
        true = read_mask(folder / "masks" / path.name / "liver.nii.gz", exam)
        scores.append(dice(segmenter.segment(exam).liver, true) or 0.0)
    mean, (low, high) = bootstrap_mean(np.array(scores))
    results: dict[str, object] = {
        "what": "simulated exams, Dice an exam",
        "n": len(scores),
        "dice": {"mean": round(mean, 3), "interval_95": [round(low, 3), round(high, 3)]},
        "lowest": round(min(scores), 3),
    }
    print(results)
    return results


def main() -> int:
    """Run them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="default")
    parser.add_argument("--pictures", type=Path, help="write every slice with both outlines")
    parser.add_argument("--record", action="store_true", help="write the results into the model card")
    parser.add_argument("--network-alone", action="store_true", help="without the exam's own tissue")
    parser.add_argument("--cohort", type=Path, metavar="DIR", help="simulated exams with their masks, too")
    options = parser.parse_args()
    if options.record and options.network_alone:
        parser.error("the model card tells of the shipped way: --record and --network-alone do not go together")
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
    segmenter = replace(load_segmenter(options.model), own_tissue=not options.network_alone)
    results = [measure(options.data, segmenter, options.pictures) for measure in (measure_ge, measure_chaos)]
    if options.cohort:
        measure_cohort(options.cohort, segmenter)
    if options.record:
        card = segmenter.model.path.with_suffix(".json")
        known = json.loads(card.read_text()) | {"results": results, "engine": segmenter.engine.name}
        card.write_text(json.dumps(known, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

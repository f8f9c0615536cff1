"""Pictures on the sheet: whatever the number of slices, all lie inside their room and none on another."""

import pytest

from livermre.report.pdf_grid import CAPTION, LINE, arrange

ROOM = (186.0, 110.0)


@pytest.mark.parametrize("aspect", [0.6, 1.0, 1.4, 2.2])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 10, 24, 40])
def test_slices_fit_and_do_not_overlap(count, aspect):
    grid = arrange(count, aspect, *ROOM, caption=34.0)
    boxes = []
    for index in range(count):
        x, y = grid.corner(index)
        boxes.append((x, y, x + grid.slice_width, y + CAPTION + grid.slice_height))
    assert all(b[0] >= 0 and b[2] <= ROOM[0] + 0.01 and b[3] <= ROOM[1] + 0.01 for b in boxes)
    for i, a in enumerate(boxes):
        for b in boxes[i + 1 :]:
            assert a[2] <= b[0] + 0.01 or a[3] <= b[1] + 0.01 or b[2] <= a[0] + 0.01 or b[3] <= a[1] + 0.01


@pytest.mark.parametrize("count", [1, 4, 10])
def test_panels_stay_inside_their_slice(count):
    grid = arrange(count, 1.3, *ROOM, caption=34.0)
    for kind in range(4 if grid.histogram else 3):
        x, y = grid.panel(kind)
        height = grid.histogram if kind == 3 else grid.tile[1]
        assert x + grid.tile[0] <= grid.slice_width + 0.01
        assert CAPTION <= y <= y + height <= CAPTION + grid.slice_height + 0.01


@pytest.mark.parametrize("histograms", [True, False])
@pytest.mark.parametrize("needed", [1, 2, 3])
def test_captions_of_several_lines_have_their_room(histograms, needed):
    grid = arrange(10, 1.3, *ROOM, caption=34.0, histograms=histograms, lines=lambda width: needed)
    assert grid.lines == needed and grid.panel(0)[1] == grid.caption == CAPTION + LINE * (needed - 1)
    assert bool(grid.histogram) <= histograms
    bottom = max(grid.corner(i)[1] for i in range(10)) + grid.caption + grid.slice_height
    assert bottom <= ROOM[1] + 0.01


def test_few_slices_get_large_pictures():
    sizes = [arrange(count, 1.3, *ROOM, caption=34.0).tile[1] for count in (1, 4, 10)]
    assert sizes[0] > 45
    assert sizes[1] > 25
    assert sizes[2] > 12

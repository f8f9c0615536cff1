"""The clinical scale: its ends, its order, and the way back from a colour to a value."""

import numpy as np
import pytest

from livermre.report.colours import NO_VALUE, SCALE, TOP_KPA, hex_of, kpa_of, palette, rgb, stiffness_index


def test_every_value_is_found_again_from_its_colour():
    for value in np.linspace(0, TOP_KPA, 161):
        colour = tuple(palette()[int(stiffness_index(np.array([value]))[0])].tolist())
        # half a step of the palette (0.016) where colours differ, one step where rounding makes two alike
        assert kpa_of(colour) == pytest.approx(value, abs=0.05)


def test_ends_and_beyond():
    assert stiffness_index(np.array([0.0, TOP_KPA, 25.0, -1.0])).tolist() == [0, 250, 250, 0]
    assert hex_of(0) == "#3c0a5c"
    assert hex_of(TOP_KPA) == hex_of(40) == "#84060f"


def test_no_value_is_its_own_index():
    assert stiffness_index(np.array([np.nan, np.inf])).tolist() == [NO_VALUE, NO_VALUE]
    assert len(SCALE) <= NO_VALUE


def test_customary_order_of_hues():
    red, green, blue = (rgb(hex_of(v)) for v in (7.0, 4.0, 2.0))
    assert red[0] > max(red[1:])
    assert green[1] > max(green[0], green[2])
    assert blue[2] > max(blue[:2])

"""Int8 weights made plain: the numbers that dequantisation means, and the answers that OpenVINO gives without it."""

import numpy as np
import openvino
import pytest
from openvino import opset13 as ov

from livermre.segment.plain_weights import make_plain

RNG = np.random.default_rng(3)
QUANTISED = RNG.integers(-128, 128, (6, 4, 3, 3)).astype(np.int8)
SCALE = RNG.uniform(0.001, 0.02, 6).astype(np.float32)


def network(zero: np.ndarray, quantised: np.ndarray = QUANTISED) -> openvino.Model:
    """A convolution whose weights are int8 with a zero point and a scale for each output channel."""
    per_channel = ov.constant(np.array([6, 1, 1, 1]))
    number = ov.subtract(
        ov.convert(ov.constant(quantised), "f32"),
        ov.reshape(ov.convert(ov.constant(zero), "f32"), per_channel, special_zero=False),
    )
    weights = ov.multiply(number, ov.reshape(ov.constant(SCALE), per_channel, special_zero=False))
    image = ov.parameter([-1, 4, -1, -1], np.float32, name="image")
    answer = ov.convolution(image, weights, [1, 1], [1, 1], [1, 1], [1, 1])
    return openvino.Model([ov.multiply(answer, ov.constant(np.float32(0.5)))], [image], "net")


def run(model: openvino.Model) -> np.ndarray:
    image = np.random.default_rng(5).normal(size=(2, 4, 17, 12)).astype(np.float32)
    return openvino.Core().compile_model(model, "CPU", {"NUM_STREAMS": "1"})([image])[0]


@pytest.mark.parametrize("zero", [np.zeros(6, np.int8), np.array([0, 3, -128, 127, 1, -7], np.int8)])
def test_the_numbers_are_those_of_the_definition(zero):
    model = network(zero)
    assert make_plain(model) == 1
    weights = next(n for n in model.get_ordered_ops() if n.get_type_name() == "Convolution").input_value(1).get_node()
    zero, scale = (v.astype(np.float32)[:, None, None, None] for v in (zero, SCALE))
    expected = (QUANTISED.astype(np.float32) - zero) * scale
    assert weights.get_type_name() == "Constant"
    np.testing.assert_array_equal(weights.data, expected)


@pytest.mark.parametrize("zero", [np.zeros(6, np.int8), np.array([0, 3, -128, 127, 1, -7], np.int8)])
def test_the_answer_stays_to_the_last_bit(zero):
    plain = network(zero)
    make_plain(plain)
    np.testing.assert_array_equal(run(plain), run(network(zero)))


def test_unsigned_weights():
    unsigned = (QUANTISED.astype(np.int16) + 128).astype(np.uint8)
    plain = network(np.full(6, 128, np.uint8), unsigned)
    assert make_plain(plain) == 1
    np.testing.assert_array_equal(run(plain), run(network(np.zeros(6, np.int8))))


def test_what_hangs_on_the_image_is_left_alone():
    image = ov.parameter([1, 4, 8, 8], np.uint8, name="image")
    model = openvino.Model([ov.multiply(ov.convert(image, "f32"), ov.constant(np.float32(2)))], [image], "net")
    assert make_plain(model) == 0

"""Int8 weights of an OpenVINO model made plain float32 before it is compiled.

OpenVINO does the same while it compiles, by reference code that takes a third of a second longer. Same products of the
same numbers, so the network's answers are the same to the last bit.
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import openvino

_SMALL = (np.dtype(np.int8), np.dtype(np.uint8))


def make_plain(model: "openvino.Model") -> int:
    """Replace every (int8 constant - zero point) * scale by its value, float32; how many there were."""
    found = 0
    for node in model.get_ordered_ops():
        if node.get_type_name() == "Multiply" and _is_float(node):
            a, b = (_value(node.input_value(i).get_node()) for i in range(2))
            if a is not None and b is not None:
                node.output(0).replace(_product(a, b).output(0))
                found += 1
    return found


def _is_float(node: "openvino.Node") -> bool:
    from openvino import Type

    return bool(node.get_output_element_type(0) == Type.f32)


def _value(node: "openvino.Node") -> np.ndarray | None:
    """What a node gives, float32 or still int8, where it hangs on constants alone by dequantisation; else None."""
    kind = node.get_type_name()
    if kind == "Constant":
        return np.asarray(node.data)
    if kind not in ("Convert", "Reshape", "Subtract") or not _is_float(node):
        return None
    value = _value(node.input_value(0).get_node())
    if value is None:
        return None
    if kind == "Convert":  # left to the arithmetic, which converts as it goes
        return value if value.dtype in _SMALL else None
    if kind == "Reshape":
        return value.reshape(node.get_output_shape(0))
    zero = _value(node.input_value(1).get_node())
    if zero is None:
        return None
    return np.subtract(value, zero, dtype=np.float32) if zero.any() else value


def _product(a: np.ndarray, b: np.ndarray) -> "openvino.op.Constant":
    """The product as a constant in memory of OpenVINO's own: no array of Python must outlive the model."""
    from openvino import Tensor, Type, op

    tensor = Tensor(Type.f32, np.broadcast_shapes(a.shape, b.shape))
    np.multiply(a, b, out=tensor.data, dtype=np.float32)
    return op.Constant(tensor, shared_memory=True)

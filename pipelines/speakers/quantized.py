"""CAM++ in whole numbers: the convolutions of its graph multiply bytes, which takes less time.

What goes into a convolution and comes out of it becomes a byte by the range that it has in speech; ``ranges.json`` has
those ranges, as `tests.bench.ranges` measured them. Weights become seven bits, each output with a scale of its own:
with eight, processors without instructions for bytes would saturate, and make other vectors
(https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html).

This module needs the package ``onnx``; what it makes needs onnxruntime alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

Range = tuple[float, float]
WEIGHT_LIMIT = 63


def kept_ranges() -> dict[str, Range]:
    """Return the range of what goes into convolutions of CAM++ and comes out, by the name of the tensor."""
    return msgspec.json.decode(Path(__file__).with_name("ranges.json").read_bytes(), type=dict[str, Range])


def quantized(model: bytes, ranges: Mapping[str, Range]) -> bytes:
    """Return a graph whose convolutions with known ranges multiply bytes; the same graph is the same bytes."""
    proto = onnx.load_from_string(model)
    constants = {each.name: each for each in proto.graph.initializer}
    nodes: list[onnx.NodeProto] = []
    quantizer = _Quantizer(ranges, {name: numpy_helper.to_array(each) for name, each in constants.items()})
    for node in proto.graph.node:
        if node.op_type == "Conv" and {node.input[0], node.output[0]} <= ranges.keys():
            nodes.extend(quantizer.convolution(node))
        else:
            nodes.append(node)
    used = {name for node in nodes for name in node.input}
    kept = [each for name, each in constants.items() if name in used]
    del proto.graph.node[:], proto.graph.initializer[:]
    proto.graph.node.extend(nodes)
    proto.graph.initializer.extend([*kept, *quantizer.constants])
    onnx.checker.check_model(proto, full_check=True)
    return bytes(proto.SerializeToString(deterministic=True))


class _Quantizer:
    """Makes the nodes and constants that stand for convolutions."""

    def __init__(self, ranges: Mapping[str, Range], values: Mapping[str, npt.NDArray[Any]]) -> None:
        self.constants: list[onnx.TensorProto] = []
        self._ranges, self._values = ranges, values

    def convolution(self, node: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
        """Yield what takes the place of a convolution."""
        [source, kernel, *bias], [result] = node.input, node.output
        (scale, zero), (result_scale, result_zero) = (self._scale(name) for name in (source, result))
        weights = self._values[kernel].astype(np.float64)
        widest = np.abs(weights).reshape(len(weights), -1).max(axis=1)
        scales = np.maximum(widest / WEIGHT_LIMIT, 1e-9)
        whole = np.rint(weights / scales.reshape(-1, *[1] * (weights.ndim - 1))).astype(np.int8)
        given = (
            self._constant(f"{result}.{part}", value)
            for part, value in (
                ("scale", np.float32(scale)),
                ("zero", np.uint8(zero)),
                ("weights", whole),
                ("weights.scale", scales.astype(np.float32)),
                ("weights.zero", np.zeros(len(weights), np.int8)),
                ("result.scale", np.float32(result_scale)),
                ("result.zero", np.uint8(result_zero)),
            )
        )
        into, of_kernel, out = (next(given), next(given)), (next(given), next(given), next(given)), tuple(given)
        added = [
            self._constant(f"{result}.bias", np.rint(self._values[name] / (scale * scales)).astype(np.int32))
            for name in bias
        ]
        attributes = {each.name: helper.get_attribute_value(each) for each in node.attribute}
        names = [f"{result}.source", *into, *of_kernel, *out, *added]
        yield helper.make_node("QuantizeLinear", [source, *into], [names[0]], name=names[0])
        yield helper.make_node("QLinearConv", names, [f"{result}.whole"], name=f"{result}.whole", **attributes)
        yield helper.make_node("DequantizeLinear", [f"{result}.whole", *out], [result], name=result)

    def _scale(self, name: str) -> tuple[float, int]:
        """Return the step from one byte to the next, and the byte that is 0."""
        low, high = min(self._ranges[name][0], 0.0), max(self._ranges[name][1], 0.0)
        step = max((high - low) / 255, 1e-9)
        return step, round(-low / step)

    def _constant(self, name: str, value: npt.NDArray[Any] | np.generic) -> str:
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

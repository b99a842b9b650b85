"""The two networks of diarization as ONNX graphs, filled with the weights of their checkpoints.

Their structure is told here in ONNX's own operators, so that no PyTorch is needed to convert them:

- segmentation-3.0 (PyanNet): SincNet (https://arxiv.org/abs/1808.00158), a recurrent network and three linear layers;
  it tells for each frame of ten seconds of sound who of three local speakers speaks, alone or two at a time
  (https://arxiv.org/abs/2310.13025);
- CAM++: a densely connected time-delay network with a mask by context (https://arxiv.org/abs/2303.00332); it makes a
  vector of 192 numbers of a window of speech.

This module needs the package ``onnx``; what it makes needs onnxruntime alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from pipelines.speakers.checkpoints import Tensors

_OPSET = 17
_IR_VERSION = 9
_SAMPLE_RATE = 16_000
_LOWEST_HZ = _NARROWEST_HZ = 50.0
_EPSILON = 1e-5
BLOCKS = ((12, 3, 1), (24, 3, 2), (16, 3, 2))
"""The dense blocks of CAM++: how many layers, the length of their kernels, and their dilation."""


class _Graph:
    """A graph that grows node by node; methods return the name of a node's output."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, value: npt.NDArray[Any]) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, operator: str, *inputs: str | npt.NDArray[Any], **attributes: Any) -> str:
        names = [each if isinstance(each, str) else self.constant(each) for each in inputs]
        output = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, names, [output], name=output, **attributes))
        return output

    def model(self, source: tuple[str, list[str | int]], result: tuple[str, list[str | int]]) -> bytes:
        """Return the graph as a file's bytes; the same graph is the same bytes."""
        self.nodes.append(helper.make_node("Identity", [result[0]], ["result"], name="result"))
        graph = helper.make_graph(
            self.nodes,
            "rostra",
            [helper.make_tensor_value_info(source[0], TensorProto.FLOAT, source[1])],
            [helper.make_tensor_value_info("result", TensorProto.FLOAT, result[1])],
            self.constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], producer_name="rostra")
        model.ir_version = _IR_VERSION
        onnx.checker.check_model(model, full_check=True)
        return bytes(model.SerializeToString(deterministic=True))


def segmentation_graph(tensors: Tensors) -> bytes:
    """Return segmentation-3.0 as ONNX: ``sound`` (batch, samples) to log probabilities (batch, frames, 7)."""
    graph = _Graph()
    at = graph.node("Unsqueeze", "sound", np.array([1], np.int64))
    at = _normalized(graph, at, tensors, "sincnet.wav_norm1d")
    at = graph.node("Conv", at, _sinc_filters(tensors), strides=[10])
    at = graph.node("Abs", at)
    for layer in range(3):
        if layer:
            weights = (tensors[f"sincnet.conv1d.{layer}.{part}"] for part in ("weight", "bias"))
            at = graph.node("Conv", at, *weights)
        at = graph.node("MaxPool", at, kernel_shape=[3], strides=[3])
        at = graph.node("LeakyRelu", _normalized(graph, at, tensors, f"sincnet.norm1d.{layer}"), alpha=0.01)
    at = graph.node("Transpose", at, perm=[2, 0, 1])
    for layer in range(4):
        at = _recurrent(graph, at, tensors, layer)
    for name in ("linear.0", "linear.1", "classifier"):
        at = graph.node("MatMul", at, tensors[f"{name}.weight"].T)
        at = graph.node("Add", at, tensors[f"{name}.bias"])
        if name != "classifier":
            at = graph.node("LeakyRelu", at, alpha=0.01)
    at = graph.node("LogSoftmax", graph.node("Transpose", at, perm=[1, 0, 2]), axis=-1)
    return graph.model(("sound", ["batch", "samples"]), (at, ["batch", "frames", 7]))


def embedding_graph(tensors: Tensors) -> bytes:
    """Return CAM++ as ONNX: ``features`` (batch, frames, 80) to vectors (batch, 192).

    Frames are 10 ms. A window may last two seconds at most: within that, the network's mean over stretches of a
    hundred of its own frames, which are twice as long, is the mean of the whole.
    """
    graph = _Graph()
    at = graph.node("Unsqueeze", graph.node("Transpose", "features", perm=[0, 2, 1]), np.array([1], np.int64))
    at = _convolved(graph, at, tensors, "head.conv1", "head.bn1", relu=True)
    for name in ("head.layer1.0", "head.layer1.1", "head.layer2.0", "head.layer2.1"):
        at = _residual(graph, at, tensors, name)
    at = _convolved(graph, at, tensors, "head.conv2", "head.bn2", stride=2, relu=True)
    at = graph.node("Reshape", at, np.array([0, 320, -1], np.int64))
    at = _normed_conv(graph, at, tensors, "xvector.tdnn.linear", "xvector.tdnn.nonlinear.batchnorm", [2], [2, 2])
    at = graph.node("Relu", at)
    for number, (layers, kernel, dilation) in enumerate(BLOCKS, start=1):
        for place in range(1, layers + 1):
            made = _masked(graph, at, tensors, f"xvector.block{number}.tdnnd{place}", kernel, dilation)
            at = graph.node("Concat", at, made, axis=1)
        transit = f"xvector.transit{number}"
        at = graph.node("Relu", _batch_norm(graph, at, tensors, f"{transit}.nonlinear.batchnorm"))
        at = graph.node("Conv", at, tensors[f"{transit}.linear.weight"])
    at = graph.node("Relu", _batch_norm(graph, at, tensors, "xvector.out_nonlinear.batchnorm"))
    at = graph.node("Unsqueeze", _statistics(graph, at), np.array([2], np.int64))
    at = _normed_conv(graph, at, tensors, "xvector.dense.linear", "xvector.dense.nonlinear.batchnorm", [1], [0, 0])
    at = graph.node("Squeeze", at, np.array([2], np.int64))
    return graph.model(("features", ["batch", "frames", 80]), (at, ["batch", 192]))


def _normalized(graph: _Graph, at: str, tensors: Tensors, name: str) -> str:
    weights = (tensors[f"{name}.weight"], tensors[f"{name}.bias"])
    return graph.node("InstanceNormalization", at, *weights, epsilon=_EPSILON)


def _sinc_filters(tensors: Tensors) -> npt.NDArray[np.float32]:
    """Return the band-pass filters that the learned edges of their bands mean, even ones before odd ones."""
    low = _LOWEST_HZ + np.abs(tensors["sincnet.conv1d.0.filterbank.low_hz_"].astype(np.float64))
    width = _NARROWEST_HZ + np.abs(tensors["sincnet.conv1d.0.filterbank.band_hz_"])
    high = np.clip(low + width, _LOWEST_HZ, _SAMPLE_RATE / 2)
    window = tensors["sincnet.conv1d.0.filterbank.window_"]
    times = tensors["sincnet.conv1d.0.filterbank.n_"]
    band = high - low
    even = (np.sin(high * times) - np.sin(low * times)) / (times / 2) * window
    odd = (np.cos(low * times) - np.cos(high * times)) / (times / 2) * window
    filters = np.concatenate(
        [
            np.concatenate([even, 2 * band, even[:, ::-1]], axis=1) / (2 * band),
            np.concatenate([odd, np.zeros_like(band), -odd[:, ::-1]], axis=1) / (2 * band),
        ]
    )
    return filters[:, None, :].astype(np.float32)


def _recurrent(graph: _Graph, at: str, tensors: Tensors, layer: int) -> str:
    """Add a layer that reads in both directions; ONNX has the gates in another order than PyTorch."""

    def gates(name: str) -> npt.NDArray[Any]:
        into, forget, cell, out = np.split(tensors[name], 4)
        return np.concatenate([into, out, forget, cell])

    ways = (f"l{layer}", f"l{layer}_reverse")
    read = np.stack([gates(f"lstm.weight_ih_{way}") for way in ways])
    kept = np.stack([gates(f"lstm.weight_hh_{way}") for way in ways])
    bias = np.stack([np.concatenate([gates(f"lstm.bias_ih_{way}"), gates(f"lstm.bias_hh_{way}")]) for way in ways])
    at = graph.node("LSTM", at, read, kept, bias, direction="bidirectional", hidden_size=128)
    return graph.node("Reshape", graph.node("Transpose", at, perm=[0, 2, 1, 3]), np.array([0, 0, -1], np.int64))


def _norm(tensors: Tensors, name: str) -> tuple[npt.NDArray[Any], ...]:
    """Return the scale, the shift, the mean and the variance of each channel."""
    mean, variance = tensors[f"{name}.running_mean"], tensors[f"{name}.running_var"]
    scale = tensors.get(f"{name}.weight", np.ones_like(mean))
    shift = tensors.get(f"{name}.bias", np.zeros_like(mean))
    return scale, shift, mean, variance


def _batch_norm(graph: _Graph, at: str, tensors: Tensors, name: str) -> str:
    return graph.node("BatchNormalization", at, *_norm(tensors, name), epsilon=_EPSILON)


def _normed_conv(
    graph: _Graph, at: str, tensors: Tensors, conv: str, norm: str, strides: list[int], pads: list[int]
) -> str:
    """Add a convolution and the normalization after it, which is a factor of its weights."""
    scale, shift, mean, variance = _norm(tensors, norm)
    factor = scale / np.sqrt(variance + np.float32(_EPSILON))
    weights = tensors[f"{conv}.weight"]
    scaled = weights * factor.reshape(-1, *[1] * (weights.ndim - 1))
    return graph.node("Conv", at, scaled, shift - mean * factor, strides=strides, pads=pads)


def _convolved(
    graph: _Graph, at: str, tensors: Tensors, conv: str, norm: str, *, stride: int = 1, relu: bool = False
) -> str:
    pad = tensors[f"{conv}.weight"].shape[-1] // 2
    at = _normed_conv(graph, at, tensors, conv, norm, [stride, 1], [pad] * 4)
    return graph.node("Relu", at) if relu else at


def _residual(graph: _Graph, at: str, tensors: Tensors, name: str) -> str:
    stride = 2 if f"{name}.shortcut.0.weight" in tensors else 1
    made = _convolved(graph, at, tensors, f"{name}.conv1", f"{name}.bn1", stride=stride, relu=True)
    made = _convolved(graph, made, tensors, f"{name}.conv2", f"{name}.bn2")
    if stride > 1:
        at = _convolved(graph, at, tensors, f"{name}.shortcut.0", f"{name}.shortcut.1", stride=stride)
    return graph.node("Relu", graph.node("Add", made, at))


def _masked(graph: _Graph, at: str, tensors: Tensors, name: str, kernel: int, dilation: int) -> str:
    """Add one dense layer, whose output is masked by what the whole window is like."""
    at = graph.node("Relu", _batch_norm(graph, at, tensors, f"{name}.nonlinear1.batchnorm"))
    at = _normed_conv(graph, at, tensors, f"{name}.linear1", f"{name}.nonlinear2.batchnorm", [1], [0, 0])
    at = graph.node("Relu", at)
    cam, pad = f"{name}.cam_layer", (kernel - 1) // 2 * dilation
    local = graph.node("Conv", at, tensors[f"{cam}.linear_local.weight"], dilations=[dilation], pads=[pad, pad])
    context = graph.node("GlobalAveragePool", at)
    context = graph.node("Add", context, context)
    for part in ("linear1", "linear2"):
        context = graph.node("Conv", context, tensors[f"{cam}.{part}.weight"], tensors[f"{cam}.{part}.bias"])
        context = graph.node("Relu" if part == "linear1" else "Sigmoid", context)
    return graph.node("Mul", local, context)


def _statistics(graph: _Graph, at: str) -> str:
    """Add the mean and the standard deviation over time, the latter of a sample."""
    mean = graph.node("ReduceMean", at, axes=[2], keepdims=1)
    spread = graph.node("Sub", at, mean)
    squares = graph.node("ReduceSum", graph.node("Mul", spread, spread), np.array([2], np.int64), keepdims=1)
    count = graph.node("Cast", graph.node("Gather", graph.node("Shape", at), np.array([2], np.int64)), to=1)
    degrees = graph.node("Sub", count, np.array([1], np.float32))
    deviation = graph.node("Sqrt", graph.node("Div", squares, degrees))
    return graph.node("Squeeze", graph.node("Concat", mean, deviation, axis=1), np.array([2], np.int64))

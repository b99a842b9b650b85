"""How large what goes into the convolutions of CAM++ is, and what comes out: what `pipelines.speakers.quantized` needs.

``python -m tests.bench.ranges [--weights PATH]`` hears speech in several languages and writes ``ranges.json`` anew.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import onnx
import onnxruntime

from pipelines.media.samples import SAMPLE_RATE
from pipelines.speakers import graphs, quantized
from pipelines.speakers.features import Features
from pipelines.speakers.local import CHUNK, Chunk, activity_of, windows
from pipelines.speakers.weights import EMBEDDING, resolve, tensors
from tests.bench.sounds import LEVEL, VOICES, read_sound
from tests.corpus import DATA

HEARD = ("sonnet", "simplicissimus", "1688", "2033", "kennedy", "watson fr", "fleurs es", "fleurs zh", "lj")
LEVELS = (0.1, 1.0, 3.0)
"""Times the usual level."""


def measured(model: bytes, windows: Sequence[Features]) -> dict[str, quantized.Range]:
    """Return the least and the greatest of each tensor around a convolution."""
    proto = onnx.load_from_string(model)
    around = {name for node in proto.graph.node if node.op_type == "Conv" for name in (node.input[0], node.output[0])}
    names = sorted(around)
    proto.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in names)
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    found = dict.fromkeys(names, (0.0, 0.0))
    for features in windows:
        for name, value in zip(names, session.run(names, {"features": features[None]}), strict=True):
            low, high = found[name]
            found[name] = (min(low, float(f"{value.min():.4g}")), max(high, float(f"{value.max():.4g}")))
    return found


def speech(weights: str) -> Iterator[Features]:
    """Yield windows of one chunk of each recording, at several levels."""
    segmentation = onnxruntime.InferenceSession(resolve(weights) / "segmentation.onnx")
    for voice in HEARD:
        path = min((DATA / "audio").glob(VOICES[voice]))
        sound = np.resize(read_sound(path), CHUNK) * np.float32(LEVEL / np.sqrt(np.mean(np.square(read_sound(path)))))
        for level in LEVELS:
            chunk = Chunk(0, (0, 10 * SAMPLE_RATE), np.clip(sound * np.float32(level), -1, 1))
            [[output]] = segmentation.run(None, {"sound": chunk.samples[None]})
            yield from (window.features for window in windows(chunk, activity_of(output, chunk.samples)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the ranges."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default="")
    options = parser.parse_args(arguments)
    model = graphs.embedding_graph(tensors(EMBEDDING, options.weights))
    found = measured(model, list(speech(options.weights)))
    lines = ",\n".join(f'"{name}": {msgspec.json.encode(its).decode()}' for name, its in sorted(found.items()))
    Path(quantized.__file__).with_name("ranges.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

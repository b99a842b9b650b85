"""Buckets that speak S3's protocol, through obstore: ``s3://bucket/prefix``.

Credentials come from the usual environment variables: ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``,
``AWS_REGION``, and ``AWS_ENDPOINT_URL`` for providers other than Amazon.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pipelines.errors import FetchError, OwnFilesError
from pipelines.sources.base import Fetched, Found, Shelf, Unreachable, Unusable, file_name, shelf_name
from pipelines.sources.files import wanted
from pipelines.storage.blobs import is_key
from pipelines.storage.buckets import Bucket


@dataclass(frozen=True, slots=True, kw_only=True)
class Object(Found):
    """An object in a bucket."""

    bucket: Bucket
    key: str
    etag: str | None

    @property
    def shelf_name(self) -> str:
        """One name for each version, since only parts of the same version belong together."""
        return shelf_name(f"{self.place} {self.etag}")

    @contextmanager
    def fetch(self, shelf: Shelf) -> Iterator[Fetched]:
        """Download the object, or continue a partial download of this version. It is removed when the block ends."""
        shelf.folder.mkdir(parents=True, exist_ok=True)
        path = shelf.folder / self.shelf_name
        try:
            self.bucket.download(self.key, path, etag=self.etag, report=shelf.report)
        except OSError as error:
            raise FetchError(str(error)) from error
        try:
            yield Fetched(path)
        finally:
            path.unlink(missing_ok=True)


def find(url: str, shelf: Shelf) -> Iterator[Found]:  # noqa: ARG001 one signature for all sources
    """Yield the objects below a prefix, without hidden names. Where they cannot be listed, yield an `Unreachable`.

    The media store of an archive (``store.bucket``) is not a source; one item says that it was passed over.
    """
    bucket, own = Bucket.at(url), False
    try:
        for entry in bucket.entries():
            key = entry["path"]
            if is_key(key):
                own = True
            elif wanted(key.removeprefix(bucket.prefix)):
                yield Object(
                    place=f"s3://{bucket.name}/{key}",
                    name=file_name(key),
                    stamp=(entry["size"], entry["e_tag"] or str(entry["last_modified"])),
                    bytes=entry["size"],
                    bucket=bucket,
                    key=key,
                    etag=entry["e_tag"],
                )
        if own:
            yield Unusable(place=url, name=url, stamp=("own",), error=OwnFilesError())
    except OSError as error:
        yield Unreachable(place=url, name=url, stamp=("unreachable",), error=FetchError(str(error)))

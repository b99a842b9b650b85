from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from obstore.exceptions import GenericError

from pipelines.errors import ConfigError
from pipelines.storage import buckets
from pipelines.storage.blobs import Blob, LocalBlobStore, key
from pipelines.storage.buckets import Bucket, BucketBlobStore, _errors
from tests.pipelines.network import relaying, use_endpoint


def written(path: Path, size: int) -> bytes:
    data = os.urandom(size)
    path.write_bytes(data)
    return data


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("s3://talks", Bucket("talks")),
        ("s3://talks/", Bucket("talks")),
        ("s3://talks/2022/winter/", Bucket("talks", "2022/winter")),
    ],
)
def test_bucket_is_named_by_its_address(url: str, expected: Bucket) -> None:
    assert Bucket.at(url) == expected


@pytest.mark.parametrize("url", ["s3://", "s3:///x", "s3://-", "https://talks", "s3://a b/x"])
def test_address_of_no_bucket_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="is no bucket"):
        Bucket.at(url)


def test_of_many_that_upload_at_once_one_does(bucket: Bucket, tmp_path: Path) -> None:
    written(tmp_path / "talk.mp4", 2_000_000)
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: bucket.upload(tmp_path / "talk.mp4", "talk.mp4"), range(8)))
    assert sorted(done) == [False] * 7 + [True]


def test_upload_does_not_replace_what_is_there(bucket: Bucket, tmp_path: Path) -> None:
    first = written(tmp_path / "a", 1000)
    written(tmp_path / "b", 1000)
    assert bucket.upload(tmp_path / "a", "key")
    assert not bucket.upload(tmp_path / "b", "key")
    bucket.download("key", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == first


def test_many_that_ask_for_a_blob_at_once_get_it_whole(bucket: Bucket, tmp_path: Path) -> None:
    data = written(tmp_path / "talk.mp4", 5_000_000)
    blob = BucketBlobStore(bucket, LocalBlobStore(tmp_path / "one")).add(tmp_path / "talk.mp4", ".mp4")
    other = BucketBlobStore(bucket, LocalBlobStore(tmp_path / "two"))
    with ThreadPoolExecutor(4) as pool:
        paths = set(pool.map(lambda _: other.path(blob.sha256, ".mp4"), range(4)))
    assert [path.read_bytes() == data for path in paths] == [True]


def test_object_that_is_not_what_its_name_says_is_not_taken(bucket: Bucket, tmp_path: Path) -> None:
    written(tmp_path / "other", 1000)
    bucket.upload(tmp_path / "other", key("0" * 64, ".mp4"))
    store = BucketBlobStore(bucket, LocalBlobStore(tmp_path / "media"))
    with pytest.raises(OSError, match="has the SHA-256"):
        store.path("0" * 64, ".mp4")
    assert [path for path in (tmp_path / "media").rglob("*.mp4") if path.is_file()] == []


def test_download_goes_on_when_the_network_drops(
    bucket: Bucket, bucket_server: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = written(tmp_path / "talk.mp4", 40_000_000)
    bucket.upload(tmp_path / "talk.mp4", "talk.mp4")
    with relaying(bucket_server) as relay:
        use_endpoint(monkeypatch, relay.port)
        relay.drop_after, relay.drops = 12_000_000, 4
        bucket.download("talk.mp4", tmp_path / "back")
        assert relay.dropped > 0
    assert (tmp_path / "back").read_bytes() == data
    assert not (tmp_path / "back.part").exists()


def test_upload_goes_through_when_the_network_drops(
    bucket: Bucket, bucket_server: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = written(tmp_path / "talk.mp4", buckets.WHOLE + 10_000_000)
    with relaying(bucket_server) as relay:
        use_endpoint(monkeypatch, relay.port)
        relay.drops = 3
        store = BucketBlobStore(bucket, LocalBlobStore(tmp_path / "media"))
        assert store.add(tmp_path / "talk.mp4", ".mp4") == Blob(hashlib.sha256(data).hexdigest(), len(data))
        assert relay.dropped == 3
    use_endpoint(monkeypatch, bucket_server)
    [entry] = bucket.entries()
    assert entry["size"] == len(data)


def test_conditional_upload_that_is_cut_off_in_the_middle_leaves_nothing_half(
    bucket: Bucket, bucket_server: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = written(tmp_path / "talk.mp4", 60_000_000)  # so that it is being sent when the connection is reset
    with relaying(bucket_server) as relay:
        use_endpoint(monkeypatch, relay.port)
        relay.cut_after, relay.cuts = 1_000_000, 3
        assert bucket.upload(tmp_path / "talk.mp4", "talk.mp4")
        assert relay.cut == 3
        bucket.download("talk.mp4", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == data


class Unsure(Bucket):
    """Never knows what it has, so that the answer to the upload is the one that is lost."""

    def has(self, _key: str) -> bool:
        return False


def test_conditional_upload_whose_answer_is_lost_counts_as_done(
    bucket: Bucket, bucket_server: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = written(tmp_path / "talk.mp4", 3_000_000)
    with relaying(bucket_server) as relay:
        use_endpoint(monkeypatch, relay.port)
        relay.drops = 1
        store = BucketBlobStore(Unsure(bucket.name, bucket.prefix), LocalBlobStore(tmp_path / "media"))
        assert store.add(tmp_path / "talk.mp4", ".mp4") == Blob(hashlib.sha256(data).hexdigest(), len(data))
        assert relay.dropped == 1
    use_endpoint(monkeypatch, bucket_server)
    assert [entry["size"] for entry in bucket.entries()] == [len(data)]


def test_server_that_is_away_fails_with_the_reason(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_endpoint(monkeypatch, 1)
    written(tmp_path / "talk.mp4", 1000)
    store = BucketBlobStore(
        replace(bucket, prefix="x", patience=timedelta(seconds=1)), LocalBlobStore(tmp_path / "media")
    )
    with pytest.raises(OSError, match=f"bucket {bucket.name}: "):
        store.add(tmp_path / "talk.mp4", ".mp4")


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ("Error performing PUT http://169.254.169.254/latest/api/token in 5ms", "AWS_ACCESS_KEY_ID"),
        ("404 Not Found: <Error><Code>NoSuchBucket</Code>", "no such bucket"),
        ("403 Forbidden: <Error><Code>InvalidAccessKeyId</Code>", "keys are not accepted"),
        ("403 Forbidden: <Error><Code>AccessDenied</Code>", "lack the right"),
        ("Received redirect without LOCATION", "AWS_REGION"),
        ("after 5 retries - HTTP error: error sending request", "cannot be reached: check AWS_ENDPOINT_URL"),
        ("Object at location a/b.mp4 not found: Error performing HEAD", "there is no a/b.mp4"),
        ("something else", "something else"),
    ],
)
def test_what_went_wrong_is_said_in_words_that_help(told: str, reason: str) -> None:
    with pytest.raises(OSError, match=reason), _errors("talks"):
        raise GenericError(told)


def test_bucket_that_is_not_there_and_server_that_is_not(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = Bucket("talks-nowhere", patience=timedelta(seconds=1))
    with pytest.raises(OSError, match="bucket talks-nowhere: there is no such bucket: make it"):
        list(missing.entries())
    use_endpoint(monkeypatch, 1)
    with pytest.raises(OSError, match="its server cannot be reached: check AWS_ENDPOINT_URL"):
        list(Bucket("talks-elsewhere", patience=timedelta(seconds=1)).entries())

from __future__ import annotations

import numpy as np
import pytest

from pipelines.speakers.clustering import cluster, linked, means


def voices(count: int, windows: int, *, seed: int = 0, spread: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return windows of voices that speak in turn: about 0.5 alike within a voice, and 0 between two."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(count, 192))
    truth = np.repeat(random.integers(count, size=-(-windows // 4)), 4)[:windows]
    truth[: 4 * count : 4] = np.arange(count)
    found = centres[truth] + spread * random.normal(size=(windows, 192))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32), truth


def same(labels: np.ndarray, truth: np.ndarray) -> bool:
    """Tell whether two clusterings are one, whatever the numbers."""
    return len(set(zip(labels.tolist(), truth.tolist(), strict=True))) == len(set(labels)) == len(set(truth))


@pytest.mark.parametrize("windows", [30, 120, 700])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_windows_are_told_apart_by_voice(count: int, windows: int) -> None:
    vectors, truth = voices(count, windows)
    assert same(cluster(vectors, np.ones(windows)), truth)


def test_voices_are_numbered_as_they_first_speak() -> None:
    vectors, _ = voices(3, 60)
    labels = cluster(vectors, np.ones(60))
    assert list(dict.fromkeys(labels.tolist())) == [0, 1, 2]


def test_who_speaks_for_seconds_in_an_hour_is_a_voice() -> None:
    vectors, _ = voices(2, 300)
    main = vectors[voices(2, 300)[1] == 0]
    question = vectors[voices(2, 300)[1] == 1][:5]
    labels = cluster(np.concatenate([main[:100], question, main[100:]]), np.ones(len(main) + 5))
    assert sorted(np.bincount(labels).tolist()) == [5, len(main)]


def test_two_who_say_little_and_are_a_little_alike_are_two_voices() -> None:
    """A spectrum takes them for one beside somebody who speaks all the time: 0.3 alike, and 0.8 each in itself."""
    random = np.random.default_rng(0)
    main, shared, one, other = np.linalg.qr(random.normal(size=(192, 4)))[0].T
    truth = np.repeat([0, 1, 0, 2, 0], [60, 4, 60, 4, 60])
    centres = np.array([main, *(0.6 * shared + 0.8 * each for each in (one, other))])
    vectors = centres[truth] + np.where(truth, 0.036, 0.06)[:, None] * random.normal(size=(len(truth), 192))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    assert same(cluster(vectors.astype(np.float32), np.full(len(truth), 1.5)), truth)


def test_where_there_are_more_voices_than_there_can_be_those_that_are_alike_are_one() -> None:
    means = np.eye(192, dtype=np.float32)[:4]
    means[3] = 0.5 * means[2] + 0.75**0.5 * means[3]
    truth = np.arange(240) % 4
    vectors = means[truth] + np.random.default_rng(0).normal(0, 0.04, (240, 192))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    assert same(cluster(vectors, np.ones(240)), truth)
    assert same(cluster(vectors, np.ones(240), most=3), np.minimum(truth, 2))


def test_a_timetable_that_knows_of_too_few_makes_no_two_people_one() -> None:
    vectors, truth = voices(6, 240)
    assert same(cluster(vectors, np.ones(240), most=4), truth)
    assert set(cluster(vectors, np.ones(240), most=1).tolist()) == {0}, "of a channel it is certain"


def test_no_windows_have_no_voices() -> None:
    assert cluster(np.zeros((0, 192), dtype=np.float32), np.zeros(0)).tolist() == []
    assert cluster(np.ones((1, 192), dtype=np.float32) / 192**0.5, np.ones(1)).tolist() == [0]


def test_groups_are_joined_by_their_average_likeness() -> None:
    likeness = np.array([[1, 0.9, 0.3, 0], [0.9, 1, 0.5, 0], [0.3, 0.5, 1, 0], [0, 0, 0, 1]], dtype=np.float32)
    assert linked(likeness.copy(), np.ones(4), 0.41).tolist() == [0, 0, 1, 2]
    assert linked(likeness.copy(), np.ones(4), 0.39).tolist() == [0, 0, 0, 1]
    assert linked(likeness.copy(), np.array([1.0, 9, 1, 1]), 0.41).tolist() == [0, 0, 0, 1], "longer ones weigh more"


def test_means_weigh_windows_by_their_speech() -> None:
    vectors = np.eye(192, dtype=np.float32)[:3]
    found = means(vectors, np.array([3.0, 4.0, 1.0]), np.array([0, 0, 1]))
    np.testing.assert_allclose(found[:, :3], [[0.6, 0.8, 0], [0, 0, 1]], atol=1e-6)

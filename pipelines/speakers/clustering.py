"""Which windows of speech are of one voice, by the vectors that CAM++ makes of them.

How many voices there are is read from the windows themselves:

- A short recording has too few windows for a spectrum: they are joined by the average likeness of their groups.
- Otherwise the graph of each window's nearest neighbours is cut where its Laplacian's eigenvalues leave the largest
  gap; how many neighbours count is chosen by the same gap (NME-SC, https://arxiv.org/abs/2003.02405).
- Whoever speaks for seconds in an hour leaves no gap. So a voice whose windows fall into groups that are unlike each
  other is divided, and windows unlike every voice found become voices where enough of them are alike.
- Voices that are alike are one. A long recording is divided into parts; each part's voices are found as above, and
  then joined by the likeness of their means, so that the cost grows with the length and not with its square.

Likeness is the cosine between vectors. Its bounds were set on mixes of 1 to 12 voices (``tests/bench/diarization.py``).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Vectors: TypeAlias = npt.NDArray[np.float32]
"""Of length 1, shape ``(n, 192)``."""
Weights: TypeAlias = npt.NDArray[np.float64]
"""How many seconds of speech each is made of, shape ``(n,)``."""
Labels: TypeAlias = npt.NDArray[np.intp]
"""The number of its voice for each, from 0 without gaps, shape ``(n,)``."""

FEW = 40
"""Windows that are too few for a spectrum: about a minute."""
MANY = 300
"""Windows that are divided into parts: about nine minutes."""
ALIKE = 0.25
"""Average likeness from which two groups of windows in a short recording are one voice."""
DIVIDED = 0.2
"""Average likeness below which two groups of windows are two voices, whatever the spectrum says."""
LOOSER, APART = (0.25, 0.3, 0.35, 0.4), 0.42
"""Bounds up to which they are two voices, too, where they are less than so many times as like each other as themselves:
voices that one telephone carries are all alike, and each is more like itself."""
STRANGE = 0.3
"""Likeness to its voice below which a window may be of another."""
STRANGERS_ALIKE = 0.4
STRANGERS = 3
"""Windows that make a voice of their own."""
FULL = 1.2
"""Seconds of speech that they hold on average."""
STRANGEST, STRANGEST_ALIKE = 0.25, 0.5
"""The same, where two windows make one: whoever says a single sentence has no more."""
SAME = 0.57
"""Likeness of means from which two voices are one."""
LIKELY = 0.45
"""The same where there are more voices than there can be. Voices that are less alike stay two: whoever said how many
there can be did not know of everybody."""
MOST = 20
"""Voices that are looked for in a part."""
NEIGHBOURS = (0.05, 0.08, 0.12, 0.16, 0.2, 0.25, 0.3)
"""Parts of all windows that are tried as the number of neighbours."""
FEWEST_NEIGHBOURS = 4


def cluster(vectors: Vectors, weights: Weights, most: int | None = None) -> Labels:
    """Return which vectors are of one voice.

    Args:
        vectors: in order of time.
        weights: of each.
        most: how many voices there can be, or None where nobody knows. One is certain, and any more a guess.
    """
    if not len(vectors):
        return np.zeros(0, dtype=np.intp)
    parts = np.array_split(np.arange(len(vectors)), -(-len(vectors) // MANY))
    labels = np.zeros(len(vectors), dtype=np.intp)
    found = 0
    for part in parts:
        labels[part] = _cluster_part(vectors[part], weights[part]) + found
        found = int(labels[part].max()) + 1
    labels = _joined(vectors, weights, labels, most)
    return _numbered((vectors @ means(vectors, weights, labels).T).argmax(axis=1))


def means(vectors: Vectors, weights: Weights, labels: Labels) -> Vectors:
    """Return the mean of each voice, of length 1, shape ``(voices, 192)``."""
    sums = np.zeros((int(labels.max(initial=-1)) + 1, vectors.shape[1]))
    np.add.at(sums, labels, vectors * weights[:, None])
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.asarray(sums / np.maximum(lengths, 1e-9), dtype=np.float32)


def purified(vectors: Vectors, weights: Weights, voices: Vectors) -> Vectors:
    """Return the means of voices without the least like fifth of their windows, where two may speak."""
    for _ in range(2):
        likeness = vectors @ voices.T
        nearest = likeness.argmax(axis=1)
        own = likeness.max(axis=1)
        pure = np.zeros(len(vectors), dtype=bool)
        for voice in np.unique(nearest):
            its = nearest == voice
            pure |= its & (own >= np.quantile(own[its], 0.2))
        found = means(vectors[pure], weights[pure], nearest[pure])
        voices = np.concatenate([found, voices[len(found) :]])
        voices = np.where(np.linalg.norm(voices, axis=1, keepdims=True) > 0.5, voices, 0).astype(np.float32)
    return voices


def linked(likeness: npt.NDArray[np.float32], weights: Weights, bound: float) -> Labels:
    """Return groups joined two by two while the average likeness of the nearest two reaches the bound."""
    count = len(likeness)
    near = likeness.astype(np.float64)
    np.fill_diagonal(near, -np.inf)
    size, labels = weights.astype(np.float64), np.arange(count)
    while True:
        one, other = (int(x) for x in np.unravel_index(int(near.argmax()), near.shape))
        if near[one, other] < bound:
            return _numbered(labels)
        both = (near[one] * size[one] + near[other] * size[other]) / (size[one] + size[other])
        near[one], near[:, one] = both, both
        near[other], near[:, other], near[one, one] = -np.inf, -np.inf, -np.inf
        size[one] += size[other]
        labels[labels == other] = one


def _cluster_part(vectors: Vectors, weights: Weights) -> Labels:
    if len(vectors) < FEW:
        return linked(vectors @ vectors.T, weights, ALIKE)
    labels = _joined(vectors, weights, _divided(vectors, weights, _spectral(vectors)))
    return _joined(vectors, weights, _with_strangers(vectors, weights, labels))


def _spectral(vectors: Vectors) -> Labels:
    """Cut the graph of nearest neighbours at the clearest gap."""
    order = np.argsort(-(vectors @ vectors.T), axis=1)
    _, voices, neighbours = min(_gap(order, max(FEWEST_NEIGHBOURS, round(len(order) * part))) for part in NEIGHBOURS)
    _, spectrum = np.linalg.eigh(_laplacian(order, neighbours))
    return _k_means(spectrum[:, :voices], voices)


def _gap(order: npt.NDArray[np.intp], neighbours: int) -> tuple[float, int, int]:
    """Return how doubtful the largest gap of a graph is, after how many voices it comes, and the neighbours."""
    values = np.linalg.eigvalsh(_laplacian(order, neighbours))
    gaps = np.diff(values[: MOST + 1])
    doubt = neighbours / len(order) * float(values[-1]) / max(float(gaps.max()), 1e-9)
    return doubt, int(gaps.argmax()) + 1, neighbours


def _laplacian(order: npt.NDArray[np.intp], neighbours: int) -> npt.NDArray[np.float32]:
    graph = np.zeros(order.shape, dtype=np.float32)
    np.put_along_axis(graph, order[:, :neighbours], 0.5, axis=1)
    graph += graph.T
    return np.asarray(np.diag(graph.sum(axis=1)) - graph, dtype=np.float32)


def _k_means(points: npt.NDArray[np.float32], count: int, rounds: int = 30, tries: int = 5) -> Labels:
    """Return the best of several clusterings; the same points give the same one (k-means++ with a fixed seed)."""
    random = np.random.default_rng(0)
    best, least = np.zeros(len(points), dtype=np.intp), np.inf
    for _ in range(tries):
        centres = points[[int(random.integers(len(points)))]]
        while len(centres) < count:
            far = np.square(points[:, None] - centres[None]).sum(axis=2).min(axis=1)
            chosen = random.choice(len(points), p=far / far.sum()) if far.sum() > 0 else 0
            centres = np.concatenate([centres, points[[chosen]]])
        for _ in range(rounds):
            labels = np.square(points[:, None] - centres[None]).sum(axis=2).argmin(axis=1)
            moved = np.stack(
                [points[labels == k].mean(axis=0) if (labels == k).any() else centres[k] for k in range(count)]
            )
            if np.allclose(moved, centres):
                break
            centres = moved
        if (error := float(np.square(points - centres[labels]).sum())) < least:
            best, least = labels, error
    return _numbered(best)


def _divided(vectors: Vectors, weights: Weights, labels: Labels) -> Labels:
    """Divide voices whose windows fall into groups that are unlike each other."""
    labels = labels.copy()
    for voice in range(int(labels.max()) + 1):
        its = np.flatnonzero(labels == voice)
        for group in _groups(vectors[its] @ vectors[its].T, weights[its])[1:]:
            labels[its[group]] = labels.max() + 1
    return _numbered(labels)


def _groups(likeness: npt.NDArray[np.float32], weights: Weights) -> list[npt.NDArray[np.intp]]:
    """Return the windows of each group that is enough for a voice, at the lowest bound where they are two or more."""
    for bound in (DIVIDED, *LOOSER):
        labels = linked(likeness, weights, bound)
        groups = [np.flatnonzero(labels == group) for group in range(int(labels.max()) + 1)]
        groups = [group for group in groups if _enough(weights[group], STRANGERS)]
        if len(groups) > 1 and (bound == DIVIDED or _apart(likeness, groups)):
            return groups
    return []


def _apart(likeness: npt.NDArray[np.float32], groups: list[npt.NDArray[np.intp]]) -> bool:
    """Tell whether groups of windows are all much more like themselves than like each other."""
    means = np.array([[likeness[np.ix_(one, other)].mean() for other in groups] for one in groups])
    sizes = np.array([len(group) for group in groups])
    # A window's likeness to itself tells nothing.
    own = np.maximum((means.diagonal() * sizes - 1) / (sizes - 1), 1e-3)
    ratio = means / np.sqrt(own[:, None] * own)
    np.fill_diagonal(ratio, 0)
    return bool(ratio.max() < APART)


def _with_strangers(vectors: Vectors, weights: Weights, labels: Labels) -> Labels:
    """Make voices of windows that are unlike every voice found, and like each other."""
    near = (vectors @ means(vectors, weights, labels).T).max(axis=1)
    labels = labels.copy()
    for strange, alike, least in ((STRANGE, STRANGERS_ALIKE, STRANGERS), (STRANGEST, STRANGEST_ALIKE, 2)):
        its = np.flatnonzero(near < strange)
        if len(its) < least:
            continue
        groups = linked(vectors[its] @ vectors[its].T, weights[its], alike)
        for group in range(int(groups.max()) + 1):
            members = its[groups == group]
            if _enough(weights[members], least):
                labels[members] = labels.max() + 1
                near[members] = 1
    return _numbered(labels)


def _enough(weights: Weights, least: int) -> bool:
    """Tell whether windows are enough for a voice: so many, most of them full of speech."""
    return len(weights) >= least and float(weights.sum()) >= FULL * least


def _joined(vectors: Vectors, weights: Weights, labels: Labels, most: int | None = None) -> Labels:
    """Join voices that are alike; where there are more than there can be, those that are a little less alike, too."""
    while labels.max() > 0:
        voices = means(vectors, weights, labels)
        likeness = voices @ voices.T
        np.fill_diagonal(likeness, -1)
        one, other = np.unravel_index(int(likeness.argmax()), likeness.shape)
        many = most is not None and labels.max() >= most
        if likeness[one, other] < (-1 if most == 1 else LIKELY if many else SAME):
            break
        labels = _numbered(np.where(labels == other, one, labels))
    return labels


def _numbered(labels: npt.NDArray[np.intp]) -> Labels:
    """Number voices from 0 in the order in which they first speak."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]

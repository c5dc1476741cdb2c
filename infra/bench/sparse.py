"""A peer of matching: one product of sparse matrices, of the vectors by which the ranker scores."""

import time
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from scipy import sparse

from market.catalog.views import Source
from market.discovery.documents import ranked_text
from search.ranking import Ranker, TermStatistics

SAMPLE = 4_000
_ROWS = 50  # demands of one product: the dense part of it stays small


def seconds(wanted: Sequence[Source], offered: Sequence[Source], best: int) -> float:
    """Return how long the `best` of `offered` for each of `wanted` take, vectors given."""
    step = max(1, len(offered) // SAMPLE)
    ranker = Ranker(TermStatistics.of(ranked_text(one.text) for one in offered[::step]))
    columns: dict[str, int] = {}
    left = [_row(ranker, one, columns) for one in wanted]
    right = [_row(ranker, one, columns) for one in offered]
    ours, others = _matrix(left, len(columns)), _matrix(right, len(columns)).T.tocsc()
    begun = time.perf_counter()
    for start in range(0, len(wanted), _ROWS):
        scores = (ours[start : start + _ROWS] @ others).toarray()
        some = min(best, scores.shape[1])
        top = np.argpartition(-scores, some - 1, axis=1)[:, :some]
        np.take_along_axis(scores, top, axis=1).sort(axis=1)
    return time.perf_counter() - begun


def _row(ranker: Ranker, source: Source, columns: dict[str, int]) -> Any:
    vector = ranker.prepare(ranked_text(source.text)).vector
    places = [columns.setdefault(gram, len(columns)) for gram in vector]
    return np.array(places, np.int32), np.array(list(vector.values()), np.float32)


def _matrix(rows: Iterable[Any], columns: int) -> Any:
    some = list(rows)
    starts = np.cumsum([0, *(len(places) for places, _ in some)])
    values = np.concatenate([weights for _, weights in some])
    places = np.concatenate([one for one, _ in some])
    return sparse.csr_matrix((values, places, starts), shape=(len(some), columns))

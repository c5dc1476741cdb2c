"""Whether two engines answer the same, where float32 sums may be taken in another order."""

from collections.abc import Sequence

from search.result import Hit

WITHIN = 1e-4


def close(one: float, other: float) -> bool:
    """Within 1e-4, of the score where it is above 1: float32 holds seven digits."""
    return abs(one - other) <= WITHIN * max(1.0, abs(one))


def complaint(left: Sequence[Hit], right: Sequence[Hit]) -> str:
    """What is wrong with two pages from the first hit on, "" if they agree: the same ids and
    versions, scores close, and the same order but for ties.

    Where both are cut, what is tied with the last hit may differ.
    """
    if len(left) != len(right):
        return f"{len(left)} and {len(right)} hits"
    scores = {hit.id: hit.score for hit in right}
    versions = {hit.id: hit.version for hit in right}
    last = left[-1].score if left else 0.0
    for place, hit in enumerate(left):
        if hit.id not in scores:
            if close(hit.score, last):
                continue
            return f"{hit} at {place} is in one alone"
        if hit.version != versions[hit.id]:
            return f"{hit} has version {versions[hit.id]} in the other"
        if not close(hit.score, scores[hit.id]):
            return f"{hit} at {place} scores {scores[hit.id]} in the other"
        if not close(hit.score, right[place].score):
            return f"{hit} stands where {right[place]} stands in the other"
    return ""

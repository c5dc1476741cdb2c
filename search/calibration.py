"""What a score means: how often people found pairs of such a score relevant, and from which score
on they did often enough to be told so.

The rate is fitted as a function that never falls with the score (isotonic regression); a band
begins where the fit reaches the band's rate. What a band keeps is measured on texts that had no
part in its beginning: by folds of wanted texts, same titles in one fold.
"""

import random
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from search.metrics import mean_ndcg
from search.rankfile import rank_pairs

FOLDS: Final = 5
LEAST_PAIRS: Final = 50
_DRAWS: Final = 2_000
_SEED: Final = 2019


@dataclass(frozen=True, slots=True)
class Judged:
    """A scored pair that people judged; pairs of one `group` are never parted by folds."""

    group: str
    score: float
    relevant: bool


@dataclass(frozen=True, slots=True)
class Band:
    """Scores from `least` on, below the next band.

    `pairs`, `relevant` and `rate` are of folds left out; 95% of resampled groups lie between `low`
    and `high`. `least` is None where the rate asked for was not kept, or by fewer than LEAST_PAIRS:
    there is no such band then, and its pairs belong to the next one.
    """

    name: str
    asked: float
    least: float | None
    pairs: int
    relevant: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """The bands, highest first, and of what they were measured."""

    bands: tuple[Band, ...]
    below: Band
    pairs: int
    groups: int
    relevant: int
    folds: int

    @property
    def floor(self) -> float:
        """The score from which a pair is in a band at all; above 1 where there is none."""
        found = [band.least for band in self.bands if band.least is not None]
        return min(found, default=2.0)

    def band(self, score: float) -> str:
        """The name of the band that a score is in, "" for none."""
        for band in self.bands:
            if band.least is not None and score >= band.least:
                return band.name
        return ""

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        return cls(
            bands=tuple(Band(**one) for one in stored["bands"]),
            below=Band(**stored["below"]),
            **{key: stored[key] for key in ("pairs", "groups", "relevant", "folds")},
        )


def judged(
    wanted: Sequence[Mapping[str, Any]],
    offered: Sequence[Mapping[str, Any]],
    pairs: Sequence[Mapping[str, Any]],
    *,
    wanted_key: str,
    offered_key: str,
    relevant_from: int,
) -> tuple[list[Judged], float]:
    """Score pairs that have a `level`; (as judged, NDCG@10). Raises BadLine, ValueError."""
    titles = {row["id"]: str(row.get("title") or "") for row in wanted}
    found: list[Judged] = []
    lists: dict[Any, list[tuple[float, int]]] = defaultdict(list)
    ranked = rank_pairs(wanted, offered, pairs, wanted_key=wanted_key, offered_key=offered_key)
    for pair, row in zip(pairs, ranked, strict=True):
        score, level = float(row["score"]), int(pair["level"])
        found.append(Judged(titles[pair[wanted_key]], score, level >= relevant_from))
        lists[pair[wanted_key]].append((score, level))
    return found, mean_ndcg(lists.values())


def fold_of(group: str, folds: int = FOLDS) -> int:
    """The fold of a group: the same on every machine, and for every set that has the group."""
    return zlib.crc32(group.encode()) % folds


def calibrate(pairs: Sequence[Judged], asked: Mapping[str, float]) -> Calibration:
    """Fit and measure the bands that are `asked` for: name → rate, highest first.

    Raises ValueError where a fold has no pair to learn from.
    """
    cuts = []
    for fold in range(FOLDS):
        learned = [one for one in pairs if fold_of(one.group) != fold]
        cuts.append(begins(learned, asked.values()))
    whole = begins(pairs, asked.values())
    rest, bands = list(pairs), list[Band]()
    for place, (name, rate) in enumerate(asked.items()):
        found: list[Judged] = []
        left: list[Judged] = []
        for one in rest:
            least = cuts[fold_of(one.group)][place]
            (found if least is not None and one.score >= least else left).append(one)
        kept = len(found) >= LEAST_PAIRS and sum(one.relevant for one in found) >= rate * len(found)
        bands.append(_band(name, rate, whole[place] if kept else None, found))
        if kept:
            rest = left
    return Calibration(
        bands=tuple(bands),
        below=_band("", 0.0, 0.0, rest),
        pairs=len(pairs),
        groups=len({one.group for one in pairs}),
        relevant=sum(one.relevant for one in pairs),
        folds=FOLDS,
    )


def begins(pairs: Sequence[Judged], rates: Iterable[float]) -> list[float | None]:
    """For each rate the lowest score from which the fitted rate is as high, None where it never is.

    Raises ValueError for no pairs.
    """
    blocks = _isotonic(pairs)
    return [next((least for least, fitted in blocks if fitted >= rate), None) for rate in rates]


def _isotonic(pairs: Sequence[Judged]) -> list[tuple[float, float]]:
    """(Lowest score, rate) of the steps of the rising function nearest to the judgements."""
    if not pairs:
        raise ValueError("nothing was judged")
    steps: list[tuple[float, int, int]] = []  # lowest score, relevant, pairs
    for one in sorted(pairs, key=lambda one: one.score):
        least, relevant, count = one.score, int(one.relevant), 1
        # Merge what would fall, and equal scores.
        while steps and (steps[-1][1] * count >= relevant * steps[-1][2] or steps[-1][0] == least):
            least, more, others = steps.pop()
            relevant, count = relevant + more, count + others
        steps.append((least, relevant, count))
    return [(least, relevant / count) for least, relevant, count in steps]


def _band(name: str, asked: float, least: float | None, found: Sequence[Judged]) -> Band:
    relevant = sum(one.relevant for one in found)
    low, high = _interval(found)
    return Band(
        name=name,
        asked=asked,
        least=least,
        pairs=len(found),
        relevant=relevant,
        rate=relevant / len(found) if found else 0.0,
        low=low,
        high=high,
    )


def _interval(found: Sequence[Judged]) -> tuple[float, float]:
    """95% of the rates of resampled groups: pairs of one wanted text are no independent draws."""
    groups: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for one in found:
        groups[one.group][0] += one.relevant
        groups[one.group][1] += 1
    if not groups:
        return 0.0, 1.0
    draw, counts = random.Random(_SEED), list(groups.values())  # noqa: S311  no secret
    rates = []
    for _ in range(_DRAWS):
        drawn = draw.choices(counts, k=len(counts))
        rates.append(sum(one[0] for one in drawn) / sum(one[1] for one in drawn))
    rates.sort()
    return rates[int(0.025 * _DRAWS)], rates[int(0.975 * _DRAWS)]

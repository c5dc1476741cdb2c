"""Bands of scores: how they are fitted and measured, and that those of the repository are so."""

import json
import os
import random
from pathlib import Path

import pytest

from market.discovery import bands
from search.calibration import FOLDS, LEAST_PAIRS, Judged, begins, calibrate, fold_of, judged

SHARED = Path(os.environ.get("ZHIHE_SHARED") or Path(__file__).parents[3] / "shared")
FOLDER = SHARED / "bench" / "relevance"
SEED = random.randrange(10**6)


def drawn(rate: dict[float, float], each: int, groups: int = 40) -> list[Judged]:
    """Pairs of each score, relevant at its rate, spread over groups."""
    print("seed", SEED)
    draw = random.Random(SEED)
    return [
        Judged(f"需求{n % groups}", score, draw.random() < share)
        for score, share in rate.items()
        for n in range(each)
    ]


def test_a_band_begins_where_the_fitted_rate_reaches_its_own() -> None:
    pairs = [Judged(str(n), n / 10, n >= 5) for n in range(10)]
    assert begins(pairs, [0.25, 0.55, 1.0]) == [0.5, 0.5, 0.5]
    falling = [Judged(str(n), n / 10, n < 5) for n in range(10)]
    assert begins(falling, [0.25, 0.55]) == [0.0, None]
    tied = [Judged(str(n), 0.5, n % 2 == 0) for n in range(10)]
    assert begins(tied, [0.5, 0.51]) == [0.5, None]
    with pytest.raises(ValueError, match="nothing"):
        begins([], [0.5])


def test_bands_are_measured_on_folds_left_out() -> None:
    found = calibrate(drawn({0.1: 0.05, 0.3: 0.4, 0.6: 0.9}, 400), {"high": 0.7, "mid": 0.2})
    high, mid = found.bands
    assert (high.least, mid.least) == (0.6, 0.3)
    assert (high.pairs, mid.pairs, found.below.pairs) == (400, 400, 400)
    assert high.low < high.rate < high.high
    assert found.band(0.6) == "high"
    assert found.band(0.59) == "mid"
    assert found.band(0.29) == ""
    assert found.floor == 0.3
    assert found.groups == 40
    assert found.folds == FOLDS == len({fold_of(f"需求{n}") for n in range(40)})


def test_a_band_that_does_not_keep_its_rate_is_none() -> None:
    """High scores of few pairs, or good on four folds by chance: such a band is not told of."""
    few = [Judged(f"需求{n}", 0.9, relevant=True) for n in range(LEAST_PAIRS - 1)]
    found = calibrate([*few, *drawn({0.3: 0.3}, 300)], {"high": 0.55, "mid": 0.2})
    assert found.bands[0].least is None
    assert found.bands[0].pairs == LEAST_PAIRS - 1
    assert found.band(0.9) == "mid", "its pairs belong to the next"
    nothing = calibrate(drawn({0.1: 0.05}, 300), {"high": 0.55})
    assert nothing.floor > 1
    assert nothing.band(1.0) == ""


@pytest.mark.skipif(
    not FOLDER.exists() and not os.environ.get("CI"), reason=f"no judged pairs in {FOLDER}"
)
def test_the_stored_bands_are_what_the_command_finds() -> None:
    demands, achievements, pairs = (
        [json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines()]
        for name in ("demands", "achievements", "pairs")
    )
    keys = {"wanted_key": "demand_id", "offered_key": "achievement_id"}
    found, ndcg = judged(demands, achievements, pairs, relevant_from=bands.RELEVANT, **keys)
    stored = bands.measured()
    again = bands.Measured(stored.on, stored.source, ndcg, calibrate(found, bands.ASKED))
    assert again.to_json() == stored.to_json()
    for one in (*again.calibration.bands, again.calibration.below):
        print(f"{one.name or 'below'}: {one.relevant} of {one.pairs}, {one.rate:.3f}")

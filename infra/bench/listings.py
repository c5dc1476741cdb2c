"""Listings made up from a seed, as many as are asked for, with words as unequal as real ones.

Nothing is taken from anybody's listings: titles and texts are put together from parts. The parts
are drawn with falling frequency (Zipf), because an index of evenly spread words flatters itself.
"""

import json
import random
from collections.abc import Iterator, Sequence
from itertools import accumulate, product
from pathlib import Path
from typing import Any

from market.catalog.vocabulary import FIELDS, Mode

_WORDS = json.loads(Path(__file__).with_name("words.json").read_text(encoding="utf-8"))
_MATERIALS, _OBJECTS, _METHODS, _ENDS = (
    _WORDS[name] for name in ("materials", "objects", "methods", "ends")
)
_SENTENCES = (
    "现有做法依赖人工，{o}难以及时发现，{m}的生产线因此停机。",
    "本项目以{d}为核心，对{m}的{o}进行连续测量，结果在{n}秒内给出。",
    "在{n}台套上连续运行，{o}由{a}%降到{b}%，能耗下降{b}%。",
    "已形成{m}样品{n}件，通过第三方检测，{o}满足用户要求。",
    "与{d}相比，成本约为三分之一，不改变原有工位布置。",
    "适用于{m}及同类产品，可与现有{e}对接，换型时间不超过{n}分钟。",
    "关键在于{d}与{d2}的结合，解决了{o}和{o2}互相牵制的问题。",
)


def queries(seed: int, number: int) -> list[str]:
    """Return what people might type: words of the listings, some with a term that none has."""
    draw = random.Random(seed)  # noqa: S311  measurements, not secrets
    kinds = ("{m}", "{o} {d}", "{m} {o}", '"{d}"', "{m}的{o}怎么解决", "{d} -{e}", "{m} 不曾有过")
    return [kinds[n % len(kinds)].format(**_parts(draw)) for n in range(number)]


def common() -> Sequence[str]:
    """Return the words that most listings say."""
    return [word for words in (_MATERIALS, _OBJECTS, _METHODS) for word in words[:6]]


def listings(size: int, seed: int, *, demands: bool = False) -> Iterator[dict[str, Any]]:
    """Yield rows of an import file in JSON lines, numbered from 1."""
    draw = random.Random(f"{seed}:{demands}")  # noqa: S311  measurements, not secrets
    for number in range(1, size + 1):
        yield _listing(draw, number, demands=demands)


def _listing(draw: random.Random, number: int, *, demands: bool) -> dict[str, Any]:
    parts = _parts(draw)
    low = draw.randrange(5, 400)
    told = [draw.choice(_SENTENCES).format(**_parts(draw)) for _ in range(draw.randrange(3, 9))]
    row: dict[str, Any] = {
        "own_number": f"{'D' if demands else 'A'}{number:07d}",
        "title": "{m}{o}{d}{e}".format(**parts) + f"（{number}）",
        "summary": "针对{m}的{o}，采用{d}，面向工程应用。".format(**parts),
        "keywords": [parts["m"], parts["o"], parts["d"]],
        "field": draw.choice(list(FIELDS)),
        "region": draw.choice(("500106", "500107", "500108", "500112")),
        "modes": [draw.choice(list(Mode)).value],
        "price": draw.choice(
            (
                {"form": "none"},
                {"form": "fixed", "low_fen": low * 1_000_000, "high_fen": low * 1_000_000},
            )
        ),
    }
    if demands:
        return row | {"problem": "".join(told), "need_maturity": draw.randrange(4, 9)}
    return row | {"body": "".join(told), "maturity_level": draw.randrange(2, 10)}


def _zipf(count: int) -> Sequence[float]:
    return list(accumulate(1 / (rank + 2) for rank in range(count)))


_WEIGHTS = {len(words): _zipf(len(words)) for words in (_MATERIALS, _OBJECTS, _METHODS, _ENDS)}
_JOINED = tuple(f"{a}{b}" for a, b in product(_OBJECTS[:12], ("特征", "信号", "指标")))


def _parts(draw: random.Random) -> dict[str, str]:
    def one(words: Sequence[str]) -> str:
        return draw.choices(words, cum_weights=_WEIGHTS[len(words)])[0]

    return {
        "m": one(_MATERIALS),
        "o": one(_OBJECTS),
        "o2": draw.choice(_JOINED),
        "d": one(_METHODS),
        "d2": one(_METHODS),
        "e": one(_ENDS),
        "n": str(draw.randrange(2, 200)),
        "a": f"{draw.uniform(2, 9):.1f}",
        "b": f"{draw.uniform(0.1, 2):.1f}",
    }

"""Why an achievement fits a demand and what speaks against it, in words for both sides.

A fact that one of the two does not state gives neither a reason nor a penalty. Contradictions
lower the order of a pair; agreement beyond the text never raises it, or whoever states less would
stand behind.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from market.catalog.schemas import AchievementText, DemandText, Price
from market.catalog.views import Source
from market.catalog.vocabulary import FIELDS, Mode, PriceBasis, PriceForm, region_name
from market.discovery.schemas import Verdict
from market.kit.money import wan_in_words
from search.explain import Explanation

SHARED_WORDS: Final = "共同词"
OTHER_FIELD: Final = 0.9
ONE_LEVEL_SHORT: Final = 0.9
LEVELS_SHORT: Final = 0.8
OVER_BUDGET: Final = 0.85
OTHER_MODES: Final = 0.95
_MISSING_NAMED: Final = 3
_MUNICIPALITIES: Final = frozenset({"11", "12", "31", "50"})  # 北京、天津、上海、重庆


@dataclass(frozen=True, slots=True)
class Reason:
    """One line: what was compared, whether it fits, in a word, and what both sides say."""

    subject: str
    verdict: Verdict
    text: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Reasons:
    """All that is known of a pair. `shared` are words of the demand, `missing` of its title and
    keywords.
    """

    shared: tuple[str, ...]
    missing: tuple[str, ...]
    why: tuple[Reason, ...]
    against: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        return cls(
            shared=tuple(stored["shared"]),
            missing=tuple(stored["missing"]),
            why=tuple(Reason(**one) for one in stored["why"]),
            against=tuple(stored["against"]),
        )


@dataclass(frozen=True, slots=True)
class _Finding:
    """A reason, by how much a contradiction lowers the order, and the sentence that says so."""

    reason: Reason
    factor: float = 1.0
    against: str = ""


def factor(demand: Source, achievement: Source) -> float:
    """Return by how much the stated facts of the two lower a pair: 1 where nothing contradicts."""
    product = 1.0
    for finding in _findings(demand, achievement):
        product *= finding.factor
    return product


def reasons(demand: Source, achievement: Source, words: Explanation) -> Reasons:
    findings = list(_findings(demand, achievement))
    shared = tuple(term.text for term in words.shared)
    missing = missing_words(demand, words)
    return Reasons(
        shared=shared,
        missing=missing,
        why=(_words(shared, missing), *(finding.reason for finding in findings)),
        against=tuple(finding.against for finding in findings if finding.against),
    )


def missing_words(demand: Source, words: Explanation) -> tuple[str, ...]:
    """Return what the demand's title or keywords ask for and the achievement does not name.

    A word that stands somewhere in a long description may well be no requirement.
    """
    asked = " ".join([demand.text.title, *demand.text.keywords])
    return tuple(term.text for term in words.missing if term.text in asked)[:_MISSING_NAMED]


def _words(shared: tuple[str, ...], missing: tuple[str, ...]) -> Reason:
    lacking = f"没有提到{'、'.join(missing)}" if missing else ""
    if not shared:
        return Reason(SHARED_WORDS, "part", "用字相近", lacking)
    evidence = "；".join(part for part in ("、".join(shared), lacking) if part)
    return Reason(SHARED_WORDS, "part" if missing else "yes", f"{len(shared)}个", evidence)


def _findings(demand: Source, achievement: Source) -> Iterator[_Finding]:
    wanted, offered = demand.text, achievement.text
    assert isinstance(wanted, DemandText)
    assert isinstance(offered, AchievementText)
    found = (
        _field(wanted.field, offered.field),
        _maturity(wanted.need_maturity, offered.maturity_level),
        _price(wanted.price, offered.price),
        _modes(wanted.modes, offered.modes),
        _region(demand.region, achievement.region),
    )
    return (finding for finding in found if finding is not None)


def _field(wanted: int | None, offered: int | None) -> _Finding | None:
    if wanted is None or offered is None:
        return None
    if wanted == offered:
        return _Finding(Reason("领域", "yes", "相同", FIELDS[wanted]))
    both = f"成果属{FIELDS[offered]}，需求属{FIELDS[wanted]}"
    return _Finding(Reason("领域", "no", "不同", both), OTHER_FIELD)


def _maturity(need: int | None, level: int | None) -> _Finding | None:
    if need is None or level is None:
        return None
    evidence = f"成果{level}级，要求不低于{need}级"
    short = need - level
    if short <= 0:
        return _Finding(Reason("成熟度", "yes", "够", evidence))
    return _Finding(
        Reason("成熟度", "part" if short == 1 else "no", f"差{short}级", evidence),
        ONE_LEVEL_SHORT if short == 1 else LEVELS_SHORT,
        f"成熟度{level}级，比要求的{need}级低{short}级",
    )


def _price(budget: Price, price: Price) -> _Finding | None:
    """Compare totals only: a yearly price says nothing of a budget for the whole."""
    top = budget.high_fen
    if top is None or price.form is PriceForm.NONE:
        return None
    if budget.basis is not PriceBasis.TOTAL or price.basis is not PriceBasis.TOTAL:
        return None
    evidence = f"价格{_money(price)}；预算{_money(budget)}"
    low, high = price.low_fen, price.high_fen
    if low is not None and low > top:
        return _Finding(
            Reason("价格", "no", "高于预算", evidence),
            OVER_BUDGET,
            f"价格最低{_wan(low)}，比预算上限高{_wan(low - top)}",
        )
    if high is not None and high <= top:
        return _Finding(Reason("价格", "yes", "在预算内", evidence))
    return _Finding(Reason("价格", "part", "可能在预算内", evidence))


def _modes(wanted: list[Mode], offered: list[Mode]) -> _Finding | None:
    want = [mode for mode in wanted if mode is not Mode.OTHER]
    offer = [mode for mode in offered if mode is not Mode.OTHER]
    if not want or not offer:
        return None
    if common := [mode for mode in want if mode in offer]:
        return _Finding(Reason("方式", "yes", "一致", "、".join(common)))
    evidence = f"成果：{'、'.join(offer)}；需求：{'、'.join(want)}"
    return _Finding(Reason("方式", "no", "不一致", evidence), OTHER_MODES)


def _region(wanted: str, offered: str) -> _Finding | None:
    if not wanted or not offered:
        return None
    if wanted == offered:
        return _Finding(Reason("地区", "yes", "相同", region_name(wanted)))
    evidence = f"成果在{region_name(offered)}，需求在{region_name(wanted)}"
    if wanted[:2] != offered[:2]:
        # Far apart is worth knowing and no contradiction: technology is bought across the country.
        return _Finding(Reason("地区", "none", "异地", evidence))
    one_city = wanted[:2] in _MUNICIPALITIES or wanted[:4] == offered[:4]
    return _Finding(Reason("地区", "part", "同市" if one_city else "同省", evidence))


def _money(price: Price) -> str:
    low, high = price.low_fen, price.high_fen
    if low is None:
        return f"{_wan(high)}以内"
    if high is None:
        return f"{_wan(low)}起"
    return _wan(low) if low == high else f"{_wan(low).removesuffix('万元')}～{_wan(high)}"


def _wan(fen: int | None) -> str:
    assert fen is not None  # the form of a price says which ends it has
    return wan_in_words(fen)

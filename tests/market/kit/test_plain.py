"""The parts of kit that need no database."""

from datetime import date

import pytest
from pydantic import TypeAdapter, ValidationError

from frontend.pages.deal_offer_forms import Percent as OfferPercent
from frontend.rates import Percent
from market.kit.money import fen_to_wan, wan_in_words, wan_to_fen
from market.kit.workdays import period_end, working_days_after


@pytest.mark.parametrize(
    ("typed", "fen"),
    [("120.5", 120_500_000), (" 1,200万元", 1_200_000_000), ("０.000001", 1), ("0", 0)],
)
def test_amounts_typed_in_wan_are_exact(typed: str, fen: int) -> None:
    assert wan_to_fen(typed) == fen
    assert wan_to_fen(fen_to_wan(fen)) == fen


@pytest.mark.parametrize(
    "typed",
    ["一百", "", "nan", "1e400", "1e999999", "1_000", "-1", "0.0000001", "9" * 30, "inf", "٣"],
)
def test_what_is_no_amount_is_said_so(typed: str) -> None:
    with pytest.raises(ValueError, match=r"太长|数字|最细到分|不能小于0"):
        wan_to_fen(typed)


@pytest.mark.parametrize("typed", ["1e900000", "1e999999", "9" * 30, "NaN", "1.234"])
def test_a_rate_is_a_number_of_a_few_digits(typed: str) -> None:
    """An exponent makes an integer that takes a process half a minute to write out."""
    with pytest.raises(ValidationError):
        TypeAdapter(OfferPercent).validate_python(typed)
    with pytest.raises(ValidationError):
        TypeAdapter(Percent).validate_python(typed)


@pytest.mark.parametrize(
    ("fen", "said"),
    [
        (0, "0万元"),
        (80_000_000, "80万元"),
        (1_000_000_000, "1,000万元"),
        (120_550_000_000, "120,550万元"),
        (1_205_500_000, "1,205.50万元"),
        (1, "0.000001万元"),
        (-500_000, "-0.50万元"),
    ],
)
def test_a_sentence_says_an_amount_to_the_fen(fen: int, said: str) -> None:
    assert wan_in_words(fen) == said


def test_period_ends_on_a_working_day() -> None:
    """民法典 203: a last day on a rest day rolls to the next working day."""
    rest = {date(2026, 11, 28), date(2026, 11, 29)}
    assert period_end(date(2026, 11, 12), 15, rest.__contains__) == date(2026, 11, 27)
    assert period_end(date(2026, 11, 13), 15, rest.__contains__) == date(2026, 11, 30)


def test_working_days_do_not_count_the_first() -> None:
    weekend = {date(2026, 11, 14), date(2026, 11, 15)}
    assert working_days_after(date(2026, 11, 13), 1, weekend.__contains__) == date(2026, 11, 16)

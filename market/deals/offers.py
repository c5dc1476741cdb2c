"""What an offer says, in structure: checked when it is made, compared with the one before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from market.catalog.vocabulary import Mode
from market.deals.models import Contract, Terms
from market.deals.models_negotiation import TermsInstalment
from market.deals.schemas import InstalmentIn, TermsIn
from market.deals.vocabulary import (
    LICENCES,
    PAY_METHODS,
    ROYALTY_BASES,
    ROYALTY_TRENDS,
    UNSPECIFIED_LICENCE,
    ContractType,
    Licence,
    PayMethod,
    RoyaltyBase,
    RoyaltyTrend,
)
from market.kit.errors import Invalid
from market.kit.money import wan_in_words

ROYALTIES = frozenset({PayMethod.ROYALTY, PayMethod.ROYALTY_ENTRY})
_LICENCES = {Mode.SOLE: Licence.SOLE, Mode.EXCLUSIVE: Licence.EXCLUSIVE, Mode.PLAIN: Licence.PLAIN}
_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that two versions say differently; "" where one of them says nothing."""

    label: str
    before: str
    after: str


def mode_of(form: TermsIn) -> Mode:
    """Return the mode that is meant: a licence of no stated kind is a plain one."""
    return Mode.PLAIN if form.mode == UNSPECIFIED_LICENCE else Mode(form.mode)


def licence_of(mode: str) -> Licence | None:
    """Return the kind of a licence, None for what is none."""
    return _LICENCES.get(Mode(mode))


def check(form: TermsIn) -> None:
    """Hold an offer together. Raises Invalid at the field that does not fit the others."""
    wrong: dict[str, str] = {}
    royalty = form.pay_method in ROYALTIES
    for name, given in (
        ("royalty_base", form.royalty_base is not None),
        ("royalty_rate", form.royalty_rate is not None),
    ):
        if royalty and not given:
            wrong[name] = "提成支付请写明提成的基数和比例，现在没有填"
        if given and not royalty:
            wrong[name] = f"{PAY_METHODS[form.pay_method]}没有提成，请不填或改付款方式"
    if form.pay_method is PayMethod.ROYALTY_ENTRY and form.entry_fen is None:
        wrong["entry_fen"] = "附加预付入门费的请填入门费，现在没有填"
    if form.entry_fen is not None:
        if form.pay_method is not PayMethod.ROYALTY_ENTRY:
            wrong["entry_fen"] = f"{PAY_METHODS[form.pay_method]}没有入门费，请不填或改付款方式"
        elif form.entry_fen > form.amount_fen:
            wrong["entry_fen"] = (
                f"入门费应不超过预计总额{wan_in_words(form.amount_fen)}，"
                f"现在是{wan_in_words(form.entry_fen)}"
            )
    if problem := _instalments_problem(form):
        wrong["instalments"] = problem
    if wrong:
        raise Invalid(fields=wrong)


def _instalments_problem(form: TermsIn) -> str:
    if form.pay_method is not PayMethod.INSTALMENTS:
        return "只有分期支付才分期，请不填或改付款方式" if form.instalments else ""
    if not form.instalments:
        return "分期支付请写明每期的金额和何时付"
    total = sum(one.amount_fen for one in form.instalments)
    if total != form.amount_fen:
        return f"各期合计应等于价款{wan_in_words(form.amount_fen)}，现在是{wan_in_words(total)}"
    return ""


def values(form: TermsIn) -> dict[str, Any]:
    """Return the columns of the row that an offer becomes."""
    royalty = form.pay_method in ROYALTIES
    return {
        "mode": mode_of(form),
        "amount_fen": form.amount_fen,
        "pay_method": form.pay_method,
        "entry_fen": form.entry_fen,
        "royalty_base": form.royalty_base,
        "royalty_rate": form.royalty_rate,
        "royalty_trend": (form.royalty_trend or RoyaltyTrend.FIXED) if royalty else None,
        "term_months": form.term_months,
        "territory": form.territory,
        "text": form.text,
    }


def rows(terms_id: int, parts: Sequence[InstalmentIn]) -> list[TermsInstalment]:
    return [
        TermsInstalment(terms_id=terms_id, position=n, amount_fen=one.amount_fen, due=one.due)
        for n, one in enumerate(parts, 1)
    ]


def points(contract: Contract, terms: Terms | None) -> list[tuple[str, str]]:
    """Return (label, words) of what a contract says by the terms that were agreed for it, which do
    not change any more: how it licenses, its royalty and entry fee, and where it holds.

    A licence of no stated kind is a plain one (民法典). A royalty agreed counts where the contract
    is paid in that way.
    """
    found = []
    if contract.type == ContractType.LIC:
        licence = licence_of(terms.mode) if terms else None
        found.append(("许可方式", LICENCES[licence or Licence.PLAIN]))
    if terms is None:
        return found
    if contract.pay_method in ROYALTIES and terms.pay_method == contract.pay_method:
        if terms.entry_fen:
            found.append(("入门费", wan_in_words(terms.entry_fen)))
        found.append(("提成", _royalty_words(terms)))
    if terms.territory:
        found.append(("地域", terms.territory))
    return found


def _royalty_words(terms: Terms) -> str:
    assert terms.royalty_base is not None
    assert terms.royalty_rate is not None
    trend = ROYALTY_TRENDS[RoyaltyTrend(terms.royalty_trend or RoyaltyTrend.FIXED)]
    base = ROYALTY_BASES[RoyaltyBase(terms.royalty_base)]
    return f"按{base}提成{percent(terms.royalty_rate)}（{trend}）"


def price_words(terms: Terms) -> str:
    """Return the price as a sentence says it: `入门费50万元，另按产品销售额提成3%（固定比例）`."""
    method = PayMethod(terms.pay_method)
    whole = wan_in_words(terms.amount_fen)
    if method not in ROYALTIES:
        return whole if method is PayMethod.LUMP else f"{whole}，分期支付"
    entry = f"入门费{wan_in_words(terms.entry_fen)}，另" if terms.entry_fen else ""
    return f"{entry}{_royalty_words(terms)}，预计共{whole}"


def percent(hundredths: int) -> str:
    """Return hundredths of a per cent as a person writes it: `30%`, `2.75%`."""
    return f"{Decimal(hundredths) / 100:.2f}".rstrip("0").rstrip(".") + "%"


def term_words(months: int | None) -> str:
    """Return a term as a person says it: `5年`, `18个月`; "" for none."""
    if months is None:
        return ""
    return f"{months // _MONTHS}年" if months % _MONTHS == 0 else f"{months}个月"


def facts(terms: Terms, parts: Sequence[TermsInstalment]) -> dict[str, str]:
    """Return everything that an offer says, by its label."""
    licence = licence_of(terms.mode)
    return {
        "合作方式": terms.mode,
        "许可方式": LICENCES[licence] if licence else "",
        "价款": price_words(terms),
        "付款方式": PAY_METHODS[PayMethod(terms.pay_method)],
        "分期": "；".join(f"{one.due}付{wan_in_words(one.amount_fen)}" for one in parts),
        "期限": term_words(terms.term_months),
        "地域": terms.territory,
        "其他条件": terms.text,
    }


def differences(
    before: Terms,
    before_parts: Sequence[TermsInstalment],
    after: Terms,
    after_parts: Sequence[TermsInstalment],
) -> tuple[Change, ...]:
    """Return what an offer says otherwise than the one before it."""
    old, new = facts(before, before_parts), facts(after, after_parts)
    return tuple(Change(label, old[label], new[label]) for label in new if old[label] != new[label])

"""Where a drafted contract leaves what both sides agreed, and the price that was found by law."""

from calendar import monthrange
from datetime import date, timedelta
from typing import Final

from market.accounts.work import Work
from market.catalog.vocabulary import Mode
from market.deals import clearance, offers, repository
from market.deals import repository_contracts as papers
from market.deals.models import Contract, Deal, PricingPath, Terms
from market.deals.offers import Change
from market.deals.vocabulary import (
    CONTRACT_TYPES,
    PAY_METHODS,
    ContractType,
    PayMethod,
    PricingPathKind,
)
from market.kit.money import wan_in_words

_LICENCE = ((ContractType.LIC, "专利实施许可"), (ContractType.LIC, "技术秘密使用许可"))
KINDS: Final[dict[Mode, tuple[tuple[ContractType, str], ...]]] = {
    Mode.PATENT_ASSIGNMENT: ((ContractType.TRF, "专利权"),),
    Mode.APPLICATION_ASSIGNMENT: ((ContractType.TRF, "专利申请权"),),
    Mode.SOLE: _LICENCE,
    Mode.EXCLUSIVE: _LICENCE,
    Mode.PLAIN: _LICENCE,
    Mode.JOINT: ((ContractType.DEV, "合作开发"), (ContractType.DEV, "委托开发")),
}
"""The types and sub-types of contract that carry out a mode, the usual one first. Other modes are
carried out by any.
"""


def ends_on(begins_on: date, months: int) -> date:
    """Return the last day of a term of whole months."""
    years, month = divmod(begins_on.month - 1 + months, 12)
    year = begins_on.year + years
    same = date(year, month + 1, min(begins_on.day, monthrange(year, month + 1)[1]))
    return same - timedelta(days=1)


def of(contract: Contract, terms: Terms | None, path: PricingPath | None) -> tuple[Change, ...]:
    """Return what a contract says otherwise than the agreed terms, and that it stands above the
    price that was publicised or reached (below it, it is not signed at all).

    The licence is the one of the terms, see `offers.points`; it is lost where the contract is none.
    """
    found = _from_terms(contract, terms) if terms is not None else []
    if path is not None and contract.total_fen > clearance.price_of(path):
        agreement = path.path == PricingPathKind.AGREEMENT
        label = "公示的拟定价" if agreement else "挂牌或拍卖的成交价"
        price = wan_in_words(clearance.price_of(path))
        found.append(Change(label, price, wan_in_words(contract.total_fen)))
    return tuple(found)


def _from_terms(contract: Contract, terms: Terms) -> list[Change]:
    found = []
    if contract.total_fen != terms.amount_fen:
        amounts = wan_in_words(terms.amount_fen), wan_in_words(contract.total_fen)
        found.append(Change("价款", *amounts))
    if contract.pay_method != terms.pay_method:
        ways = (PAY_METHODS[PayMethod(one.pay_method)] for one in (terms, contract))
        found.append(Change("付款方式", *ways))
    kinds = KINDS.get(Mode(terms.mode), ())
    if kinds and (contract.type, contract.sub_type) not in kinds:
        kind = f"{CONTRACT_TYPES[ContractType(contract.type)]}，{contract.sub_type}"
        label = "许可方式" if offers.licence_of(terms.mode) else "合作方式"
        found.append(Change(label, terms.mode, kind))
    if terms.term_months is not None and not _runs(contract, terms.term_months):
        runs = f"{contract.begins_on}至{contract.ends_on}"
        found.append(Change("期限", offers.term_words(terms.term_months), runs))
    return found


def _runs(contract: Contract, months: int) -> bool:
    """Return whether a contract runs so many months: to the day before, or the same day."""
    last = ends_on(contract.begins_on, months)
    return contract.ends_on in (last, last + timedelta(days=1))


def of_draft(work: Work, deal: Deal, contract: Contract) -> tuple[Change, ...]:
    """Return the departures of a deal's draft from its newest terms and its pricing path."""
    terms = next(iter(repository.terms_of(work.session, [deal.id])), None)
    return of(contract, terms, papers.live_pricing(work.session, deal.id))


def in_words(changes: tuple[Change, ...]) -> str:
    return "；".join(f"{one.label}原为{one.before}，合同为{one.after}" for one in changes)

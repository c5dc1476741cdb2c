"""When a price found by law clears the way to the contract (促进科技成果转化法 18).

协议定价 is publicised for as many days as the rule in force says, 15 by 国发〔2016〕16号: begun on
D it runs D+1 … D+15, a last day that is no working day rolls forward, and a contract may be signed
from the next day.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from market.accounts import repository as accounts
from market.accounts.work import Work
from market.catalog.vocabulary import Mode
from market.deals import repository
from market.deals import repository_contracts as papers
from market.deals import repository_negotiation as beside
from market.deals import repository_objections as objections
from market.deals.models import Contract, Deal, PricingPath
from market.deals.vocabulary import (
    PATHS,
    PRICED_TYPES,
    STOP_REASONS,
    ContractType,
    PricingPathKind,
    PricingState,
    StopReason,
)
from market.kit.money import wan_in_words
from market.kit.workdays import period_end
from market.rules import service as rules
from market.rules.calendar import Calendar

UNPRICED_MODES = frozenset({Mode.JOINT, Mode.OTHER})


@dataclass(frozen=True, slots=True)
class Term:
    """The days of one 公示. `provisional`: the official holiday table does not reach so far."""

    published_on: date
    ends_on: date
    earliest_signing: date
    provisional: bool

    def day(self, today: date) -> int:
        """Return which day of the 公示 it is; 0 on the day of publication, which is not counted."""
        return (today - self.published_on).days

    def left(self, today: date) -> int:
        return max((self.ends_on - today).days, 0)


def last_day(published_on: date, days: int, calendar: Calendar) -> date:
    """Return the last day of a 公示 of so many days, with the holidays known now."""
    return period_end(published_on, days, calendar.is_rest_day)


def term(row: PricingPath, calendar: Calendar) -> Term:
    """Return the days of a 公示, counted with the holidays known now."""
    assert row.published_on is not None
    assert row.days is not None
    last = last_day(row.published_on, row.days, calendar)
    return Term(
        published_on=row.published_on,
        ends_on=last,
        earliest_signing=last + timedelta(days=1),
        provisional=calendar.provisional(last),
    )


def applies(contract_type: str | None, mode: str | None, *, founded: bool) -> bool:
    """Return whether a price found by law is needed: a seller is `founded` by the state and
    assigns or licenses, by what was agreed or by what is drafted.

    Either is enough: a licence that is called a development in the draft stays one. With neither it
    is taken to be needed.
    """
    if not founded:
        return False
    if contract_type is not None and ContractType(contract_type) in PRICED_TYPES:
        return True
    return mode not in UNPRICED_MODES


def running(row: PricingPath | None) -> bool:
    """Return whether a path is a 公示 whose days count: not stopped, and no exchange's."""
    return row is not None and row.state in (PricingState.PUBLICISED, PricingState.CLEARED)


def clear(work: Work, deal: Deal) -> None:
    """Clear the deal's 公示 where it has one that ran out; `signing_obstacle` found nothing."""
    row = papers.live_pricing(work.session, deal.id)
    if row is None or row.state != PricingState.PUBLICISED:
        return
    if work.today < term(row, rules.calendar(work.session)).earliest_signing:
        return  # of a type of contract that needs no 公示
    if objections.open_of(work.session, [row.id]):
        return
    papers.move_pricing(
        work.session, row, PricingState.PUBLICISED, PricingState.CLEARED, cleared_on=work.today
    )


def stop(work: Work, row: PricingPath, reason: StopReason, note: str = "") -> str:
    """Stop a path that may be; return what the timeline says of it. Raises Conflict."""
    papers.move_pricing(
        work.session,
        row,
        PricingState(row.state),
        PricingState.STOPPED,
        stop_reason=reason,
        stop_note=note,
        stopped_on=work.today,
    )
    what = "公示" if row.path == PricingPathKind.AGREEMENT else PATHS[PricingPathKind(row.path)]
    return f"{what}终止，{STOP_REASONS[reason]}"


def price_of(row: PricingPath) -> int:
    """Return the price, in fen, that was reached on the exchange or else is publicised."""
    return row.price_fen if row.dealt_fen is None else row.dealt_fen


def below_price(row: PricingPath, contract: Contract) -> bool:
    return contract.total_fen < price_of(row)


def signing_obstacle(work: Work, deal: Deal, contract: Contract) -> str | None:
    """Return why the contract may not be signed today, as a sentence, or None.

    It may not be signed for less than the price that was publicised or reached: 公示 of one price
    would vouch for another.
    """
    if obstacle := _share_obstacle(work, deal):
        return obstacle
    founded = bool(beside.state_founded(work.session, [deal.id]))
    if not applies(contract.type, _agreed_mode(work, deal), founded=founded):
        return None
    row = papers.live_pricing(work.session, deal.id)
    if row is None:
        return (
            "卖方里有国家设立的单位，转让、许可成果前应先选定定价方式（协议定价、挂牌交易或拍卖）"
        )
    if obstacle := _path_obstacle(work, row):
        return obstacle
    if below_price(row, contract):
        return (
            f"合同成交额{wan_in_words(contract.total_fen)}，"
            f"低于定价{wan_in_words(price_of(row))}；"
            "请按定价改写合同，或终止定价，双方商定新的价格后重新定价"
        )
    return None


def _agreed_mode(work: Work, deal: Deal) -> str | None:
    terms = repository.terms_of(work.session, [deal.id])
    return terms[0].mode if terms else None


def _path_obstacle(work: Work, row: PricingPath) -> str | None:
    if row.state == PricingState.LISTED:
        return f"{PATHS[PricingPathKind(row.path)]}还没有成交，成交后才能签约"
    if not running(row):
        return None
    if standing := objections.open_of(work.session, [row.id]):
        return f"公示收到{len(standing)}件异议还没有处理，处理后才能签约"
    days = term(row, rules.calendar(work.session))
    if work.today < days.earliest_signing:
        return f"公示到{days.ends_on}结束，最早{days.earliest_signing}可以签约，今天是{work.today}"
    return None


def _share_obstacle(work: Work, deal: Deal) -> str | None:
    waiting = [
        party.organisation_id
        for party in beside.further_parties(work.session, deal.id)
        if party.share is not None and party.confirmed_version != deal.terms_version
    ]
    if not waiting:
        return None
    names = accounts.organisations(work.session, waiting)
    return f"{'、'.join(names[one].name for one in waiting)}还没有确认份额，确认后才能签约"

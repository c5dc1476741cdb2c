"""The broker clause inside a technology contract: written by either side on the draft, and counted
once both have agreed to the same version before it is signed.
"""

from typing import Any

from market.access.schemas import FeeIn, fee_problems
from market.accounts import repository as accounts
from market.accounts.models import Organisation
from market.accounts.policy import Action
from market.accounts.work import Work
from market.brokerage import repository
from market.brokerage.models import BrokerClause
from market.brokerage.schemas import ClauseIn
from market.brokerage.service import brokers_of
from market.deals import repository_contracts as papers
from market.deals import service as deals
from market.deals.models import Contract, Deal
from market.deals.vocabulary import ContractState
from market.kit.errors import Conflict, Invalid
from market.kit.ids import OrganisationId, PublicId

OVERTAKEN = "这一条刚被对方改过，请看过最新的再改"


def clause(work: Work, deal_id: PublicId) -> BrokerClause | None:
    """Return the clause of the deal's present contract. Raises NotFound."""
    return of_deal(work, deals.find(work, deal_id))


def of_deal(work: Work, deal: Deal) -> BrokerClause | None:
    contract = papers.live_contracts(work.session, [deal.id]).get(deal.id)
    return None if contract is None else _standing(work, contract)


def _standing(work: Work, contract: Contract) -> BrokerClause | None:
    """Return the clause of a contract; a draft goes on from that of the draft which it replaced, to
    which nobody has agreed in it. Such a one is no row yet: it has no id.
    """
    row = repository.clause(work.session, contract.id)
    if row is not None or contract.state != ContractState.DRAFTED:
        return row
    before = repository.newest_clause(work.session, contract.deal_id)
    if before is None:
        return None
    values = before.model_dump(exclude={"id", "contract_id", "seller_agreed", "buyer_agreed"})
    return BrokerClause(contract_id=contract.id, **values)


def named(work: Work, row: BrokerClause) -> list[tuple[Organisation, int]]:
    """Return the brokers of a clause with their weights."""
    ids = [OrganisationId(one["organisation"]) for one in row.brokers]
    names = accounts.organisations(work.session, ids)
    return [(names[one], row.brokers[place]["weight"]) for place, one in enumerate(ids)]


def _drafted(work: Work, deal: Deal) -> Contract:
    contract = papers.live_contracts(work.session, [deal.id]).get(deal.id)
    if contract is None:
        raise Conflict("还没有合同草稿，起草后再写经理人条款")
    if contract.state == ContractState.SIGNED:
        raise Conflict("合同已经签订，经理人条款不能再改")
    return contract


def write(work: Work, deal_id: PublicId, form: ClauseIn) -> BrokerClause:
    """Write the clause of the present draft; who writes it agrees to it.

    Raises NotFound, Forbidden, Conflict, Invalid at `brokers` and the fields of the fee.
    """
    deal, _ = deals.step(work, deal_id, Action.CLAUSE_WRITE)
    side = deals.side_of(work, deal)
    contract = _drafted(work, deal)
    wrong = fee_problems(form)
    if form.cost_fen:
        wrong["cost_fen"] = "合同签订就是促成，这里不用写未促成的费用"
    if wrong:
        raise Invalid(fields=wrong)
    brokers = brokers_of(work, form.brokers)
    values = {
        **form.model_dump(include=set(FeeIn.model_fields) - {"cost_fen"}),
        "brokers": [{"organisation": who, "weight": weight} for who, weight in brokers],
        "version": form.seen + 1,
        "seller_agreed": 0,
        "buyer_agreed": 0,
        f"{side}_agreed": form.seen + 1,
        "written_by": work.actor.person,
        "written_at": work.now,
    }
    row = _standing(work, contract)
    if form.seen != (row.version if row else 0):
        raise Conflict(OVERTAKEN)
    if row is None:
        row = BrokerClause(contract_id=contract.id, **values)
        work.session.add(row)
        work.session.flush()
    else:
        row = _put(work, row, form.seen, values)
    deals.tell(work, deal, "clause", f"{deals.SIDE_NAMES[side]}写了经理人条款")
    deals.tell_other(work, deal, "deal.clause", "经理人条款待确认", round=row.version)
    return row


def agree(work: Work, deal_id: PublicId, version: int) -> BrokerClause:
    """Agree to the clause that was read. Twice is once. Raises NotFound, Forbidden, Conflict."""
    deal, _ = deals.step(work, deal_id, Action.CLAUSE_WRITE)
    side = deals.side_of(work, deal)
    row = _standing(work, _drafted(work, deal))
    if row is None or row.version != version:
        raise Conflict(OVERTAKEN)
    row = _put(work, row, version, {f"{side}_agreed": version})
    deals.tell(work, deal, "clause", f"{deals.SIDE_NAMES[side]}确认经理人条款")
    return row


def _put(work: Work, row: BrokerClause, seen: int, values: dict[str, Any]) -> BrokerClause:
    """Write what changes in a clause whose version `seen` stands, as a row if it is none yet."""
    if row in work.session:
        repository.change_clause(work.session, row.id, seen, **values)
        work.session.refresh(row)
        return row
    row = BrokerClause(**row.model_dump(exclude={"id"}) | values)
    work.session.add(row)
    work.session.flush()
    return row

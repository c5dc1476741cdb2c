"""Signed contracts and registrations to test counting on, without the way there."""

import io
import itertools
from dataclasses import dataclass
from datetime import date, timedelta

from market.accounts.models import Organisation
from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import Actor, Parts
from market.catalog.models import Listing, ListingState
from market.catalog.vocabulary import ListingKind
from market.deals.models import Contract, ContractLine, Deal
from market.deals.vocabulary import ContractState, ContractType, DealState, LineKind, PayMethod
from market.kit.ids import new_public_id
from market.ledger.models import Transaction
from market.ledger.schemas import Slice
from market.ledger.service import lines
from market.registry import service
from market.registry.items import Items
from market.registry.repository import Filed
from market.registry.schemas import DecideIn, SubmitIn
from tests import factories
from tests.support.market import read_for, work_for

WAN = 1_000_000
_COUNTER = itertools.count(1)


def number(n: int | None = None) -> str:
    """Return a registration number of the demonstration's range."""
    return f"0000{n or next(_COUNTER):012d}"


@dataclass(frozen=True)
class Sides:
    """A seller and a buyer with someone to act for each, and an officer."""

    seller: Organisation
    buyer: Organisation
    seller_actor: Actor
    buyer_actor: Actor
    officer: Actor


def sides(parts: Parts, *, seller_region: str = "500106", buyer_region: str = "500106") -> Sides:
    seller = factories.organisation(parts, region=seller_region)
    buyer = factories.organisation(parts, OrganisationKind.COMPANY, region=buyer_region)
    return Sides(
        seller,
        buyer,
        factories.actor(parts, Role.MANAGER, seller),
        factories.actor(parts, Role.MANAGER, buyer),
        factories.actor(parts, Role.OFFICER),
    )


def signed_contract(
    parts: Parts,
    pair: Sides,
    *,
    project: str | None = None,
    total: int = 120 * WAN,
    technical: int = 100 * WAN,
    kind: ContractType = ContractType.DEV,
    sub_type: str = "委托开发",
    field: int = 3,
    signed_on: date = date(2025, 1, 2),
    public: bool = False,
    state: ContractState = ContractState.SIGNED,
    pay_method: PayMethod = PayMethod.LUMP,
) -> Contract:
    """Return a contract as the deal's end leaves it."""
    n = next(_COUNTER)
    now = parts.clock.now()
    person = pair.seller_actor.person
    listing = Listing(
        public_id=new_public_id(),
        kind=ListingKind.ACHIEVEMENT,
        organisation_id=pair.seller.id,
        state=ListingState.PRIVATE,
        created_at=now,
        updated_at=now,
    )
    with parts.database.write() as session:
        session.add(listing)
        session.flush()
        deal = Deal(
            public_id=new_public_id(),
            number=f"N-2026-{n:05d}",
            title=project or f"示范项目{n}",
            seller_id=pair.seller.id,
            buyer_id=pair.buyer.id,
            achievement_id=listing.id,
            state=DealState.AGREED,
            concluded_at=now,
            created_at=now,
            updated_at=now,
        )
        session.add(deal)
        session.flush()
        contract = Contract(
            public_id=new_public_id(),
            deal_id=deal.id,
            state=state,
            type=kind,
            sub_type=sub_type,
            project_name=project or f"示范项目{n}",
            field=field,
            seller_id=pair.seller.id,
            buyer_id=pair.buyer.id,
            seller_name=pair.seller.name,
            buyer_name=pair.buyer.name,
            seller_region=pair.seller.region,
            buyer_region=pair.buyer.region,
            total_fen=total,
            technical_fen=technical,
            pay_method=pay_method,
            begins_on=signed_on,
            ends_on=signed_on + timedelta(days=365),
            signed_on=signed_on if state is ContractState.SIGNED else None,
            seller_agrees_public=public,
            buyer_agrees_public=public,
            drafted_by=person,
            created_at=now,
        )
        session.add(contract)
        session.flush()
        amounts = [(LineKind.TECHNICAL, technical), (LineKind.NON_TECHNICAL, total - technical)]
        session.add_all(
            ContractLine(
                contract_id=contract.id,
                position=place,
                name=f"明细{place}",
                kind=line,
                amount_fen=fen,
            )
            for place, (line, fen) in enumerate(amounts, start=1)
            if fen
        )
    return contract


def sign(parts: Parts, contract: Contract, on: date = date(2025, 1, 2)) -> None:
    """Let a drafted contract be signed."""
    with parts.database.write() as session:
        row = session.get_one(Contract, contract.id)
        row.state, row.signed_on = ContractState.SIGNED, on
        session.add(row)


def scan(text: str) -> service.Upload:
    """Return a contract's file that no other contract has."""
    return service.Upload("合同.pdf", io.BytesIO(f"%PDF-1.7 {text}".encode()))


TOLD = Items(related=False, plan="none", ipr="secret")
"""What a seller adds to what is known."""


def submitted(parts: Parts, pair: Sides, contract: Contract | None = None) -> Filed:
    contract = contract or signed_contract(parts, pair)
    with work_for(parts, pair.seller_actor) as work:
        form = SubmitIn(contract=contract.public_id)
        return service.submit(work, form, scan(contract.public_id), TOLD)


def decision(filed: Filed, **changes: object) -> DecideIn:
    """Return the decision that takes the contract as applied for."""
    values: dict[str, object] = {
        "decision": "registered",
        "number": number(),
        "decided_on": date(2026, 11, 2),
        "total_fen": filed.contract.total_fen,
        "technical_fen": filed.contract.technical_fen,
    }
    return DecideIn(**(values | changes))


def decided(parts: Parts, pair: Sides, filed: Filed, **changes: object) -> Filed:
    with work_for(parts, pair.officer) as work:
        return service.decide(work, filed.row.public_id, decision(filed, **changes))


def registered(
    parts: Parts, pair: Sides, *, on: date = date(2026, 11, 2), **contract: object
) -> Filed:
    """Return a contract that counts since `on`."""
    paper = signed_contract(parts, pair, **contract)
    return decided(parts, pair, submitted(parts, pair, paper), decided_on=on)


def transactions(parts: Parts) -> list[Transaction]:
    """Return all that was posted, in order."""
    with read_for(parts, Actor()) as work:
        found = lines(work.session, Slice(), limit=10_000)
    return sorted(found, key=lambda row: row.seq)

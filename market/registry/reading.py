"""What stands at the desk, for those who may see it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO

from market.access import mandates
from market.accounts.policy import Action, OrganisationKind, Relation, Role
from market.accounts.work import Work
from market.deals import repository_contracts as contracts
from market.deals.models import ContractLine
from market.kit.errors import NotFound
from market.kit.files import StoredFile
from market.kit.ids import ContractId, PublicId
from market.registry import certificate, reader, repository
from market.registry.models import Registration, RegistrationEvent
from market.registry.repository import Filed
from market.registry.states import AT_THE_DESK, EDGES, RegistrationState, Step
from market.registry.vocabulary import REGISTRY
from market.rules import service as rules
from market.rules import versions
from market.rules.calendar import Calendar
from market.rules.ruleset import RuleBook, Version

S = RegistrationState
PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Desk:
    """What the officer needs to decide on one registration; at most ten others alike in
    `same_parties`: of the same two, or by another seller of the same buyer, day and sum.
    """

    filed: Filed
    lines: tuple[ContractLine, ...]
    same_parties: tuple[Filed, ...]
    undone: tuple[Registration, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """Until when the bureau has to decide, by which version. `begun`: it was accepted; before
    that the days count from the day of the latest file. `provisional`: the holiday table does not
    reach so far (暂定). `left` working days are left today, negative once it is late.
    """

    version: Version
    days: int
    decide_by: date
    begun: bool
    provisional: bool
    long: bool


def terms(session_book: RuleBook, calendar: Calendar, filed: Filed) -> Term:
    """Return the deadline of what waits for the bureau, with the days and rules known now."""
    row, contract = filed.row, filed.contract
    assert contract.signed_on is not None
    version = session_book.at(contract.signed_on)
    begins = row.accepted_on or row.handed_in_on
    assert begins is not None
    days = version.rules.days_to_decide(contract.technical_fen, disputed=row.disputed)
    last = version.rules.last_day(
        begins, contract.technical_fen, calendar.is_rest_day, disputed=row.disputed
    )
    return Term(
        version=version,
        days=days,
        decide_by=last,
        begun=row.accepted_on is not None,
        provisional=calendar.provisional(last),
        long=days != version.rules.decide_days,
    )


def term_of(work: Work, filed: Filed) -> Term | None:
    """Return the deadline of a registration that waits for the bureau, else None."""
    if filed.row.state not in AT_THE_DESK:
        return None
    return terms(versions.book(work.session), rules.calendar(work.session), filed)


def version_of(work: Work, filed: Filed) -> Version:
    """Return the rules that a contract goes by: those in force on its signing date."""
    assert filed.contract.signed_on is not None
    return versions.book(work.session).at(filed.contract.signed_on)


def get(work: Work, public_id: PublicId) -> Filed:
    """Return a registration to its parties, their brokers and the bureau. Raises NotFound."""
    return seen(work, public_id)[0]


def seen(work: Work, public_id: PublicId) -> tuple[Filed, Relation]:
    """Return what the actor reads of a registration, and what it is to it. Raises NotFound.

    What was never handed in is the seller's alone.
    """
    found = repository.by_public_id(work.session, public_id)
    if found is None:
        raise NotFound
    found, related = reader.of(work, found)
    private = found.row.handed_in_on is None and related is not Relation.OWN
    if private or not work.may(Action.REGISTRATION_VIEW, related):
        raise NotFound
    return found, related


def steps_of(work: Work, filed: Filed, related: Relation) -> list[Step]:
    """Return the steps that the actor may take now, by the one table."""
    if filed.reads_only:
        return []
    state = RegistrationState(filed.row.state)
    return [
        step
        for step, edges in EDGES.items()
        if state in edges.origins and work.may(edges.action, related)
    ]


def registrations(
    work: Work, state: RegistrationState | None = None, page: int = 1
) -> tuple[list[Filed], int]:
    """Return a page of PAGE_SIZE and the number of all: everyone's for the bureau, else one's own.

    A broker sees those of its principals. Those waiting come oldest first. Drafts are listed to
    their seller alone.
    """
    as_seller = as_buyer = None
    if work.actor.kind is OrganisationKind.AGENCY:
        served = mandates.served(work)
        as_seller, as_buyer = set(served.sellers), set(served.buyers)
    elif work.actor.role is not Role.OFFICER:
        as_seller = as_buyer = {work.actor.organisation}
    agency = work.actor.kind is OrganisationKind.AGENCY
    rows, total = repository.page(
        work.session,
        as_seller=as_seller,
        as_buyer=as_buyer,
        drafts_of=None if as_seller is None or agency else work.actor.organisation_id,
        further=None if as_seller is None else work.actor.organisation_id,
        state=state,
        limit=PAGE_SIZE,
        offset=(page - 1) * PAGE_SIZE,
    )
    return [filed for filed, _ in reader.of_many(work, rows)], total


def newest_of(work: Work, contract_ids: Collection[ContractId]) -> dict[ContractId, Registration]:
    """Return the newest registration of each contract that has one, for pages that show the
    contract; one that was only prepared is its seller's and not among them. The caller has checked
    that the actor may see the contracts; one that left a contract reads of it what it may.
    """
    found = repository.newest_of_contracts(work.session, contract_ids)
    changed = [row.id for row in found.values() if row.changes]
    moved = repository.by_ids(work.session, changed) if changed else []
    for filed, _ in reader.of_many(work, moved):
        found[filed.contract.id] = filed.row
    return found


def counts(work: Work) -> dict[str, int]:
    """Return how many registrations stand in each state. For the bureau."""
    work.require(Action.REGISTRATION_DECIDE, Relation.OTHER)
    return repository.counts(work.session)


def desk(work: Work, public_id: PublicId) -> Desk:
    """Return what is needed to decide. Raises NotFound, Forbidden."""
    filed = get(work, public_id)
    work.require(Action.REGISTRATION_DECIDE, Relation.OTHER)
    return Desk(
        filed=filed,
        lines=tuple(contracts.lines_of(work.session, filed.contract.id)),
        same_parties=tuple(repository.others_of_parties(work.session, filed.contract, 10)),
        undone=tuple(repository.undone_of_contract(work.session, filed.contract.id)),
    )


def events(work: Work, filed: Filed) -> Sequence[RegistrationEvent]:
    """Return the steps of a registration that the actor was shown, in their order."""
    found = repository.events(work.session, filed.row)
    return [one for one in found if filed.until is None or one.place <= filed.until]


def file_of(work: Work, filed: Filed) -> StoredFile | None:
    """Return the contract's file as it was handed in last."""
    return repository.file_of(work.session, filed.row)


def open_file(work: Work, public_id: PublicId) -> tuple[StoredFile, BinaryIO]:
    """Return the contract's file for download, to its parties and the bureau; the caller closes
    it. Raises NotFound.
    """
    filed, related = seen(work, public_id)
    work.require(Action.REGISTRATION_FILE, related)
    stored = file_of(work, filed)
    if stored is None:
        raise NotFound
    return stored, work.parts.files.open(stored.sha256)


def withdrawn_holder(work: Work, number: str) -> Filed | None:
    """Return the undone registration that held a number last, which a new one has to name."""
    return repository.last_withdrawn_with_number(
        work.session, REGISTRY, certificate.normalise_number(number)
    )

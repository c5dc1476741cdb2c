"""Bringing in contracts that were registered elsewhere: the import kind “已登记合同”.

Each row is one balanced entry of the ledger, dated by its registration day. Everything that posts
locks the book first; so a chunk looks up under the lock what counts already, explains it row by
row, and posts the rest in a handful of statements. The ledger's unique constraint decides.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlmodel import Session

from market.accounts.models import Organisation
from market.kit.clock import local_date
from market.kit.ids import OrganisationId, PersonId, PublicId, new_public_id
from market.kit.intake import Column, Context, Done, Effect, Fault, Given, Outcome
from market.ledger import service as ledger
from market.ledger.schemas import OUTSIDE, Posting, Reversal, Subject
from market.registry import certificate, kept, past_rows, repository_past
from market.registry.models import Cause, PastRegistration, PastState
from market.registry.past_columns import COLUMNS, LABELS
from market.registry.past_rows import Party, Told
from market.registry.vocabulary import REGISTRY

CHANGED = (
    "编号{number}已经计入，内容与这一行不同（{columns}）。已计入的不改写："
    "请在历史登记里冲回原来的一笔，再导入更正后的一行"
)
COUNTED_HERE = "编号{number}已在本站登记，一个编号只计一次，不用导入；已注销、撤销的编号不能再用"
SAME_CONTRACT = (
    "与编号{number}的双方、项目、签订日和成交额都相同，一份合同只登记一次；"
    "确是两份合同的，请在项目名称里写明区别"
)
FILED_HERE = "双方、项目、签订日和成交额都相同的合同已在本站提交登记，一份合同只登记一次"
MET = "编号{number}在第{row}行已经有了，一个编号只能有一行"
NO_REGION = "必须填写，现在是空的；卖方是本站已核验的机构时可以不填"
CANCELLED = "编号{number}的登记已经注销或撤销，这个编号不能再用"
TAKEN_OUT = "编号{number}已另行冲回，不用再撤销"
UNDONE = "撤销导入"


@dataclass(frozen=True, slots=True)
class _Side:
    """A party as it counts: an organisation of the market, or OUTSIDE."""

    id: OrganisationId
    region: str


@dataclass(frozen=True, slots=True)
class _Standing:
    """What counts already, or was ended, of the numbers and contracts that a chunk speaks of."""

    past: Mapping[str, PastRegistration]
    native: Collection[str]
    cancelled: Collection[str]
    past_marks: Mapping[str, str]
    native_marks: Collection[str]


class Contracts:
    """The import kind of contracts registered elsewhere; `demo` lets numbers of 0000… in."""

    name = "contracts"
    title = "已登记合同"
    columns: Sequence[Column] = COLUMNS

    def __init__(self, *, demo: bool) -> None:
        self._demo = demo

    def bring_in(
        self, session: Session, context: Context, rows: Sequence[Given]
    ) -> Sequence[Outcome]:
        today = local_date(context.at)
        outcomes: dict[int, Outcome] = {}
        told: dict[str, Told] = {}
        headings = {given.row: given.headings for given in rows}
        for given in rows:
            found = past_rows.read(given, today=today, demo=self._demo)
            if not isinstance(found, Told):
                outcomes[given.row] = Outcome(given.row, Effect.REFUSED, tuple(found))
            elif found.number in told:
                first = told[found.number].row
                fault = _fault(given.headings, MET.format(number=found.number, row=first))
                outcomes[given.row] = Outcome(given.row, Effect.REFUSED, (fault,))
            else:
                told[found.number] = found
        for key, row in context.met(list(told)).items():
            one = told.pop(key)
            fault = _fault(headings[one.row], MET.format(number=key, row=row))
            outcomes[one.row] = Outcome(one.row, Effect.REFUSED, (fault,))
        if told:
            outcomes |= _Chunk(session, context).write(list(told.values()), headings)
        return [outcomes[given.row] for given in rows]

    def understood(self, row: Given) -> Mapping[str, str]:
        return past_rows.understood(row, today=date.max, demo=self._demo)

    def undo(self, session: Session, context: Context, done: Sequence[Done]) -> Mapping[int, str]:
        """Take out what a run brought in, as if it had never been counted."""
        ledger.lock(session)
        ids = [one.subject_id for one in done]
        staying = dict(context.depends(ids))
        going = []
        for row in repository_past.by_ids(session, ids):
            if row.state != PastState.COUNTED:
                staying[row.id] = TAKEN_OUT.format(number=row.number)
            elif row.id not in staying:
                going.append(row)
        if going:
            _take_back(session, context, going)
        return staying

    def export(self, session: Session, organisation_id: int) -> Iterable[Mapping[str, str]]:
        return repository_past.items_of_organisation(session, OrganisationId(organisation_id))


def _fault(headings: Mapping[str, str], reason: str, key: str = "number") -> Fault:
    return Fault(headings.get(key, LABELS[key]), reason)


def _take_back(session: Session, context: Context, rows: Sequence[PastRegistration]) -> None:
    digest = certificate.digest({"run": context.run_id, "reason": UNDONE})
    posted = ledger.reverse_many(
        session,
        [Reversal(row.transaction_id, f"past:{row.public_id}:undo", digest, None) for row in rows],
        at=context.at,
    )
    repository_past.take_out_many(
        session,
        [(row.id, one) for row, one in zip(rows, posted, strict=True)],
        cause=Cause.MISTAKE,
        reason=UNDONE,
        by=None if context.person_id is None else PersonId(context.person_id),
        at=context.at,
    )
    kept.past(session, repository_past.by_ids(session, [row.id for row in rows]), at=context.at)


class _Chunk:
    """The writing of rows that can be read, under the lock of the book."""

    def __init__(self, session: Session, context: Context) -> None:
        self._session = session
        self._context = context

    def write(
        self, rows: Sequence[Told], headings: Mapping[int, Mapping[str, str]]
    ) -> dict[int, Outcome]:
        """Return what became of each row."""
        ledger.lock(self._session)
        standing = self._standing(rows)
        sides = self._sides(rows)
        outcomes: dict[int, Outcome] = {}
        new: list[tuple[Told, _Side, _Side]] = []
        marks: dict[str, str] = {}
        for told in rows:
            known = standing.past.get(told.number)
            if known is not None and known.digest == told.digest:
                outcomes[told.row] = Outcome(
                    told.row, Effect.UNCHANGED, key=told.number, subject_id=known.id
                )
                continue
            seller, buyer = sides[told.seller], sides[told.buyer]
            fault = _why_not(told, standing, marks, headings[told.row])
            if fault is None and not seller.region:
                fault = _fault(headings[told.row], NO_REGION, "seller_region")
            if fault is not None:
                outcomes[told.row] = Outcome(told.row, Effect.REFUSED, (fault,))
                continue
            marks[told.fingerprint] = told.number
            new.append((told, seller, buyer))
        return outcomes | self._count(new)

    def _standing(self, rows: Sequence[Told]) -> _Standing:
        numbers = [told.number for told in rows]
        marks = [told.fingerprint for told in rows]
        return _Standing(
            repository_past.counted_numbers(self._session, REGISTRY, numbers),
            repository_past.native_numbers(self._session, REGISTRY, numbers),
            repository_past.cancelled_numbers(self._session, REGISTRY, numbers),
            repository_past.counted_marks(self._session, marks),
            repository_past.native_marks(self._session, marks),
        )

    def _sides(self, rows: Sequence[Told]) -> dict[Party, _Side]:
        """Match the parties: by credit code, else by a name that one verified organisation has."""
        parties = {side for told in rows for side in (told.seller, told.buyer)}
        known = repository_past.known_parties(
            self._session,
            {party.credit_code for party in parties if party.credit_code},
            {party.name for party in parties},
        )
        by_code = {row.credit_code: row for row in known if row.credit_code}
        by_name: dict[str, list[Organisation]] = {}
        for row in known:
            by_name.setdefault(row.name, []).append(row)
        found = {}
        for party in parties:
            named = [row for row in by_name.get(party.name, []) if _may_be(row, party)]
            match = by_code.get(party.credit_code) or (named[0] if len(named) == 1 else None)
            found[party] = (
                _Side(OUTSIDE, party.region)
                if match is None
                else _Side(match.id, party.region or match.region)
            )
        return found

    def _count(self, new: Sequence[tuple[Told, _Side, _Side]]) -> dict[int, Outcome]:
        if not new:
            return {}
        public_ids = [new_public_id() for _ in new]
        posted = ledger.post_many(
            self._session,
            [
                Posting(_subject(*one), f"past:{public_id}:register", one[0].registered_on)
                for one, public_id in zip(new, public_ids, strict=True)
            ],
            at=self._context.at,
        )
        ids = repository_past.add_many(
            self._session,
            [
                self._row(*one, public_id) | {"transaction_id": transaction}
                for one, public_id, transaction in zip(new, public_ids, posted, strict=True)
            ],
        )
        rows = repository_past.by_ids(self._session, list(ids.values()))
        kept.past(self._session, rows, at=self._context.at)
        return {
            told.row: Outcome(
                told.row, Effect.CREATED, key=told.number, subject_id=ids[told.number]
            )
            for told, _, _ in new
        }

    def _row(self, told: Told, seller: _Side, buyer: _Side, public_id: PublicId) -> dict[str, Any]:
        return {
            "public_id": public_id,
            "state": PastState.COUNTED,
            "registry_name": REGISTRY,
            "number": told.number,
            "registry_label": told.registry_label,
            "registered_on": told.registered_on,
            "signed_on": told.signed_on,
            "project_name": told.project_name,
            "contract_type": told.contract_type,
            "sub_type": told.sub_type,
            "field": told.field,
            "seller_name": told.seller.name,
            "buyer_name": told.buyer.name,
            "seller_id": None if seller.id == OUTSIDE else seller.id,
            "buyer_id": None if buyer.id == OUTSIDE else buyer.id,
            "seller_region": seller.region,
            "buyer_region": buyer.region,
            "total_fen": told.total_fen,
            "technical_fen": told.technical_fen,
            "public": told.public,
            "items": dict(told.items),
            "fingerprint": told.fingerprint,
            "digest": told.digest,
            "organisation_id": self._context.organisation_id,
            "run_id": self._context.run_id,
            "created_by": self._context.person_id,
            "created_at": self._context.at,
            "reason": "",
        }


def _may_be(row: Organisation, party: Party) -> bool:
    """Tell whether an organisation of the same name may be the party: two codes are two bodies."""
    return row.credit_code is None or len(party.credit_code) != len(row.credit_code)


def _why_not(
    told: Told, standing: _Standing, marks: Mapping[str, str], headings: Mapping[str, str]
) -> Fault | None:
    """Return why a row does not count, though it can be read."""
    known = standing.past.get(told.number)
    if known is not None:
        changed = sorted(
            LABELS[key]
            for key in known.items.keys() | told.items.keys()
            if known.items.get(key) != told.items.get(key)
        )
        columns = "、".join(changed[:4])
        return _fault(headings, CHANGED.format(number=told.number, columns=columns))
    if told.number in standing.native:
        return _fault(headings, COUNTED_HERE.format(number=told.number))
    if told.number in standing.cancelled:
        return _fault(headings, CANCELLED.format(number=told.number))
    other = standing.past_marks.get(told.fingerprint) or marks.get(told.fingerprint)
    if other is not None:
        return Fault("", SAME_CONTRACT.format(number=other))
    if told.fingerprint in standing.native_marks:
        return Fault("", FILED_HERE)
    return None


def _subject(told: Told, seller: _Side, buyer: _Side) -> Subject:
    return Subject(
        key=f"{REGISTRY}:{told.number}",
        digest=told.digest,
        contract_type=told.contract_type,
        sub_type=told.sub_type,
        field=told.field,
        project_name=told.project_name,
        seller_id=seller.id,
        buyer_id=buyer.id,
        seller_name=told.seller.name,
        buyer_name=told.buyer.name,
        seller_region=seller.region,
        buyer_region=buyer.region,
        total_fen=told.total_fen,
        technical_fen=told.technical_fen,
    )

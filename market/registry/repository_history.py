"""What was signed and every step of registrations, as they are kept in the chain of records."""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Select, select
from sqlmodel import Session

from market.deals.models import Contract, ContractLine
from market.kit.db import streamed, table_of
from market.kit.ids import RegistrationId
from market.registry.models import Registration, RegistrationEvent

_MOVES: Final = ("seller_agrees_public", "buyer_agrees_public")
"""What of a signed contract its parties may still change."""
_WHOSE: Final = itemgetter(0)


def histories(
    session: Session, only: RegistrationId | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (public id, contract with its lines, and steps) of registrations that took a step; of
    one, or of all in their order.
    """
    contract, event, line = (table_of(one) for one in (Contract, RegistrationEvent, ContractLine))
    own = table_of(Registration).c
    events = (
        select(own.id, own.public_id, event)
        .join_from(Registration, event, event.c.registration_id == own.id)
        .order_by(own.id, event.c.place)
    )
    signed = select(own.id, contract).join_from(
        Registration, contract, contract.c.id == own.contract_id
    )
    lines = (
        select(own.id, line)
        .join_from(Registration, line, line.c.contract_id == own.contract_id)
        .order_by(own.id, line.c.position)
    )
    papers = _Beside(session, signed.order_by(own.id), only)
    amounts = _Beside(session, lines, only)
    for serial, group in groupby(_rows(session, events, only), _WHOSE):
        rows = list(group)
        said = {
            "contract": [
                {name: value for name, value in one.items() if name not in _MOVES}
                for one in papers.of(serial)
            ],
            "lines": amounts.of(serial),
            "steps": [_values(row, 2) for row in rows],
        }
        yield rows[0][1], said


class _Beside:
    """Rows that begin with a registration's id, read beside the registrations in their order."""

    def __init__(self, session: Session, query: Select[Any], only: RegistrationId | None) -> None:
        self._groups = groupby(_rows(session, query, only), _WHOSE)
        self._next = next(self._groups, None)

    def of(self, serial: int) -> list[dict[str, Any]]:
        while self._next is not None and self._next[0] < serial:
            self._next = next(self._groups, None)
        if self._next is None or self._next[0] != serial:
            return []
        return [_values(row, 1) for row in self._next[1]]


def _rows(session: Session, query: Select[Any], only: RegistrationId | None) -> Iterator[Any]:
    if only is not None:
        query = query.where(table_of(Registration).c.id == only)
    yield from streamed(session, query)


def _values(row: Any, first: int) -> dict[str, Any]:
    """Return a row's columns from one on; what is empty is left out, as `records.said` does."""
    names = row._fields
    return {name: value for name, value in zip(names[first:], row[first:], strict=True) if value}

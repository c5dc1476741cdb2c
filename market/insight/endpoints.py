"""The JSON edge of the board."""

from typing import Annotated, Literal

from fastapi import Query

from market.accounts.edge import api_router, opens
from market.accounts.policy import Action
from market.accounts.work import Work
from market.deals.vocabulary import ContractType
from market.insight import service
from market.insight.schemas import (
    BoardOut,
    BoardPage,
    FigureOut,
    LineOut,
    LinesOut,
    PublicContractOut,
    PublicContractsOut,
)
from market.insight.service import Chosen
from market.insight.views import Line
from market.kit.ids import PublicId
from market.kit.wire import PathId

router = api_router("board", "/board")

PageNumber = Annotated[int, Query(ge=1, le=100_000)]


@router.get("")
def board(work: Annotated[Work, opens(Action.BROWSE)]) -> BoardPage:
    """Show registered contracts against the plan: exact for the bureau, guarded for others."""
    found = service.board(work)
    return BoardPage(board=None if found is None else BoardOut.model_validate(found))


@router.get("/registered")
def registered(
    work: Annotated[Work, opens(Action.BROWSE)], page: PageNumber = 1
) -> PublicContractsOut:
    """List the contracts that count, as anyone may know them; 50 a page."""
    rows, total = service.registered_contracts(work, page)
    return PublicContractsOut(
        items=[PublicContractOut.model_validate(row) for row in rows], total=total
    )


@router.get("/contracts")
def contracts(
    work: Annotated[Work, opens(Action.BOARD_CONTRACTS)],
    *,
    side: Literal["", "out", "in", "earlier"] = "",
    type: ContractType | None = None,  # noqa: A002  the parameter's public name
    field: Annotated[int | None, Query(ge=1, le=11)] = None,
    year: Annotated[int | None, Query(ge=1990, le=2100)] = None,
    month: Annotated[int | None, Query(ge=1, le=12)] = None,
    seller: PathId | None = None,
    outside: Annotated[str, Query(max_length=120)] = "",
    buyer: PathId | None = None,
    outside_buyer: Annotated[str, Query(max_length=120)] = "",
    agency: PathId | None = None,
    page: PageNumber = 1,
) -> LinesOut:
    """List the transactions behind a figure: all for the bureau, one's own for a party.

    `side`: sellers (out) or buyers (in) in the plan's region, within the plan's period; `earlier`:
    sellers in the region before it. `outside` and `outside_buyer` name a side that is no
    organisation here; `agency` has what an agency brought about.
    """
    chosen = Chosen(
        side,
        type,
        field,
        year,
        month,
        PublicId(seller) if seller else None,
        outside,
        PublicId(buyer) if buyer else None,
        outside_buyer,
        PublicId(agency) if agency else None,
    )
    found = service.contracts(work, chosen, page)
    return LinesOut(
        items=[_line(row) for row in found.rows],
        total=found.number,
        sum=FigureOut.model_validate(found.sum),
        since=found.since,
        until=found.until,
    )


def _line(line: Line) -> LineOut:
    row, said = line.transaction, line.said
    return LineOut(
        registration=None if line.origin.past else line.origin.id,
        past_registration=line.origin.id if line.origin.past else None,
        kind=row.kind,
        number=line.origin.number,
        effective_on=row.effective_on,
        original_on=row.original_on,
        project_name=said.project_name,
        type=said.contract_type,
        sub_type=said.sub_type,
        field=said.field,
        seller_name=said.seller_name,
        buyer_name=said.buyer_name,
        technical_fen=line.moved.technical_fen,
        total_fen=line.moved.total_fen,
    )

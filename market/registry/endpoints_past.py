"""The JSON edge of contracts registered elsewhere."""

from typing import Annotated

from fastapi import Query

from market.accounts.edge import api_router, opens
from market.accounts.policy import Action
from market.accounts.work import Work
from market.kit.ids import PublicId
from market.kit.wire import PathId
from market.registry import past
from market.registry.models import PastRegistration
from market.registry.past import Past
from market.registry.schemas import ItemOut, PastDetailOut, PastOut, PastsOut, TakeOutIn

router = api_router("registrations", "/past-registrations")


def _out(row: PastRegistration) -> PastOut:
    return PastOut(
        id=row.public_id,
        state=row.state,
        number=row.number,
        registry=row.registry_label,
        registered_on=row.registered_on,
        signed_on=row.signed_on,
        project_name=row.project_name,
        type=row.contract_type,
        sub_type=row.sub_type,
        field=row.field,
        seller=row.seller_name,
        buyer=row.buyer_name,
        seller_region=row.seller_region,
        buyer_region=row.buyer_region,
        total_fen=row.total_fen,
        technical_fen=row.technical_fen,
        cause=row.cause,
        reason=row.reason,
        taken_out_at=row.taken_out_at,
    )


def _detail(found: Past) -> PastDetailOut:
    items = [ItemOut(label=label, text=text) for label, text in found.items]
    return PastDetailOut(**_out(found.row).model_dump(), items=items)


@router.get("")
def past_registrations(
    work: Annotated[Work, opens(Action.REGISTRATION_VIEW)],
    q: Annotated[str, Query(max_length=60)] = "",
    year: Annotated[int | None, Query(ge=1980, le=2100)] = None,
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> PastsOut:
    """List contracts registered elsewhere: all for the bureau, one's own for others; 50 a page."""
    rows, total = past.listed(work, q, year, page)
    return PastsOut(items=[_out(row) for row in rows], total=total)


@router.get("/{past_id}")
def past_registration(
    past_id: PathId, work: Annotated[Work, opens(Action.REGISTRATION_VIEW)]
) -> PastDetailOut:
    """Show one to the bureau and its parties."""
    return _detail(past.get(work, PublicId(past_id)))


@router.post("/{past_id}/take-out")
def take_out(
    past_id: PathId,
    form: TakeOutIn,
    work: Annotated[Work, opens(Action.REGISTRATION_UNDO, write=True)],
) -> PastDetailOut:
    """Take one out of what counts by a reversing entry; its number may then be brought in anew."""
    return _detail(past.take_out(work, PublicId(past_id), form))

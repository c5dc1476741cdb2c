"""The JSON edge of comparable deals."""

from datetime import date
from typing import Annotated

from market.accounts.edge import api_router, opens
from market.accounts.policy import Action
from market.accounts.work import Work
from market.deals.vocabulary import ContractType
from market.kit.ids import PublicId
from market.kit.wire import Out, PathId
from market.registry import comparables

router = api_router("registrations")


class BandOut(Out):
    """Prices from `low` up to below `high`, in fen; null where the band is open on that side."""

    low: int | None
    high: int | None
    count: int


class GroupOut(Out):
    """Like contracts counted before `until`; every band has at least five."""

    contract_type: ContractType
    field: int
    until: date
    bands: list[BandOut]


class OpenOut(Out):
    """A contract whose sides agreed that names and sum are public."""

    project_name: str
    seller_name: str
    buyer_name: str
    total_fen: int
    registered_on: date


class ComparablesOut(Out):
    groups: list[GroupOut]
    public: list[OpenOut]


@router.get("/listings/{listing_id}/comparables")
def show_comparables(
    listing_id: PathId, work: Annotated[Work, opens(Action.COMPARABLE_VIEW)]
) -> ComparablesOut:
    """What registered contracts like a listing were signed for: bands of at least five, and those
    whose sides made their sums public.
    """
    found = comparables.of_listing(work, PublicId(listing_id))
    return ComparablesOut.model_validate(found)

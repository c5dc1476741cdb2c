"""What registered contracts like a listing were signed for."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from frontend.edge import Page, opens_page
from market.access import service as access
from market.accounts.policy import Action
from market.catalog.vocabulary import FIELDS
from market.deals.vocabulary import CONTRACT_TYPES
from market.kit.ids import PublicId
from market.kit.wire import PathId
from market.registry import comparables

router = APIRouter()


@router.get("/listings/{listing_id}/comparables")
def show(listing_id: PathId, page: Annotated[Page, opens_page(Action.COMPARABLE_VIEW)]) -> Response:
    seen = access.listing_page(page.work, PublicId(listing_id))
    found = comparables.of_listing(page.work, PublicId(listing_id))
    return page.render(
        "deals/comparables.html",
        {
            "shown": seen.shown,
            "found": found,
            "fields": FIELDS,
            "types": CONTRACT_TYPES,
            "floor": comparables.FLOOR,
        },
    )

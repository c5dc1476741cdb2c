"""How the platform works, for everybody: so far how matches come about and how good they are."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from frontend.edge import Page, opens_page
from market.accounts.policy import Action
from market.discovery import bands, quality
from search.calibration import Band

router = APIRouter()


def percent(share: float) -> str:
    return f"{share:.0%}"


def _band(band: Band) -> tuple[str, str, str, str, str]:
    """Return (name, what it asks for, pairs, rate, interval) of a band as it was measured."""
    name = bands.NAMES.get(band.name, "其余")
    asked = f"不低于{percent(band.asked)}" if band.asked else ""
    interval = f"{percent(band.low)}～{percent(band.high)}"
    return name, asked, f"{band.pairs:,}", f"{band.rate:.1%}", interval


@router.get("/about/matching")
def matching(page: Annotated[Page, opens_page(Action.BROWSE)]) -> Response:
    """Say how matches come about, how often they were relevant, and how that was measured."""
    measured = bands.measured()
    found = measured.calibration
    there = [band for band in (*found.bands, found.below) if band.least is not None]
    absent = [band for band in found.bands if band.least is None]
    return page.render(
        "discovery/about_matching.html",
        {
            "measured": measured,
            "bands": [_band(band) for band in there],
            "absent": [(*_band(band), band.pairs, percent(band.asked)) for band in absent],
            "rate": percent(found.relevant / found.pairs),
            "live": [
                (row.label, f"{row.decided:,}", percent(row.rate or 0.0))
                for row in quality.live(page.work.session)
            ],
            "least_live": quality.LIVE,
        },
    )

"""The front page: what this place is for, what is new, and whether it works."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from frontend.edge import Page, opens_page
from frontend.pages import discovery_rows as rows
from market.access import service as access
from market.accounts.policy import Action, Relation, Role
from market.accounts.work import Work
from market.catalog import views
from market.catalog.vocabulary import FIELDS, ListingKind, region_name
from market.deals.vocabulary import CONTRACT_TYPES
from market.insight import service as insight

router = APIRouter()

NEWEST = 5
CONTRACTS = 5
NOT_PUBLIC = "不公开"
EXAMPLES = (
    ("焊缝 气孔 检测", "三个词都有，在名称、关键词、说明或机构名称里都算"),
    ("“焊缝气孔”", "就是这句话"),
    ("焊缝 -射线", "有焊缝，没有射线"),
    ("-“射线探伤” 焊缝", "有焊缝，没有射线探伤这句话"),
    ("标题：石墨烯", "名称里有石墨烯；也可以写“名称：”"),
    ("关键词：石墨烯", "关键词里有石墨烯"),
    ("说明：石墨烯", "说明里有石墨烯；也可以写“正文：”"),
    ("机构：示范大学 镁合金", "机构名称里有示范大学，别处有镁合金；也可以写“单位：”"),
    ("焊缝 -标题：射线", "有焊缝，名称里没有射线"),
    ("TC4", "TC4、TC-4、ＴＣ４都算"),
    ("耐温 -20℃", "数字前的减号是负号，不是排除"),
)
"""What the help page shows, each tried by a test."""

Visited = Annotated[Page, opens_page(Action.BROWSE)]


def _begin(work: Work) -> str:
    """Return the code of what the visitor can begin with here; `home.html` has the links."""
    if work.actor.role is Role.ANONYMOUS:
        return "signup"
    if work.actor.role is Role.PERSON:
        return "join"
    if work.may(Action.LISTING_EDIT):
        return "publish"
    return "introduce" if work.may(Action.INTRODUCTION_PROPOSE, Relation.MANDATED) else "look"


@router.get("/")
def home(page: Visited) -> Response:
    work = page.work
    figures = insight.home_figures(work)
    counts = views.counts(work.session)
    newest = {
        kind: [
            rows.row(seen, note=())
            for seen in access.public_listings(
                work, [one.listing_id for one in views.newest(work.session, kind, NEWEST)]
            )
        ]
        for kind in ListingKind
    }
    return page.render(
        "discovery/home.html",
        {
            "figures": figures,
            "region": region_name(figures.plan.region) if figures.plan else "",
            "contracts": insight.recent_contracts(work, CONTRACTS),
            "types": CONTRACT_TYPES,
            "fields": FIELDS,
            "not_public": NOT_PUBLIC,
            "achievements": newest[ListingKind.ACHIEVEMENT],
            "demands": newest[ListingKind.DEMAND],
            "achievement_count": counts[ListingKind.ACHIEVEMENT],
            "demand_count": counts[ListingKind.DEMAND],
            "today": work.today,
            "begin": _begin(work),
        },
    )


@router.get("/help")
def help_page(page: Visited) -> Response:
    return page.render("discovery/help.html", {"examples": EXAMPLES})

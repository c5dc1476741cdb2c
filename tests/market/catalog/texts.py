"""Listings to post, and the way from a draft to the public."""

from market.accounts.models import Organisation
from market.accounts.policy import Role
from market.accounts.work import Actor, Parts
from market.catalog import drafts, publishing, repository
from market.catalog.models import Listing
from market.catalog.schemas import (
    AchievementEditIn,
    AchievementIn,
    DemandEditIn,
    DemandIn,
    Price,
    ReviewIn,
)
from market.catalog.vocabulary import Mode, PriceForm
from market.kit.ids import PublicId
from tests import factories
from tests.support.market import work_for

ACHIEVEMENT = AchievementIn(
    title="焊缝气孔在线视觉检测",
    summary="边焊边报",
    body="双波段相机实时识别气孔。",
    keywords=["焊缝", "视觉"],
    field=3,
    modes=[Mode.PLAIN],
    price=Price(form=PriceForm.FROM, low_fen=80_000_000),
    maturity_level=7,
    ip_numbers="ZL000000000000.0",
    completers="示范张甲",
)
DEMAND = DemandIn(title="求焊缝缺陷在线检测", problem="人工抽检漏检率高", need_maturity=6)


def edited(form: AchievementIn | DemandIn, based_on: int, **changes: object):
    model = AchievementEditIn if isinstance(form, AchievementIn) else DemandEditIn
    values = {name: getattr(form, name) for name in type(form).model_fields}
    return model(**values | changes, based_on=based_on)


def draft(parts: Parts, who: Actor, form: AchievementIn | DemandIn = ACHIEVEMENT) -> Listing:
    with work_for(parts, who) as work:
        return drafts.create(work, form)


def submitted(parts: Parts, who: Actor, form: AchievementIn | DemandIn = ACHIEVEMENT) -> Listing:
    listing = draft(parts, who, form)
    with work_for(parts, who) as work:
        return publishing.submit(work, listing.public_id)


def decide(parts: Parts, listing: Listing, *, revision: int = 1, refuse: str = "") -> None:
    officer = factories.actor(parts, Role.OFFICER)
    verdict = {"decision": "refuse" if refuse else "approve", "note": refuse}
    with work_for(parts, officer) as work:
        publishing.decide(work, listing.public_id, ReviewIn(revision=revision, **verdict))


def published(parts: Parts, who: Actor, form: AchievementIn | DemandIn = ACHIEVEMENT) -> Listing:
    listing = submitted(parts, who, form)
    decide(parts, listing)
    return reread(parts, listing.public_id)


def reread(parts: Parts, public_id: PublicId) -> Listing:
    with parts.database.read() as session:
        row = repository.listing_by_public_id(session, public_id)
        assert row is not None
        return row


def editor(parts: Parts, at: Organisation | None = None) -> Actor:
    return factories.actor(parts, Role.EDITOR, at)

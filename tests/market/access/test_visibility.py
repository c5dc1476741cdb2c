"""Who sees which listing and whose name; the rule and its SQL form agree."""

import pytest
from sqlmodel import select

from market.access import repository, service
from market.accounts import organisations
from market.accounts.policy import OrganisationKind, Role
from market.accounts.schemas import VerifyIn
from market.accounts.work import Actor, Parts
from market.catalog import drafts, publishing
from market.catalog.models import Listing
from market.catalog.schemas import AchievementIn, DemandIn
from market.kit.errors import NotFound
from tests import factories
from tests.support.market import read_for, work_for
from tests.support.trade import mandate, published, trade


def listings_of(parts: Parts, owner: Actor) -> list[Listing]:
    """Return a draft, a published, a masked and a withdrawn listing."""
    with work_for(parts, owner) as work:
        draft = drafts.create(work, DemandIn(title="草稿里的需求"))
    shown = published(parts, owner, DemandIn(title="公开的需求"))
    masked = published(parts, owner, DemandIn(title="隐去名称的需求", masked=True))
    gone = published(parts, owner, DemandIn(title="撤下的需求"))
    with work_for(parts, owner) as work:
        publishing.withdraw(work, gone.public_id)
    return [draft, shown, masked, gone]


def test_rule_and_sql_agree_for_every_actor(parts: Parts, both_databases: str) -> None:
    verified = factories.organisation(parts, OrganisationKind.COMPANY, self_publish=True)
    doubted = factories.organisation(parts, OrganisationKind.COMPANY, self_publish=True)
    owner, other = factories.actor(parts, at=verified), factories.actor(parts, at=doubted)
    listings_of(parts, owner)
    listings_of(parts, other)
    with work_for(parts, factories.actor(parts, Role.OFFICER)) as work:
        organisations.verify(work, doubted.public_id, VerifyIn(decision="refused", note="证照不符"))
    actors = {
        "owner": owner,
        "viewer": factories.actor(parts, Role.VIEWER, verified),
        "other": other,
        "stranger": factories.actor(parts, kind=OrganisationKind.AGENCY),
        "officer": factories.actor(parts, Role.OFFICER),
        "person": factories.actor(parts, Role.PERSON),
        "nobody": factories.actor(parts, Role.ANONYMOUS),
    }
    counts = {}
    for name, actor in actors.items():
        with read_for(parts, actor) as work:
            rows = work.session.exec(select(Listing)).all()
            by_rule = {row.id for row in rows if service.visible(work, row)}
            by_sql = set(
                work.session.exec(select(Listing.id).where(repository.visible_listings(actor)))
            )
        assert by_rule == by_sql, name
        counts[name] = len(by_rule)
    assert counts == {
        "owner": 4,
        "viewer": 4,
        "other": 6,
        "stranger": 2,
        "officer": 2,
        "person": 2,
        "nobody": 2,
    }


def test_who_reads_a_masked_name(parts: Parts) -> None:
    world = trade(parts, masked=True)

    def name(actor: Actor) -> str:
        with read_for(parts, actor) as work:
            return service.listing_page(work, world.demand.public_id).shown.organisation_name

    hidden, told = "名称保密", world.company.name
    assert name(world.buyer) == told
    assert name(factories.actor(parts, Role.OFFICER)) == told
    assert name(factories.actor(parts, Role.AUDITOR)) == told
    assert name(world.seller) == hidden
    assert name(factories.actor(parts, Role.ANONYMOUS)) == hidden
    assert name(world.broker) == hidden
    mandate(world, world.seller, as_seller=True)
    assert name(world.broker) == hidden
    mandate(world, world.buyer, as_buyer=True)
    assert name(world.broker) == told
    with work_for(parts, world.buyer) as work:
        service.disclose_name(work, world.demand.id, world.university.id)
        service.disclose_name(work, world.demand.id, world.university.id)
    assert name(world.seller) == told


def test_a_masked_achievement_names_nobody_else_either(parts: Parts) -> None:
    world = trade(parts)
    form = AchievementIn(
        title="隐去名称的成果", completers="示范张甲", ip_numbers="ZL202200000000.0", masked=True
    )
    listing = published(parts, world.seller, form)
    for actor, people in ((world.buyer, ""), (world.seller, "示范张甲")):
        with read_for(parts, actor) as work:
            (seen,) = service.public_listings(work, [listing.id])
        assert seen.shown.text.completers == people  # type: ignore[union-attr]
        assert (seen.masked, seen.own) == (True, actor is world.seller)


def test_lists_keep_their_order_and_leave_out_what_is_not_public(parts: Parts) -> None:
    world = trade(parts)
    draft, shown, masked, gone = listings_of(parts, world.buyer)
    wanted = [masked.id, gone.id, world.achievement.id, draft.id, shown.id]
    with read_for(parts, world.seller) as work:
        found = service.public_listings(work, wanted)
        assert [one.shown.listing_id for one in found] == [
            masked.id,
            world.achievement.id,
            shown.id,
        ]
        for hidden in (draft, gone):
            with pytest.raises(NotFound):
                service.listing_page(work, hidden.public_id)

"""A deal's pages whatever the desk does with its registration, for either side."""

import re
from collections.abc import Callable

import pytest

from market.accounts.policy import Role
from market.accounts.work import Parts
from market.catalog.schemas import AchievementIn
from market.deals import repository
from market.kit.ids import PublicId
from market.registry import service
from market.registry.repository import Filed
from market.registry.schemas import (
    CancelIn,
    ChangeIn,
    DecideIn,
    ObjectIn,
    ReturnIn,
    ReviewIn,
    RevokeIn,
    SubmitIn,
)
from market.registry.states import AT_THE_DESK, RegistrationState
from tests import factories
from tests.frontend.test_deals_pages import Site, site
from tests.support import papers
from tests.support.market import read_for, work_for
from tests.support.trade import published

__all__ = ["site"]
S = RegistrationState
WAN = papers.WAN


def drafted(parts: Parts, pair: papers.Sides) -> Filed:
    contract = papers.signed_contract(parts, pair)
    with work_for(parts, pair.seller_actor) as work:
        return service.prepare(work, SubmitIn(contract=contract.public_id))


def withdrawn(parts: Parts, pair: papers.Sides) -> Filed:
    filed = papers.submitted(parts, pair)
    with work_for(parts, pair.seller_actor) as work:
        return service.withdraw(work, filed.row.public_id)


def objected(parts: Parts, pair: papers.Sides) -> Filed:
    filed = papers.registered(parts, pair)
    with work_for(parts, pair.seller_actor) as work:
        return service.object_to(work, filed.row.public_id, ObjectIn(reason="金额有误"))


def by_bureau(
    begin: Callable[..., Filed], *steps: Callable[..., Filed]
) -> Callable[[Parts, papers.Sides], Filed]:
    def reach(parts: Parts, pair: papers.Sides) -> Filed:
        filed = begin(parts, pair)
        for step in steps:
            with work_for(parts, pair.officer) as work:
                step(work, filed.row.public_id)
        return filed

    return reach


SMALLER = ChangeIn(total_fen=60 * WAN, technical_fen=50 * WAN, reason="调减")
REFUSED = DecideIn(decision="not_registered", refusal_reason="subject", note="主体不明")
WAYS: dict[RegistrationState, Callable[[Parts, papers.Sides], Filed]] = {
    S.DRAFT: drafted,
    S.SUBMITTED: papers.submitted,
    S.CORRECTION: by_bureau(
        papers.submitted, lambda work, key: service.send_back(work, key, ReturnIn(note="补清单"))
    ),
    S.ACCEPTED: by_bureau(papers.submitted, service.accept),
    S.EXPERT_REVIEW: by_bureau(
        papers.submitted,
        service.accept,
        lambda work, key: service.review(work, key, ReviewIn(note="有争议")),
    ),
    S.REGISTERED: papers.registered,
    S.CHANGED: by_bureau(papers.registered, lambda work, key: service.change(work, key, SMALLER)),
    S.OBJECTION: objected,
    S.NOT_REGISTERED: by_bureau(
        papers.submitted, lambda work, key: service.decide(work, key, REFUSED)
    ),
    S.CANCELLED: by_bureau(
        papers.registered,
        lambda work, key: service.cancel(work, key, CancelIn(cause="rescinded", reason="解除")),
    ),
    S.REVOKED: by_bureau(
        papers.registered,
        lambda work, key: service.revoke(work, key, RevokeIn(cause="twice", reason="重复")),
    ),
    S.WITHDRAWN: withdrawn,
}
TOLD = {
    S.DRAFT: "等卖方提交合同登记",
    S.SUBMITTED: "等科技局登记",
    S.CORRECTION: "等卖方补正登记材料",
    S.ACCEPTED: "等科技局登记",
    S.EXPERT_REVIEW: "等科技局登记",
    S.REGISTERED: "已登记，已计入看板",
    S.CHANGED: "技术交易额50万元",
    S.OBJECTION: "异议复核中",
    S.NOT_REGISTERED: "科技局不予登记",
    S.CANCELLED: "登记已注销",
    S.REVOKED: "登记已撤销",
    S.WITHDRAWN: "等卖方提交合同登记",
}
"""What the buyer reads on the deal's page."""


def about_a_listing(parts: Parts, filed: Filed) -> PublicId:
    """Let the deal be about a listing with a text; return the deal."""
    owner = factories.actor(parts, Role.MANAGER, factories.organisation(parts, self_publish=True))
    form = AchievementIn.model_validate({"title": "焊缝检测", "field": 3, "modes": ["合作开发"]})
    listing = published(parts, owner, form)
    with parts.database.write() as session:
        deal = repository.deal(session, filed.contract.deal_id)
        deal.achievement_id = listing.id
        session.add(deal)
        return deal.public_id


@pytest.mark.parametrize("state", list(S))
def test_a_deals_pages_open_in_every_state_of_its_registration(
    parts: Parts, site: Site, state: RegistrationState
) -> None:
    pair = papers.sides(parts)
    filed = WAYS[state](parts, pair)
    key = filed.row.public_id
    deal = about_a_listing(parts, filed)
    with read_for(parts, pair.seller_actor) as work:
        assert service.get(work, key).row.state == state
    for actor in (pair.seller_actor, pair.buyer_actor):
        browser = site(actor)
        assert deal in browser.get("/deals?shelf=signed")
        browser.get("/deals/board")
        browser.get(f"/deals/{deal}")
    page = site(pair.buyer_actor).get(f"/deals/{deal}")
    assert TOLD[state] in page
    assert (key in page) == (state is not S.DRAFT), "a draft is its seller's alone"
    figure = re.search(
        r"登记申请待审查</dt>.*?<b>(\d+)</b>", site(pair.officer).get("/work"), re.DOTALL
    )
    assert figure is not None
    assert int(figure[1]) == (state in AT_THE_DESK)

"""Who represents the buyer is for the parties and the bureau, on the API and on the page."""

from market.accounts.work import Parts
from market.registry import items, service
from market.registry.schemas import SubmitIn
from tests.frontend.test_deals_pages import Site, site
from tests.support import papers
from tests.support.market import read_for, work_for
from tests.support.trade import mandate, trade

__all__ = ["site"]
PHONE = "13800009999"


def test_the_sellers_broker_reads_no_telephone_of_the_buyer(parts: Parts, site: Site) -> None:
    pair, world = papers.sides(parts), trade(parts)
    mandate(world, pair.seller_actor, as_seller=True)
    contract = papers.signed_contract(parts, pair)
    told = papers.TOLD.model_copy(update={"buyer_phone": PHONE, "buyer_contact": "示范李乙"})
    with work_for(parts, pair.seller_actor) as work:
        form = SubmitIn(contract=contract.public_id)
        key = service.submit(work, form, papers.scan("一"), told).row.public_id
    for actor, reads in (
        (pair.seller_actor, True),
        (pair.buyer_actor, True),
        (pair.officer, True),
        (world.broker, False),
    ):
        with read_for(parts, actor) as work:
            filed = service.get(work, key)
            shown = items.shown(work, filed.contract, items.read(filed.row.items))
        assert (shown.buyer_phone == PHONE) == reads
        if actor is not pair.officer:
            page = site(actor).get(f"/registrations/{key}")
            assert (PHONE in page) == reads
            assert ("示范李乙" in page) == reads

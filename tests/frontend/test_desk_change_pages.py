"""The page on which the bureau enters what a registry changed."""

from market.accounts.work import Parts
from market.registry import service
from tests.frontend.test_deals_pages import Site, site
from tests.support import papers
from tests.support.market import read_for

__all__ = ["site"]


def test_type_field_and_party_are_changed_on_one_page(parts: Parts, site: Site) -> None:
    pair = papers.sides(parts)
    key = papers.registered(parts, pair).row.public_id
    officer = site(pair.officer)
    address = f"/desk/registrations/{key}/change"
    page = officer.get(address)
    assert "现在是技术开发，委托开发" in page
    sent = {
        "total_fen": "120",
        "technical_fen": "100",
        "kind": "SRV:一般技术服务",
        "field": "7",
        "seller": "示范外地研究所",
        "reason": "补充协议",
    }
    assert "行政区划代码" in officer.send(address, 422, **sent)
    assert "请从列表里选一种类别" in officer.send(address, 422, **(sent | {"kind": "X:Y"}))
    officer.send(address, **sent, seller_region="510100")
    with read_for(parts, pair.officer) as work:
        row = service.get(work, key).row
    assert row.in_force["contract_type"] == "SRV"
    assert row.in_force["field"] == 7
    for reader, where in ((pair.officer, "/desk"), (pair.buyer_actor, "")):
        shown = site(reader).get(f"{where}/registrations/{key}")
        assert "示范外地研究所" in shown
        assert "技术服务，一般技术服务" in shown

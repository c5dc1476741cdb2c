"""A registry changes more than amounts: type, field and parties, from a day on."""

import pytest

from market import chaining
from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import Parts
from market.deals.vocabulary import ContractType
from market.kit.errors import Invalid
from market.ledger import service as ledger
from market.ledger.schemas import OUTSIDE, Slice
from market.registry import service, standing
from market.registry.audit import audit
from market.registry.schemas import ChangeIn, ObjectIn, ResolveIn
from tests import factories
from tests.support import papers
from tests.support.market import read_for, work_for

pytestmark = pytest.mark.usefixtures("both_databases")
WAN = papers.WAN
SAME = {"total_fen": 120 * WAN, "technical_fen": 100 * WAN, "reason": "补充协议"}


@pytest.fixture
def pair(parts: Parts) -> papers.Sides:
    chaining.begin(parts)
    return papers.sides(parts)


def changed(parts: Parts, pair: papers.Sides, filed: service.Filed, **what: object):
    with work_for(parts, pair.officer) as work:
        return service.change(work, filed.row.public_id, ChangeIn(**(SAME | what)))


def total(parts: Parts, part: Slice) -> tuple[int, int]:
    with parts.database.read() as session:
        assert list(audit(session)) == []
        assert ledger.verify(session) == []
        found = ledger.total(session, part)
        return found.count, found.technical_fen


def test_type_field_and_parties_move_and_the_contract_stays_as_signed(
    parts: Parts, pair: papers.Sides
) -> None:
    filed = papers.registered(parts, pair)
    other = factories.organisation(parts, OrganisationKind.COMPANY, region="500103")
    form = {
        "type": ContractType.SRV,
        "sub_type": "一般技术服务",
        "field": 7,
        "seller": "示范外地研究所",
        "seller_region": "510100",
        "buyer": other.name,
    }
    done = changed(parts, pair, filed, **form)
    again = changed(parts, pair, filed, **form)
    assert (done.row.state, done.row.changes, again.row.changes) == ("changed", 1, 1)
    assert done.contract.type == "DEV"
    now = standing.of(done.row, done.contract)
    assert (now["contract_type"], now["field"], now["seller_id"]) == ("SRV", 7, OUTSIDE)
    assert (now["buyer_id"], now["buyer_region"]) == (other.id, "500103")
    counted = 1, 100 * WAN
    assert total(parts, Slice(contract_type="SRV", field=7)) == counted
    assert total(parts, Slice(seller_region="510100")) == counted
    assert total(parts, Slice(buyer_id=other.id)) == counted
    for gone in (Slice(contract_type="DEV"), Slice(field=3), Slice(seller_id=pair.seller.id)):
        assert total(parts, gone) == (0, 0)
    with work_for(parts, factories.actor(parts, Role.MANAGER, other)) as work:
        service.object_to(work, filed.row.public_id, ObjectIn(reason="金额有误"))
    answer = ResolveIn(outcome="corrected", total_fen=60 * WAN, technical_fen=50 * WAN, note="更正")
    with work_for(parts, pair.officer) as work:
        service.resolve(work, filed.row.public_id, answer)
    assert total(parts, Slice(contract_type="SRV", seller_region="510100")) == (1, 50 * WAN)
    back = {
        "type": ContractType.DEV,
        "sub_type": "委托开发",
        "field": 3,
        "seller": pair.seller.name,
        "buyer": pair.buyer.name,
    }
    last = changed(parts, pair, filed, **back)
    assert last.row.in_force == {}
    assert total(parts, Slice(contract_type="DEV", seller_id=pair.seller.id)) == counted


@pytest.mark.parametrize(
    ("what", "field"),
    [
        ({}, "technical_fen"),
        ({"type": ContractType.SRV, "sub_type": "委托开发"}, "sub_type"),
        ({"sub_type": "合作开发"}, "type"),
        ({"seller": "示范外地研究所"}, "seller_region"),
    ],
)
def test_what_does_not_fit_is_told_at_its_field(
    parts: Parts, pair: papers.Sides, what: dict[str, object], field: str
) -> None:
    filed = papers.registered(parts, pair)
    with pytest.raises(Invalid) as refused:
        changed(parts, pair, filed, **what)
    assert set(refused.value.fields) == {field}
    with read_for(parts, pair.officer) as work:
        assert service.get(work, filed.row.public_id).row.changes == 0


def test_a_party_is_not_its_own_counterpart(parts: Parts, pair: papers.Sides) -> None:
    filed = papers.registered(parts, pair)
    with pytest.raises(Invalid) as refused:
        changed(parts, pair, filed, buyer=pair.seller.name)
    assert set(refused.value.fields) == {"buyer"}

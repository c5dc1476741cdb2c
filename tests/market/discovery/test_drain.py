"""From a committed change to a document that is found: order, replays, what goes wrong."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import pytest
from sqlmodel import Session, col, select

from market.accounts import organisations
from market.accounts.models import Organisation
from market.accounts.policy import Role
from market.accounts.schemas import VerifyIn
from market.accounts.work import Parts
from market.discovery.documents import SCHEMA
from market.discovery.drain import drain_index, give_back
from market.kit import changes
from market.kit.changes import Change, Consumer, Delivery, DeliveryState
from search.document import Deletion, Document
from search.engines.tantivy import TantivyEngine
from search.errors import DocumentRejected, SearchUnavailable
from search.parse import parse
from search.port import SearchEngine
from search.query import SearchRequest
from search.result import SearchResult
from search.schema import Schema
from tests import factories
from tests.market.discovery.conftest import Market
from tests.support.market import work_for


class Wrapped:
    """The real engine with one thing gone wrong."""

    def __init__(self, engine: SearchEngine) -> None:
        self.engine = engine
        self.writes = 0

    @property
    def schema(self) -> Schema:
        return self.engine.schema

    def search(self, request: SearchRequest) -> SearchResult:
        return self.engine.search(request)

    def write(self, upserts: Sequence[Document], deletions: Sequence[Deletion] = ()) -> None:
        self.writes += 1
        self.engine.write(upserts, deletions)

    def versions(self, ids: Collection[int]) -> dict[int, int]:
        return self.engine.versions(ids)

    def numbers(self, field: str, ids: Collection[int]) -> dict[int, int]:
        return self.engine.numbers(field, ids)

    def count(self) -> int:
        return self.engine.count()

    def scan(self) -> Iterator[tuple[int, int]]:
        return self.engine.scan()

    def frequencies(self, field: str, terms: Collection[str]) -> Mapping[str, int]:
        return self.engine.frequencies(field, terms)

    def close(self) -> None:
        self.engine.close()


class Killed(BaseException):
    pass


class DiesAfterWriting(Wrapped):
    def write(self, upserts: Sequence[Document], deletions: Sequence[Deletion] = ()) -> None:
        super().write(upserts, deletions)
        raise Killed


class Rejects(Wrapped):
    def __init__(self, engine: SearchEngine, title: str) -> None:
        super().__init__(engine)
        self.title = title

    def write(self, upserts: Sequence[Document], deletions: Sequence[Deletion] = ()) -> None:
        for one in upserts:
            if one.texts["title"] == self.title:
                raise DocumentRejected(one.id, "for the test")
        super().write(upserts, deletions)


class Down(Wrapped):
    def write(self, upserts: Sequence[Document], deletions: Sequence[Deletion] = ()) -> None:
        raise SearchUnavailable("for the test")


def found(engine: TantivyEngine, typed: str) -> list[int]:
    hits = engine.search(SearchRequest(parse(typed, SCHEMA).query)).hits
    return [hit.id for hit in hits]


def states(parts: Parts, consumer: Consumer = Consumer.INDEX) -> list[str]:
    with parts.database.read() as session:
        query = select(col(Delivery.state)).where(col(Delivery.consumer) == consumer)
        return list(session.exec(query.order_by(col(Delivery.change_id))))


def sequence(session: Session) -> list[tuple[int, int | None]]:
    return list(session.exec(select(col(Change.id), col(Change.seq)).order_by(col(Change.seq))))


def test_published_is_found_and_withdrawn_is_not(market: Market, both_databases: str) -> None:
    school = market.organisation(name="示范大学一")
    listing = market.achievement(school, "焊缝气孔在线视觉检测", body="双波段相机")
    assert found(market.engine, "气孔") == []
    market.index()
    assert found(market.engine, "气孔检测") == [listing.id]
    assert found(market.engine, "示范大学一") == [listing.id]
    market.withdraw(school, listing)
    market.index()
    assert found(market.engine, "气孔检测") == []
    assert set(states(market.parts)) == {DeliveryState.DONE}


def test_changes_get_a_gapless_order(market: Market, both_databases: str) -> None:
    school = market.organisation()
    for n in range(5):
        market.achievement(school, f"成果{n}")
    market.index()
    market.achievement(school, "成果六")
    market.index()
    with market.parts.database.read() as session:
        assert [seq for _, seq in sequence(session)] == [1, 2, 3, 4, 5, 6]


def test_many_changes_of_one_listing_are_one_write(market: Market) -> None:
    school = market.organisation()
    listing = market.achievement(school, "旧名称")
    for n in range(1, 6):
        market.edit(school, listing, f"第{n}版名称", n)
    engine = Wrapped(market.engine)
    assert drain_index(market.parts, engine) == 6
    assert engine.writes == 1
    assert engine.versions([listing.id]) == {listing.id: 6}
    assert found(market.engine, "第5版") == [listing.id]
    assert found(market.engine, "旧名称") == []


def test_killed_between_index_and_database_it_comes_again_without_harm(market: Market) -> None:
    school = market.organisation()
    listing = market.achievement(school, "镁合金低温成形")
    with pytest.raises(Killed):
        drain_index(market.parts, DiesAfterWriting(market.engine))
    assert states(market.parts) == [DeliveryState.CLAIMED]
    assert found(market.engine, "镁合金") == [listing.id]
    assert drain_index(market.parts, market.engine) == 0  # the lease still runs
    give_back(market.parts, Consumer.INDEX)
    assert drain_index(market.parts, market.engine) == 1
    assert states(market.parts) == [DeliveryState.DONE]
    assert market.engine.count() == 1


def test_a_lapsed_lease_is_taken_up_without_being_given_back(market: Market) -> None:
    market.achievement(market.organisation(), "镁合金低温成形")
    with pytest.raises(Killed):
        drain_index(market.parts, DiesAfterWriting(market.engine))
    market.parts.clock.advance(seconds=61)  # type: ignore[attr-defined]
    assert drain_index(market.parts, market.engine) == 1
    assert states(market.parts) == [DeliveryState.DONE]


def test_a_rejected_document_is_set_aside_alone(market: Market) -> None:
    school = market.organisation()
    market.achievement(school, "好成果一")
    market.achievement(school, "坏成果")
    good = market.achievement(school, "好成果二")
    engine = Rejects(market.engine, "坏成果")
    assert drain_index(market.parts, engine) == 3
    assert states(market.parts) == [DeliveryState.DONE, DeliveryState.WAITING, DeliveryState.DONE]
    assert good.id in found(market.engine, "成果二")
    for _ in range(changes.MAX_ATTEMPTS):
        market.parts.clock.advance(seconds=301)  # type: ignore[attr-defined]
        drain_index(market.parts, engine)
    assert states(market.parts)[1] == DeliveryState.ASIDE
    # What the index cannot take does not hold up its matching for ever.
    market.match()
    assert set(states(market.parts, Consumer.MATCH)) == {DeliveryState.DONE}


def test_an_engine_that_is_down_costs_no_attempt(market: Market) -> None:
    listing = market.achievement(market.organisation(), "山区边坡监测")
    for _ in range(changes.MAX_ATTEMPTS + 2):
        with pytest.raises(SearchUnavailable):
            drain_index(market.parts, Down(market.engine))
        give_back(market.parts, Consumer.INDEX)
    market.index()
    assert found(market.engine, "边坡") == [listing.id]


def test_older_state_never_overwrites_newer(market: Market) -> None:
    """Two batches of one listing whose writes arrive in the wrong order."""
    school = market.organisation()
    listing = market.achievement(school, "旧名称")
    held: list[tuple[Sequence[Document], Sequence[Deletion]]] = []

    class Late(Wrapped):
        def write(self, upserts: Sequence[Document], deletions: Sequence[Deletion] = ()) -> None:
            held.append((upserts, deletions))

    drain_index(market.parts, Late(market.engine))
    market.edit(school, listing, "新名称", 1)
    market.index()
    market.engine.write(*held[0])
    assert found(market.engine, "新名称") == [listing.id]
    assert found(market.engine, "旧名称") == []


def test_a_renamed_organisation_changes_all_its_documents(market: Market) -> None:
    school = market.organisation(name="旧校名大学")
    ids = sorted(market.achievement(school, f"成果{n}").id for n in range(7))
    market.settle()
    with work_for(market.parts, factories.actor(market.parts, Role.OFFICER)) as work:
        organisations.verify(
            work, school.public_id, VerifyIn(decision="verified", name="新校名大学")
        )
    market.settle()
    assert sorted(found(market.engine, "新校名")) == ids
    assert found(market.engine, "旧校名") == []


def test_an_organisation_refused_takes_its_listings_along(market: Market) -> None:
    school: Organisation = market.organisation(name="示范大学一")
    market.achievement(school, "镁合金低温成形")
    market.settle()
    officer = factories.actor(market.parts, Role.OFFICER)
    for decision, left in (("refused", 0), ("verified", 1)):
        with work_for(market.parts, officer) as work:
            verdict = VerifyIn(decision=decision, note="示例", self_publish=True)
            organisations.verify(work, school.public_id, verdict)
        market.settle()
        assert len(found(market.engine, "镁合金")) == left


def test_matches_wait_for_the_index(market: Market) -> None:
    market.achievement(market.organisation(), "镁合金低温成形")
    market.match()
    assert states(market.parts, Consumer.MATCH) == [DeliveryState.WAITING]
    market.index()
    market.match()
    assert states(market.parts, Consumer.MATCH) == [DeliveryState.DONE]


def test_a_masked_name_is_in_no_document(market: Market) -> None:
    firm = market.organisation(name="隐名示例机电", kind="company")
    listing = market.demand(firm, "车架焊缝在线检测", masked=True)
    market.index()
    assert found(market.engine, "车架焊缝") == [listing.id]
    assert found(market.engine, "隐名示例机电") == []
    facets = market.engine.search(SearchRequest(facets=("organisation",))).facets
    assert facets["organisation"] == ()

"""A market of any size filled at once: rows in bulk, and the index built beside them.

What stands in it is what publishing one by one would have left (the audit finds nothing), but for
the change log, which is empty. A plan names it whole: two processes with the same plan see the same
listings without handing them over.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from infra import migrate
from infra.bench import listings, repository
from infra.settings import Settings
from infra.wiring import build_parts, close_parts, open_writer
from market.accounts.models import Verification
from market.accounts.policy import OrganisationKind
from market.accounts.work import Parts
from market.catalog import publishing
from market.catalog import repository as catalog
from market.catalog.models import ListingState, ReviewState
from market.catalog.schemas import AchievementIn, DemandIn
from market.catalog.texts import bare, fact_columns, shared_columns
from market.catalog.views import Source
from market.catalog.vocabulary import ListingKind
from market.discovery.documents import document
from market.kit.ids import PUBLIC_ID_LENGTH, ListingId, OrganisationId, PublicId

DEMANDS_IN = 50  # one listing in so many is a demand, as on boards elsewhere
ORGANISATIONS = 200
BATCH = 5_000
_FIRST_ORGANISATION = 1_000  # ids: whatever a test or a person adds stands elsewhere
_YEARS_BACK = 3
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
_FORMS: dict[ListingKind, type[AchievementIn] | type[DemandIn]] = {
    ListingKind.ACHIEVEMENT: AchievementIn,
    ListingKind.DEMAND: DemandIn,
}

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """`achievements` and `demands`, the same for the same seed, published before `at`."""

    achievements: int
    demands: int
    seed: int
    at: datetime

    @property
    def total(self) -> int:
        return self.achievements + self.demands

    @property
    def counts(self) -> dict[ListingKind, int]:
        return {ListingKind.ACHIEVEMENT: self.achievements, ListingKind.DEMAND: self.demands}

    def sources(self) -> Iterator[Source]:
        """Yield every listing, the demands behind the achievements, ids from 1 on."""
        draw = random.Random(f"{self.seed}:market")  # noqa: S311  measurements, not secrets
        number = 0
        for kind, count in self.counts.items():
            rows = listings.listings(count, self.seed, demands=kind is ListingKind.DEMAND)
            for within, row in enumerate(rows, start=1):
                number += 1
                yield self._source(draw, kind, number, within, row)

    def _source(
        self,
        draw: random.Random,
        kind: ListingKind,
        number: int,
        within: int,
        row: dict[str, Any],
    ) -> Source:
        owner = draw.randrange(ORGANISATIONS)
        published = self.at - timedelta(seconds=draw.randrange(_YEARS_BACK * 365 * 86_400))
        text = bare(_FORMS[kind].model_validate(row))
        return Source(
            listing_id=ListingId(number),
            public_id=_public_id(f"{self.seed}:listing:{number}"),
            number=publishing.number(publishing.series(kind, self.at), within),
            kind=kind,
            organisation_id=OrganisationId(_FIRST_ORGANISATION + owner),
            organisation_public_id=_public_id(f"{self.seed}:organisation:{owner}"),
            organisation_name=_name(owner),
            organisation_kind=_kind(owner),
            masked=False,
            demo=False,
            region=text.region,
            text=text,
            published_at=published,
            updated_at=published,
        )


def of_size(size: int, seed: int, at: datetime) -> Plan:
    """Return a plan of `size` listings in all, one in DEMANDS_IN a demand."""
    demands = size // DEMANDS_IN
    return Plan(size - demands, demands, seed, at.replace(microsecond=0))


def fill(settings: Settings, plan: Plan, progress: Progress) -> None:
    """Fill an empty data folder: about 10 minutes and 2.5 GB for 1,000,000 listings.

    Raises MarketError where there is a market already, SearchUnavailable, OSError.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    migrate.migrate(settings.database)
    parts = build_parts(settings)
    try:
        with parts.database.write() as session:
            rows = [_organisation(plan, n) for n in range(ORGANISATIONS)]
            repository.add_organisations(session, rows)
            for kind, count in plan.counts.items():
                numbers = publishing.series(kind, plan.at)
                catalog.next_numbers(session, numbers, count)
        with closing(open_writer(settings)) as engine:
            done = 0
            rest = plan.sources()
            while some := list(islice(rest, BATCH)):
                for kind in ListingKind:
                    _insert(parts, kind, [one for one in some if one.kind is kind])
                engine.write([document(one, 1) for one in some])
                done += len(some)
                if done % (10 * BATCH) == 0 or done == plan.total:
                    progress(f"装入{done:,}/{plan.total:,}条")
    finally:
        close_parts(parts)


def _insert(parts: Parts, kind: ListingKind, sources: list[Source]) -> None:
    if not sources:
        return
    with parts.database.write() as session:
        repository.add_listings(
            session,
            kind,
            [_listing(one) for one in sources],
            [
                {
                    "id": one.listing_id,
                    "listing_id": one.listing_id,
                    "seq": 1,
                    "created_at": one.updated_at,
                }
                | shared_columns(one.text)
                for one in sources
            ],
            [fact_columns(one.text) | {"revision_id": one.listing_id} for one in sources],
        )


def _listing(source: Source) -> dict[str, Any]:
    return {
        "id": source.listing_id,
        "public_id": source.public_id,
        "number": source.number,
        "kind": source.kind,
        "organisation_id": source.organisation_id,
        "masked": False,
        "state": ListingState.PUBLISHED,
        "review_state": ReviewState.APPROVED,
        "public_revision_id": source.listing_id,
        "working_revision_id": source.listing_id,
        "created_at": source.published_at,
        "updated_at": source.updated_at,
        "published_at": source.published_at,
    }


def _organisation(plan: Plan, owner: int) -> dict[str, Any]:
    return {
        "id": _FIRST_ORGANISATION + owner,
        "public_id": _public_id(f"{plan.seed}:organisation:{owner}"),
        "kind": _kind(owner),
        "name": _name(owner),
        "region": "500106",
        "self_publish": True,
        "verification": Verification.VERIFIED,
        "verified_at": plan.at,
        "created_at": plan.at,
    }


def _kind(owner: int) -> OrganisationKind:
    return OrganisationKind.COMPANY if owner % 2 else OrganisationKind.UNIVERSITY


def _name(owner: int) -> str:
    return f"测量用{'企业' if owner % 2 else '大学'}{owner + 1}"


def _public_id(seed: str) -> PublicId:
    draw = random.Random(seed)  # noqa: S311  measurements, not secrets
    return PublicId("".join(draw.choices(_LETTERS, k=PUBLIC_ID_LENGTH)))

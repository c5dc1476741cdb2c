"""What goes into the ledger and what is asked of it: plain values, no noun of the market."""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Final

from market.kit.ids import OrganisationId, TransactionId

CONTRACTS: Final = "contracts"
COUNTED: Final = "counted:"
OUTSIDE: Final = OrganisationId(0)
"""Stands for a party that is no organisation of the market; its name tells which one."""


def counted(region: str) -> str:
    """Return the account of what sellers in a region have brought about."""
    return f"{COUNTED}{region}"


@dataclass(frozen=True, slots=True)
class Subject:
    """What is counted: `key` is registry:number, `digest` the SHA-256 of its document in hex.

    Amounts in fen: 成交额 and 技术交易额 as decided.
    """

    key: str
    digest: str
    contract_type: str
    sub_type: str
    field: int
    project_name: str
    seller_id: OrganisationId
    buyer_id: OrganisationId
    seller_name: str
    buyer_name: str
    seller_region: str
    buyer_region: str
    total_fen: int
    technical_fen: int


@dataclass(frozen=True, slots=True)
class Posting:
    """A subject to be counted: what `post_register` takes, as one value."""

    subject: Subject
    key: str
    effective_on: date


@dataclass(frozen=True, slots=True)
class Reversal:
    """A counted subject to be taken out again: what `post_reversal` takes, as one value.

    `effective_on` None stands for the day on which it was counted: as if it never had been.
    """

    original: TransactionId
    key: str
    digest: str
    effective_on: date | None


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a book; None leaves a side open, days are included.

    Regions are GB/T 2260 codes and take in what lies below them: 500000 has all of 50….
    `party_id` is an organisation on either side, `outside_seller` and `outside_buyer` the name of a
    side that is no organisation of the market; `registrations` the transactions that counted first.
    """

    since: date | None = None
    until: date | None = None
    seller_region: str | None = None
    buyer_region: str | None = None
    contract_type: str | None = None
    field: int | None = None
    seller_id: OrganisationId | None = None
    party_id: OrganisationId | None = None
    outside_seller: str | None = None
    buyer_id: OrganisationId | None = None
    outside_buyer: str | None = None
    registrations: frozenset[TransactionId] | None = None

    def narrowed(self, *, since: date, until: date) -> "Slice":
        """Return the part of this one that lies between two days."""
        return replace(
            self,
            since=max(since, self.since) if self.since else since,
            until=min(until, self.until) if self.until else until,
        )


class By(StrEnum):
    """What sums are taken by."""

    YEAR = "year"
    MONTH = "month"
    TYPE = "type"
    FIELD = "field"
    SELLER = "seller"
    BUYER = "buyer"


@dataclass(frozen=True, slots=True)
class Sum:
    """Registrations less reversals: `count` contracts, amounts in fen.

    `key` is 2026, "2026-11", "DEV", 3, or the seller's or buyer's id as text ("" where it is
    OUTSIDE, one row a name); `label` that side's name, else "".
    """

    key: str
    label: str
    count: int
    technical_fen: int
    total_fen: int


def region_prefix(region: str) -> str:
    """Return what all codes of a region begin with: 500106 → 500106, 500000 → 50."""
    while len(region) > 2 and region.endswith("00"):
        region = region[:-2]
    return region

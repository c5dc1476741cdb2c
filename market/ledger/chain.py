"""The keyed chain: what each link is made of, and the key that stands outside the database.

A link is an HMAC-SHA-256 over the link before and all that is to be kept, written in one canonical
way. Rows are told by their numbers in the book, never by the ids that a database gives.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from sqlmodel import Session

from market.kit.errors import Conflict
from market.ledger.models import Chain

KEEPING: Final = "ledger"
"""Under what a session carries its `Keeping`."""
NO_KEY: Final = (
    "账本的密钥不在这里：数据目录里没有 ledger.key，也没有设 ZHIHE_LEDGER_KEY，"
    "而账册已经用它链起来了。请放回另外保存的那一份，再做登记"
)
OTHER_KEY: Final = (
    "账本的密钥不是账册一直用的那一把（账册用的是{book}，这里的是{here}）。"
    "请放回另外保存的那一份（各台机器要用同一把），再做登记"
)
UNCHAINED: Final = "账册里有还没有接上密钥链的旧账，请先运行 zhihe migrate"

FIELDS: Final = (
    "book",
    "seq",
    "kind",
    "idempotency_key",
    "subject_key",
    "generation",
    "digest",
    "effective_on",
    "original_on",
    "posted_at",
    "contract_type",
    "sub_type",
    "field",
    "project_name",
    "seller_name",
    "buyer_name",
    "seller_id",
    "buyer_id",
    "seller_region",
    "buyer_region",
    "total_fen",
    "technical_fen",
)
"""What of a transaction is linked as it is; `register_id` and the like go in as numbers."""
_REFERENCES: Final = ("reverses_id", "register_id", "previous_id")

Side = tuple[str, int, int]
"""An entry as it is linked: account, fen, number of the transaction of its snapshot."""


class Key:
    """The ledger's key, and those made of it, so that no signature passes for a link."""

    def __init__(self, secret: bytes) -> None:
        self._links = _made(secret, "links")
        self._seals = _made(secret, "seals")
        self.id = _made(secret, "id").hex()[:16]

    def link(self, previous: str, content: Sequence[object]) -> str:
        return _mac(self._links, [previous, *content])

    def signature(self, content: Mapping[str, object]) -> str:
        return _mac(self._seals, content)


def _made(secret: bytes, purpose: str) -> bytes:
    return hmac.digest(secret, f"zhihe ledger {purpose}".encode(), hashlib.sha256)


def _mac(key: bytes, content: object) -> str:
    return hmac.digest(key, canonical(content), hashlib.sha256).hex()


def canonical(content: object) -> bytes:
    """Write plain values, days and moments in the one way in which they are linked."""
    return _ENCODE(content).encode()


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(" ", "microseconds")
    assert isinstance(value, date)
    return value.isoformat()


_ENCODE: Final = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain
).encode


@dataclass(frozen=True, slots=True)
class Keeping:
    """What the ledger needs beside its rows. `key` is None where it is not to be found.

    `heads` is the folder of the files outside the database. `close_days`: a month closes by itself
    so many days after its end, once the bureau has closed one; 0 leaves all of it to the bureau.
    """

    key: Key | None
    heads: Path | None = None
    close_days: int = 0


def keeping(session: Session) -> Keeping:
    found = session.info.get(KEEPING)
    return found if isinstance(found, Keeping) else Keeping(None)


def key_for(session: Session, key_id: str) -> Key:
    """Return the key, to go on with a chain of the key `key_id` ("" for one that begins).

    Raises Conflict where it is missing or another one: what was not linked with the chain's own
    key would be taken for forged.
    """
    key = keeping(session).key
    if key is None:
        raise Conflict(NO_KEY)
    if key_id not in ("", key.id):
        raise Conflict(OTHER_KEY.format(book=key_id, here=key.id))
    return key


def of_transaction(
    row: Mapping[str, Any], seqs: Mapping[int, int], sides: Iterable[Side]
) -> list[object]:
    """Return what of a transaction is linked. `seqs` gives the numbers of those it refers to; one
    that is not there stands as -1, which no chain has.
    """
    refers = [None if row[name] is None else seqs.get(int(row[name]), -1) for name in _REFERENCES]
    return [1, *(row[name] for name in FIELDS), *refers, sorted(sides)]


def of_record(
    seq: int, at: datetime, subject_kind: str, subject_key: str, digest: str
) -> list[object]:
    return [1, Chain.RECORDS, seq, at, subject_kind, subject_key, digest]


def beginning(chain: Chain) -> str:
    """Return what stands before the first link."""
    return f"zhihe {chain}"

"""The documents a person agrees to, by edition: what is asked at sign-up, and asked anew.

An edition is data: its text is the template `law/<document>_<version>.html`, and on its first day
everybody who signs in is asked about it.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final


class Document(StrEnum):
    PRIVACY = "privacy"
    TERMS = "terms"


NAMES: Final = {Document.PRIVACY: "隐私政策", Document.TERMS: "服务条款"}


@dataclass(frozen=True, slots=True)
class Edition:
    document: Document
    version: str
    effective_on: date


EDITIONS: Final = (
    Edition(Document.PRIVACY, "1", date(2026, 11, 1)),
    Edition(Document.TERMS, "1", date(2026, 11, 1)),
)


def editions(document: Document) -> list[Edition]:
    """Return the editions of a document, newest first."""
    found = [one for one in EDITIONS if one.document is document]
    return sorted(found, key=lambda one: one.effective_on, reverse=True)


def edition(document: Document, today: date, version: str = "") -> Edition | None:
    """Return an edition by its version, or for "" the one in force; before the first one, that."""
    found = editions(document)
    if version:
        return next((one for one in found if one.version == version), None)
    return next((one for one in found if one.effective_on <= today), found[-1])


def in_force(today: date) -> tuple[Edition, ...]:
    """Return the edition of every document that is in force on a day."""
    found = (edition(document, today) for document in Document)
    return tuple(one for one in found if one is not None)

"""What one row of a list shows, whichever noun it comes from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from markupsafe import Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingRow:
    """An achievement or a demand as it is scanned.

    `holder` is the name that this reader may see; `price` is formatted; `note` are further words
    of the meta line (intellectual property, shared terms); `deadline` is a demand's.
    """

    href: str
    title: str | Markup
    holder: str
    summary: str | Markup = ""
    fields: Sequence[str] = ()
    maturity: int | None = None
    maturity_label: str = ""
    price: str = ""
    modes: Sequence[str] = ()
    note: Sequence[str] = ()
    published: date | datetime | None = None
    deadline: date | None = None

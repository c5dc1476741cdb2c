"""A row of an import file as a listing, and a listing as a row of an export.

A table has text only, read as people write it (`intake_values`). JSON lines use the API's own
names and types; a text in one of them is read like a table's.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from market.catalog import intake_values as values
from market.catalog.intake_columns import COLUMNS, REFERENCE
from market.catalog.intake_prices import PLAUSIBLE_FEN
from market.catalog.models import Listing
from market.catalog.schemas import AchievementIn, DemandIn, Price
from market.catalog.texts import Text, digest
from market.catalog.vocabulary import (
    FIELDS,
    LABELS,
    ListingKind,
    Mode,
    PriceBasis,
    PriceForm,
    region_name,
)
from market.kit.intake import Change, Fault, Given
from market.kit.money import FEN_PER_YI, fen_to_wan
from market.kit.validation import sentence

Form = AchievementIn | DemandIn
FORMS: dict[ListingKind, type[AchievementIn] | type[DemandIn]] = {
    ListingKind.ACHIEVEMENT: AchievementIn,
    ListingKind.DEMAND: DemandIn,
}
_CHOICES = {"modes": tuple(Mode)}
_DOUBLED = re.compile(
    r"(?:“([^”]*)”)(?:在第\d+行已经有了|上次因重复没有导入)|与第\d+行是同一条|这一行上次因重复没有导入"
)
_SAID = {"region": "六位数字的行政区划代码"}


@dataclass(frozen=True, slots=True)
class Row:
    """A row that may stand as a listing.

    `given` are the columns that the file has; an update leaves the others as they are. `digest`
    is that of the given content. `reference` is the listing's public id, "" where not stated.
    """

    number: int
    form: Form
    given: frozenset[str]
    digest: str
    reference: str
    headings: Mapping[str, str]

    @property
    def key(self) -> str:
        """Return what the row is known by: the site's id, its own number, or its whole content."""
        if self.reference:
            return f"@{self.reference}"
        return f"#{self.digest}" if self.form.own_number is None else self.form.own_number

    def renumbers(self, listing: Listing) -> bool:
        """Tell whether the row gives a listing an own number that it does not have."""
        own = self.form.own_number
        return "own_number" in self.given and own is not None and own != listing.own_number


def read_row(kind: ListingKind, row: Given) -> tuple[Row | None, list[Fault]]:
    """Return (row, faults); the row is None where there are faults."""
    payload, faults = _payload(kind, row)
    given = frozenset(payload) - {REFERENCE}
    # Nothing in a column means its default, as an empty field of a form does.
    filled = {name: value for name, value in payload.items() if value is not None and value != ""}
    heading = row.headings.get("title", "title")
    if "title" not in filled and not any(heading == one.heading for one in faults):
        faults.append(Fault(heading, "不能是空的，每一行都要有名称"))
    reference = filled.pop(REFERENCE, "")
    if not isinstance(reference, str) or len(reference) > 20:
        faults.append(Fault(row.headings[REFERENCE], "应为导出文件里的平台编号，或留空"))
    if faults:
        return None, faults
    try:
        form = FORMS[kind].model_validate(filled)
    except ValidationError as refused:
        return None, _faults(refused, row.headings)
    if (fault := _doubled_before(row, form)) is not None:
        return None, [fault]
    kept = digest(form.model_dump(mode="json", include=set(given)))
    return Row(row.row, form, given, kept, reference, row.headings), []


def _doubled_before(row: Given, form: Form) -> Fault | None:
    """Refuse a row handed back as the second of one thing, and sent again as it was.

    Alone in its file it would overwrite the row that was taken.
    """
    found = _DOUBLED.search(row.returned)
    if found is None or found[1] not in (None, (form.own_number or "")[:20]):
        return None
    by = "own_number" if found[1] else REFERENCE
    what = f"“{found[1]}”" if found[1] else "这一行"
    return Fault(
        row.headings.get(by, ""),
        f"{what}上次因重复没有导入：请换编号；确要用它改写已有的一条，请删去“原因”里的字",
    )


def _payload(kind: ListingKind, row: Given) -> tuple[dict[str, Any], list[Fault]]:
    payload: dict[str, Any] = {}
    faults = []
    for column in COLUMNS[kind]:
        if column.key not in row.values:
            continue
        heading = row.headings.get(column.key, column.label)
        try:
            payload[column.key] = _value(column.key, row.values[column.key], heading)
        except ValueError as error:
            faults.append(Fault(heading, str(error)))
    return payload, faults


def _value(key: str, value: Any, heading: str) -> Any:
    if not isinstance(value, str):
        # A key counted by the sending system.
        return str(value) if key == "own_number" and type(value) is int else value
    text = value.replace("\r\n", "\n").replace("\r", "\n").strip()
    read = values.READERS.get(key)
    if read is None or not text:
        return text
    return None if values.is_nothing(text) else read(text, heading)


def _faults(refused: ValidationError, headings: Mapping[str, str]) -> list[Fault]:
    found: dict[str, Fault] = {}
    for error in refused.errors(include_url=False):
        name = str(error["loc"][0]) if error["loc"] else ""
        said = sentence(error, expected=_SAID.get(name, ""))
        if name in _CHOICES and error["type"] in ("enum", "literal_error"):
            said = (
                f"应从这些选项里选：{'、'.join(_CHOICES[name])}，现在是“{str(error['input'])[:20]}”"
            )
        found.setdefault(name, Fault(headings.get(name, name), said))
    return list(found.values())


def understood(kind: ListingKind, row: Given) -> dict[str, str]:
    """Return what is read of a row, column by column, as an export would write it."""
    payload, _ = _payload(kind, row)
    filled = {name: value for name, value in payload.items() if value is not None and value != ""}
    reference = filled.pop(REFERENCE, "")
    model = FORMS[kind]
    while True:
        try:
            form = model.model_validate({"title": "-"} | filled)
        except ValidationError as refused:
            wrong = {str(error["loc"][0]) for error in refused.errors() if error["loc"]}
            if not wrong & filled.keys():
                return {}
            filled = {name: value for name, value in filled.items() if name not in wrong}
        else:
            break
    beside = {"own_number": form.own_number or "", "masked": _yes(form.masked)}
    shown = {REFERENCE: str(reference)} | text_cells(form) | beside
    return {name: shown[name] for name in payload if name in filled}


def cells(listing: Listing, text: Text) -> dict[str, str]:
    """Return a listing as a row of an export."""
    beside = {
        "own_number": listing.own_number or "",
        "masked": _yes(listing.masked),
        REFERENCE: listing.public_id,
    }
    return text_cells(text) | beside


def changes(row: Row, listing: Listing, before: Text, after: Text) -> list[Change]:
    """Return the columns of a listing that a row changes, in the order of the form."""
    old = cells(listing, before)
    new = old | text_cells(after)
    if "masked" in row.given:
        new["masked"] = _yes(row.form.masked)
    if row.reference and row.renumbers(listing):
        new["own_number"] = row.form.own_number or ""
    labels = LABELS[ListingKind(listing.kind)]
    return [
        Change(label, old[name], new[name])
        for name, label in labels.items()
        if name in new and old[name] != new[name]
    ]


def text_cells(text: Text) -> dict[str, str]:
    """Return the columns of a text in the words that `read_row` reads."""
    shown = {
        name: value
        for name in type(text).model_fields
        if isinstance(value := getattr(text, name), str)
    }
    shown["keywords"] = values.joined(text.keywords)
    shown["modes"] = "、".join(text.modes)
    shown["field"] = "" if text.field is None else FIELDS[text.field]
    shown["region"] = region_name(text.region)
    shown["price"] = price_words(text.price)
    for name in ("maturity_level", "need_maturity"):
        if hasattr(text, name):
            level = getattr(text, name)
            shown[name] = "" if level is None else f"{level}级"
    if hasattr(text, "deadline"):
        shown["deadline"] = "" if text.deadline is None else text.deadline.isoformat()
    return shown


_PER = {PriceBasis.TOTAL: "", PriceBasis.YEAR: "/年", PriceBasis.UNIT: "/件"}


def price_words(price: Price) -> str:
    """Return a price exact to the fen, as the reader of prices takes it."""
    per = _PER[price.basis]
    if price.form is PriceForm.NONE:
        return f"面议{per}"
    low = "" if price.low_fen is None else _amount(price.low_fen)
    high = "" if price.high_fen is None else _amount(price.high_fen)
    return {
        PriceForm.FIXED: f"{low}{per}",
        PriceForm.RANGE: f"{low}～{high}{per}",
        PriceForm.FROM: f"{low}起{per}",
        PriceForm.UP_TO: f"{high}以内{per}",
    }[price.form]


def _amount(fen: int) -> str:
    if fen <= PLAUSIBLE_FEN:
        return f"{fen_to_wan(fen)}万元"
    return f"{Decimal(fen) / FEN_PER_YI:.10f}".rstrip("0").rstrip(".") + "亿元"


def _yes(value: bool) -> str:
    return "是" if value else "否"

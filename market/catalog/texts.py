"""The text of a listing: from its rows and back, compared, digested, and read for advice."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import JsonValue

from market.catalog.models import AchievementFacts, DemandFacts, ListingRevision
from market.catalog.schemas import (
    ADVISED_LENGTH,
    AchievementText,
    DemandText,
    ListingText,
    Price,
    WarningOut,
)
from market.catalog.vocabulary import LABELS, ListingKind, Mode, PriceBasis, PriceForm

Text = AchievementText | DemandText
Facts = AchievementFacts | DemandFacts

TEXTS: dict[ListingKind, type[AchievementText] | type[DemandText]] = {
    ListingKind.ACHIEVEMENT: AchievementText,
    ListingKind.DEMAND: DemandText,
}
_SHARED = frozenset(ListingText.model_fields)
_OWN = {model: model.model_fields.keys() - _SHARED for model in TEXTS.values()}
_PLAIN = _SHARED - {"price", "modes"}
_PRICE = ("price_form", "price_basis", "price_low_fen", "price_high_fen")
_COPIED = {kind: tuple(_PLAIN | _OWN[model]) for kind, model in TEXTS.items()}
_STORED = {kind: (*names, "modes", *_PRICE) for kind, names in _COPIED.items()}
_ADVISED = ("problem", "key_technology", "expected_goal")


@dataclass(frozen=True, slots=True)
class Difference:
    """One column of two texts that differs; values as JSON."""

    field: str
    before: JsonValue
    after: JsonValue


def kind_of(text: Text) -> ListingKind:
    return ListingKind.DEMAND if isinstance(text, DemandText) else ListingKind.ACHIEVEMENT


def text_of(revision: ListingRevision, facts: Facts) -> Text:
    """Return the text of a stored revision. What is stored was checked when it came in."""
    kind = ListingKind.DEMAND if isinstance(facts, DemandFacts) else ListingKind.ACHIEVEMENT
    own = _OWN[TEXTS[kind]]
    stored = {name: getattr(facts if name in own else revision, name) for name in _STORED[kind]}
    return text_in(stored, kind)


def text_in(columns: Mapping[str, Any], kind: ListingKind) -> Text:
    """Return the text that stands in the columns of a revision and of its kind's facts."""
    model = TEXTS[kind]
    values = {name: columns[name] for name in _COPIED[kind]}
    values["keywords"] = list(values["keywords"])
    values["modes"] = [Mode(mode) for mode in columns["modes"]]
    values["price"] = Price.model_construct(
        form=PriceForm(columns["price_form"]),
        basis=PriceBasis(columns["price_basis"]),
        low_fen=columns["price_low_fen"],
        high_fen=columns["price_high_fen"],
    )
    return model.model_construct(**values)


def bare(form: Text) -> Text:
    """Return only the text of a form that carries more (own number, masked, based_on)."""
    model = TEXTS[kind_of(form)]
    return model.model_construct(**{name: getattr(form, name) for name in model.model_fields})


def shared_columns(text: Text) -> dict[str, Any]:
    """Return the columns of a `listing_revision` row for this text."""
    columns = {name: getattr(text, name) for name in _PLAIN}
    return columns | {
        "modes": [str(mode) for mode in text.modes],
        "price_form": text.price.form,
        "price_basis": text.price.basis,
        "price_low_fen": text.price.low_fen,
        "price_high_fen": text.price.high_fen,
    }


def fact_columns(text: Text) -> dict[str, Any]:
    """Return the columns of the kind's own fact row for this text."""
    return {name: getattr(text, name) for name in _OWN[type(text)]}


def differences(before: Text | None, after: Text) -> list[Difference]:
    """Return the columns that differ, in the order of the form; all that are filled for a first."""
    new = after.model_dump(mode="json")
    old = (before or type(after).model_construct(title="")).model_dump(mode="json")
    order = list(LABELS[kind_of(after)])
    return [
        Difference(name, old[name], new[name])
        for name in sorted(new, key=order.index)
        if old[name] != new[name]
    ]


def digest(values: Mapping[str, Any]) -> str:
    """Return the hash of an import row's values, the same for the same content in any order."""
    text = json.dumps(values, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def warnings(text: Text, *, masked: bool, organisation: str, today: date) -> list[WarningOut]:
    """Return what is worth a second look; nothing of it is refused."""
    found = []
    if isinstance(text, DemandText):
        for name in _ADVISED:
            if (length := len(getattr(text, name))) > ADVISED_LENGTH:
                advice = f"建议{ADVISED_LENGTH}字以内，现在是{length}个字，已原样保存"
                found.append(WarningOut(field=name, message=advice))
        if text.deadline is not None and text.deadline < today:
            found.append(WarningOut(field="deadline", message=f"{text.deadline}已经过去"))
    if masked:
        named = "写有贵单位名称，隐去名称后别人仍会从这里看到"
        found += [
            WarningOut(field=name, message=named)
            for name in type(text).model_fields
            if isinstance(value := getattr(text, name), str) and organisation in value
        ]
    return found

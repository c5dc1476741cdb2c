"""The forms of listings: what a browser sends, and the way to the catalogue's own types."""

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints

from frontend import forms
from market.catalog.drafts import STALE
from market.catalog.schemas import (
    AchievementEditIn,
    AchievementIn,
    DemandEditIn,
    DemandIn,
    Keywords,
    Level,
    Modes,
    OwnNumber,
    Price,
)
from market.catalog.texts import Text
from market.catalog.views import OwnListing
from market.catalog.vocabulary import (
    FIELDS,
    LABELS,
    MATURITY,
    REGIONS,
    ListingKind,
    Mode,
    PriceBasis,
    PriceForm,
)
from market.kit.errors import Conflict
from market.kit.wire import Optional60, Prose, Storable, Title

A, D = LABELS[ListingKind.ACHIEVEMENT], LABELS[ListingKind.DEMAND]

PRICE_FORMS = (
    (PriceForm.NONE, "面议"),
    (PriceForm.FIXED, "一口价"),
    (PriceForm.FROM, "起价"),
    (PriceForm.UP_TO, "不超过"),
    (PriceForm.RANGE, "区间"),
)
PRICE_BASES = (
    (PriceBasis.TOTAL, "总价"),
    (PriceBasis.YEAR, "每年"),
    (PriceBasis.UNIT, "每件"),
)
OPTIONS = {
    "field": tuple(FIELDS.items()),
    "region": tuple(REGIONS.items()),
    "modes": tuple((mode.value, mode.value) for mode in Mode),
    "maturity": tuple((level, f"{level}级 {words}") for level, words in MATURITY.items()),
    "price_form": PRICE_FORMS,
    "price_basis": PRICE_BASES,
}


TITLE_LENGTH = 60
"""What reads as a title of what was typed to search."""


def apart(typed: object) -> object:
    """Split what was typed into one box: 焊缝、视觉检测."""
    if not isinstance(typed, list):
        return typed
    return [
        word for text in typed for part in re.split(r"[、,，;；\n]", text) if (word := part.strip())
    ]


def _limited(limit: int) -> object:
    return StringConstraints(strip_whitespace=True, max_length=limit)


class _ListingForm(BaseModel):
    title: Title = Field(title="名称")
    summary: Annotated[str, _limited(500), Storable] = Field("", title=A["summary"])
    field: int | None = Field(None, title=A["field"], ge=min(FIELDS), le=max(FIELDS))
    body: Prose = Field("", title="说明")
    keywords: Annotated[Keywords, BeforeValidator(apart)] = Field([], title=A["keywords"])
    modes: Modes = Field([], title=A["modes"])
    price_form: PriceForm = Field(PriceForm.NONE, title="报价方式")
    price_basis: PriceBasis = Field(PriceBasis.TOTAL, title="计价")
    price_low: forms.Wan | None = Field(None, title="金额")
    price_high: forms.Wan | None = Field(None, title="区间上限")
    region: str = Field("", title=A["region"], pattern=r"^([0-9]{6})?$", description="列表中的地区")
    own_number: OwnNumber | None = Field(None, title=A["own_number"])
    masked: bool = Field(False, title=A["masked"])
    based_on: forms.Whole = Field(0, title="版本", ge=0, le=1_000_000)
    seen: forms.Whole | None = Field(None, title="修改次数", ge=0, le=1_000_000)


class AchievementForm(_ListingForm):
    title: Title = Field(title=A["title"])
    body: Prose = Field("", title=A["body"])
    application: Annotated[str, _limited(1000), Storable] = Field("", title=A["application"])
    advantage: Annotated[str, _limited(1000), Storable] = Field("", title=A["advantage"])
    maturity_level: Level | None = Field(None, title=A["maturity_level"])
    ip_status: Optional60 = Field("", title=A["ip_status"])
    ip_numbers: Annotated[str, _limited(500), Storable] = Field("", title=A["ip_numbers"])
    completers: Annotated[str, _limited(300), Storable] = Field("", title=A["completers"])


class DemandForm(_ListingForm):
    title: Title = Field(title=D["title"])
    body: Prose = Field("", title=D["body"])
    problem: Prose = Field("", title=D["problem"])
    key_technology: Prose = Field("", title=D["key_technology"])
    expected_goal: Prose = Field("", title=D["expected_goal"])
    need_maturity: Level | None = Field(None, title=D["need_maturity"])
    deadline: forms.LastDay | None = Field(None, title=D["deadline"])


Typed = AchievementForm | DemandForm
AnyForm = forms.Form[AchievementForm] | forms.Form[DemandForm]
MODELS: dict[ListingKind, type[AchievementForm] | type[DemandForm]] = {
    ListingKind.ACHIEVEMENT: AchievementForm,
    ListingKind.DEMAND: DemandForm,
}


def parse(kind: ListingKind, sent: forms.Submission) -> AnyForm:
    """Return the form of what was sent, its price checked as a whole."""
    if kind is ListingKind.ACHIEVEMENT:
        achievement = forms.parse(AchievementForm, sent)
        _check_price(achievement, achievement.data)
        return achievement
    demand = forms.parse(DemandForm, sent)
    _check_price(demand, demand.data)
    return demand


def _check_price(form: AnyForm, data: Typed | None) -> None:
    if data is None:
        return
    how, low, high = data.price_form, data.price_low, data.price_high
    if how is PriceForm.NONE and (low is not None or high is not None):
        form.fail("price_form", "选了面议，金额却填了数；请清空金额或改选别的报价方式")
    elif how is not PriceForm.NONE and low is None:
        form.fail("price_low", "这种报价方式要填金额，现在是空的")
    elif how is PriceForm.RANGE and high is None:
        form.fail("price_high", "区间要填上限，现在是空的")
    elif how is PriceForm.RANGE and low is not None and high is not None and low > high:
        form.fail("price_high", "应不低于下限，现在低于下限")
    elif how is not PriceForm.RANGE and high is not None:
        form.fail("price_high", "只有区间才填上限，请清空或改选区间")


def _price(data: Typed) -> Price:
    low, high = data.price_low, data.price_high
    ends = {
        PriceForm.NONE: (None, None),
        PriceForm.FIXED: (low, low),
        PriceForm.FROM: (low, None),
        PriceForm.UP_TO: (None, low),
        PriceForm.RANGE: (low, high),
    }[data.price_form]
    return Price(form=data.price_form, basis=data.price_basis, low_fen=ends[0], high_fen=ends[1])


def _values(data: Typed) -> dict[str, object]:
    left_out = {"price_form", "price_basis", "price_low", "price_high", "based_on", "seen"}
    names = type(data).model_fields.keys() - left_out
    return {name: getattr(data, name) for name in names} | {"price": _price(data)}


def to_new(data: Typed) -> AchievementIn | DemandIn:
    model = AchievementIn if isinstance(data, AchievementForm) else DemandIn
    return model.model_validate(_values(data))


def to_edit(data: Typed) -> AchievementEditIn | DemandEditIn:
    """Raises Conflict for a form that does not say which revision it was filled from."""
    if data.based_on == 0:
        raise Conflict(STALE)
    model = AchievementEditIn if isinstance(data, AchievementForm) else DemandEditIn
    return model.model_validate(_values(data) | {"based_on": data.based_on, "seen": data.seen})


def blank(kind: ListingKind, typed: str = "") -> AnyForm:
    """Return an empty form, with what was typed into a search as the title. What makes no title is
    a problem in somebody's own words: all of it stands in the text, its beginning in the title.
    """
    filled: dict[str, object] = {
        "price_form": PriceForm.NONE,
        "price_basis": PriceBasis.TOTAL,
        "title": typed,
    }
    if len(typed) > TITLE_LENGTH:
        text = "problem" if kind is ListingKind.DEMAND else "body"
        filled |= {"title": typed[:TITLE_LENGTH], text: typed}
    return _filled(kind, filled)


def of(view: OwnListing) -> AnyForm:
    """Return the form of a listing as its owner would have typed it."""
    values: dict[str, object] = _typed(view.text) | {
        "own_number": view.listing.own_number,
        "masked": view.listing.masked,
        "based_on": view.revision,
        "seen": view.listing.edits,
    }
    return _filled(ListingKind(view.listing.kind), values)


def _typed(text: Text) -> dict[str, object]:
    price = text.price
    single = price.high_fen if price.form is PriceForm.UP_TO else price.low_fen
    plain = {name: getattr(text, name) for name in type(text).model_fields.keys() - {"price"}}
    return plain | {
        "keywords": "、".join(text.keywords),
        "modes": [mode.value for mode in text.modes],
        "price_form": price.form,
        "price_basis": price.basis,
        "price_low": forms.wan(single),
        "price_high": forms.wan(price.high_fen) if price.form is PriceForm.RANGE else None,
    }


def _filled(kind: ListingKind, values: dict[str, object]) -> AnyForm:
    if kind is ListingKind.ACHIEVEMENT:
        return forms.blank(AchievementForm, values)
    return forms.blank(DemandForm, values)

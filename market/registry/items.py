"""The national form's items that no contract tells: what is known already, and what is missing."""

from typing import Annotated, Final, Literal

from pydantic import Field

from market.accounts import repository as accounts
from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import Work
from market.deals import repository_inquiries as inquiries
from market.deals.models import Contract
from market.kit.wire import In, OneLine, Optional60, text
from market.registry import repository
from market.registry.vocabulary import Ipr, PlanSource, Scale

Nature = Literal["010", "021", "022", "023", "024", "030", "100", "200", "300"]
Industry = Annotated[str, Field(pattern=r"^[A-T]$")]  # a section of GB/T 4754-2017
Address = Annotated[str, text(200), OneLine]
Postcode = Annotated[str, Field(pattern=r"^(\d{6})?$")]


class Items(In):
    """None where nobody has said it yet. A contract in a foreign language (外文合同) is handed in
    with its Chinese copy in the same file, and `same_text` is the seller's undertaking that both
    say the same (rule book 2).
    """

    related: bool | None = Field(default=None, examples=[False])
    plan: PlanSource | None = Field(default=None, examples=["none"], strict=False)
    ipr: Ipr | None = Field(default=None, examples=["secret"], strict=False)
    industry: Industry | None = Field(default=None, examples=["C"])
    foreign_language: bool = Field(default=False, examples=[False])
    same_text: bool = Field(default=False, examples=[False])
    objective: Optional60 = Field(default="", examples=["工商业发展"])
    buyer_nature: Nature | None = Field(default=None, examples=["100"])
    buyer_transfer_org: bool = Field(default=False, examples=[False])
    buyer_rd_org: bool = Field(default=False, examples=[False])
    buyer_converted: bool = Field(default=False, examples=[False])
    buyer_in_zone: bool = Field(default=False, examples=[False])
    buyer_listed: bool = Field(default=False, examples=[False])
    buyer_scale: Scale | None = Field(default=None, examples=["small"], strict=False)
    buyer_address: Address = Field(default="", examples=["重庆市示范路1号"])
    buyer_representative: Optional60 = Field(default="", examples=["示范王甲"])
    buyer_contact: Optional60 = Field(default="", examples=["示范李乙"])
    buyer_phone: Optional60 = Field(default="", examples=["13800000002"])
    buyer_postcode: Postcode = Field(default="", examples=["400000"])


REQUIRED: Final[dict[str, str]] = {
    "related": "关联交易",
    "plan": "计划来源",
    "ipr": "知识产权",
    "buyer_nature": "买方性质",
}
"""Without these the form is not whole."""

_IPR_OF_SUB_TYPE: Final = {
    "专利权": Ipr.PATENT,
    "专利申请权": Ipr.PATENT,
    "专利实施许可": Ipr.PATENT,
    "技术秘密": Ipr.SECRET,
    "技术秘密使用许可": Ipr.SECRET,
    "计算机软件著作权": Ipr.SOFTWARE,
    "集成电路布图设计专有权": Ipr.LAYOUT,
    "植物新品种权": Ipr.PLANT,
}
_NATURE_OF_KIND: Final[dict[str, Nature]] = {
    OrganisationKind.UNIVERSITY: "022",
    OrganisationKind.COMPANY: "100",
    OrganisationKind.BUREAU: "010",
}
PERSONAL: Final = ("buyer_representative", "buyer_contact", "buyer_phone")
"""Items about a person."""
_OF_BUYER: Final = tuple(name for name in Items.model_fields if name.startswith("buyer_"))


def missing(items: Items) -> dict[str, str]:
    """Return what the form still needs, by item."""
    found = {
        name: f"登记表还缺“{label}”"
        for name, label in REQUIRED.items()
        if getattr(items, name) is None
    }
    if items.foreign_language and not items.same_text:
        found["same_text"] = "外文合同须附中文译本，并承诺译本与原文一致"
    return found


def known(work: Work, contract: Contract) -> Items:
    """Return what organisations, deal and earlier applications tell of a contract's form."""
    buyer = accounts.organisation(work.session, contract.buyer_id)
    values: dict[str, object] = {
        "ipr": _IPR_OF_SUB_TYPE.get(contract.sub_type),
        "buyer_nature": _NATURE_OF_KIND.get(buyer.kind),
        "buyer_address": buyer.address,
    }
    contact = inquiries.contact_of(work.session, contract.deal_id, contract.buyer_id)
    if contact is not None:
        values["buyer_contact"], values["buyer_phone"] = contact
    earlier = repository.newest_of_buyer(work.session, contract.seller_id, contract.buyer_id)
    if earlier is not None:
        told = {name: earlier.row.items.get(name) for name in _OF_BUYER}
        values |= {name: value for name, value in told.items() if value not in (None, "")}
    return Items.model_validate(values)


def shown(work: Work, contract: Contract, told: Items) -> Items:
    """Return the items as the actor may read them: who represents the buyer, and by what telephone
    it is reached, is for the parties and the bureau, and for no broker.
    """
    party = work.actor.organisation_id in (contract.seller_id, contract.buyer_id)
    if party or work.actor.role is Role.OFFICER:
        return told
    return told.model_copy(update=dict.fromkeys(PERSONAL, ""))


def read(stored: dict[str, object]) -> Items:
    """Return the items of a registration's row."""
    return Items.model_validate(stored)

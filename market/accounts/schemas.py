"""Wire types of accounts."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from market.accounts.policy import OrganisationKind, Role
from market.kit.wire import (
    Email,
    In,
    OneLine,
    Optional200,
    OrganisationName,
    Out,
    PathId,
    Phone,
    Short,
    Unaltered,
    text,
)

Password = Annotated[str, StringConstraints(min_length=10, max_length=200), Unaltered]
Region = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
CreditCode = Annotated[str, text(40), OneLine]
OpenKind = Literal[OrganisationKind.UNIVERSITY, OrganisationKind.COMPANY, OrganisationKind.AGENCY]
MemberRole = Literal[Role.VIEWER, Role.EDITOR, Role.MANAGER]


class SignUpIn(In):
    email: Email = Field(examples=["zhang@example.com"])
    name: Short = Field(examples=["示范张甲"])
    phone: Phone = Field(default="", examples=["13800000001"])
    password: Password = Field(examples=["a-long-passphrase"])
    agreed: bool = Field(
        default=False,
        examples=[True],
        description="同意现行的隐私政策（/privacy）和服务条款（/terms）；不同意不能注册",
    )


class ProfileIn(In):
    """`seen_…` are what the form was opened with."""

    name: Short = Field(examples=["示范张甲"])
    phone: Phone = Field(default="", examples=["13800000001"])
    seen_name: Short = Field(examples=["示范张"])
    seen_phone: Phone = Field(default="", examples=["13800000000"])


class SignInIn(In):
    email: Email = Field(examples=["zhang@example.com"])
    password: Annotated[str, StringConstraints(min_length=1, max_length=200), Unaltered] = Field(
        examples=["a-long-passphrase"]
    )


class TokenIn(SignInIn):
    """Ask for a token: bound to one organisation, or to none before one has joined any."""

    name: Short = Field(default="API", examples=["科研处同步"])
    organisation: PathId | None = Field(default=None, examples=[None])


class TokenOut(Out):
    id: str
    token: str = Field(description="shown this once", examples=["zh_…"])
    expires_at: datetime


class OrganisationIn(In):
    kind: OpenKind = Field(examples=["university"])
    name: OrganisationName = Field(examples=["示范大学一"])
    credit_code: CreditCode = Field(examples=["12990000MB0000001X"])
    region: Region = Field(default="500106", examples=["500106"])
    address: Optional200 = Field(default="", examples=["示范路1号"])
    state_founded: bool = Field(default=False, examples=[True])


class OrganisationOut(Out):
    id: str = Field(validation_alias="public_id")
    kind: OrganisationKind
    name: str
    region: str
    verification: str
    state_founded: bool
    demo: bool
    edits: int = Field(description="每次修改加一")


class VerifyIn(In):
    """The bureau's decision. `name` corrects the organisation's name, "" leaves it."""

    name: Annotated[str, text(120), OneLine] = Field(default="", examples=[""])
    decision: Literal["verified", "refused"] = Field(examples=["verified"])
    note: Optional200 = Field(default="", examples=[""])
    self_publish: bool = Field(default=False, examples=[False])
    seen: int | None = Field(
        default=None,
        ge=0,
        le=1_000_000,
        examples=[None],
        description="读到的 `edits`；别人先改过时答409",
    )


class JoinIn(In):
    role: MemberRole = Field(default=Role.EDITOR, examples=["editor"])


class DecideMemberIn(In):
    decision: Literal["accept", "refuse", "remove"] = Field(examples=["accept"])
    role: MemberRole | None = Field(default=None, examples=["editor"])


class MemberOut(Out):
    id: str
    name: str
    email: str
    role: Role
    state: str


class MembershipOut(Out):
    id: str
    organisation: OrganisationOut
    role: Role
    state: str


class MeOut(Out):
    id: str
    name: str
    email: str
    role: Role
    organisation: OrganisationOut | None
    memberships: list[MembershipOut]


class AuditOut(Out):
    id: int
    at: datetime
    role: str
    action: str
    subject: str | None
    outcome: str
    detail: str | None
    person: str | None
    organisation: str | None

"""The JSON edge of one's own data."""

from typing import Annotated

from fastapi import Request
from pydantic import Field, StringConstraints

from market import personal
from market.accounts.edge import address_of, api_router, opens
from market.accounts.policy import Action
from market.accounts.work import Work
from market.kit.wire import In, Out, Storable

router = api_router("accounts")


class OwnRecords(Out):
    title: str
    rows: list[dict[str, str | int | bool]] = Field(description="每行：中文栏目 → 值")


class OwnData(Out):
    items: list[OwnRecords]
    kept: list[str] = Field(description="注销后仍保留的，一句一项")


class DeletionIn(In):
    password: Annotated[str, StringConstraints(min_length=1, max_length=200), Storable] = Field(
        examples=["a-long-passphrase"]
    )
    confirm: Annotated[str, StringConstraints(max_length=50), Storable] = Field(
        examples=[personal.CONFIRM], description=f"照样写“{personal.CONFIRM}”"
    )


@router.get("/me/data")
def own_data(work: Annotated[Work, opens(Action.DATA_OWN)]) -> OwnData:
    """Everything that is held of oneself."""
    return OwnData(
        items=[
            OwnRecords(title=title, rows=[dict(row) for row in rows])
            for title, rows in personal.copy(work).items()
        ],
        kept=list(personal.KEPT),
    )


@router.post("/me/deletion", status_code=204)
def delete_account(
    form: DeletionIn, request: Request, work: Annotated[Work, opens(Action.DATA_OWN)]
) -> None:
    """Delete one's account for good; all tokens end with it."""
    personal.delete(work.parts, work.actor, form.password, form.confirm, address_of(request))

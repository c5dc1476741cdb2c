"""The pipeline board: deals under way as cards in lanes, moved by form, mouse or keyboard."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from frontend import deal_path
from frontend.deal_path import DealLine
from frontend.edge import Page, opens_page
from market.accounts.policy import Action
from market.deals import service, views
from market.deals.views import Stage
from market.deals.vocabulary import PHASES, DealState, Phase, Shelf

router = APIRouter()

CARDS = 300
"""Deals that are read for the board, those changed last; the list has them all."""
SHOWN = 20
SIGNED = 50


@dataclass(frozen=True, slots=True)
class Lane:
    """One column. `phase` is where its cards may be moved to, "" for lanes that no hand fills."""

    key: str
    name: str
    phase: str
    lines: Sequence[DealLine]
    shown: Sequence[DealLine]

    @property
    def amount_fen(self) -> int:
        return sum(line.amount_fen or 0 for line in self.lines)


@router.get("/deals/board")
def board(page: Annotated[Page, opens_page(Action.DEAL_VIEW)]) -> Response:
    work = page.work
    running = deal_path.lines(work, views.deals_of_actor(work, Shelf.RUNNING, size=CARDS))
    signed = deal_path.lines(work, views.deals_of_actor(work, Shelf.SIGNED, size=SIGNED))
    counts = service.deal_counts(work)
    return page.render(
        "deals/board.html",
        {
            "lanes": _lanes(running, signed),
            "count": counts[Shelf.RUNNING],
            "left_out": max(counts[Shelf.RUNNING] - CARDS, 0),
            "signed_left_out": max(counts[Shelf.SIGNED] - SIGNED, 0),
            "running_fen": service.running_fen(work),
            "may_move": work.may(Action.DEAL_MOVE),
            "phases": tuple((one.value, text) for one, text in PHASES.items()),
            "now": work.now,
            "today": work.today,
        },
    )


def _lanes(running: Sequence[DealLine], signed: Sequence[DealLine]) -> list[Lane]:
    talking = [line for line in running if line.row.deal.state == DealState.NEGOTIATION]
    lanes = [
        _lane(
            phase.value,
            name,
            [line for line in talking if line.row.deal.phase == phase],
            phase.value,
        )
        for phase, name in PHASES.items()
    ]
    for stage, name in ((Stage.PRICING, "公示与定价"), (Stage.SIGNING, "签约")):
        found = [line for line in running if line.row.stage is stage]
        lanes.append(_lane(stage.value, name, found))
    registering = [line for line in signed if line.point not in deal_path.OVER]
    return [*lanes, _lane("registering", "登记", registering)]


def _lane(key: str, name: str, lines: Sequence[DealLine], phase: Phase | str = "") -> Lane:
    return Lane(key, name, phase, lines, lines[:SHOWN])

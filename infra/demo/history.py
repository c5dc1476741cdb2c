"""Contracts registered in the past, brought in by the way that every contract takes.

The content tells of a past contract only what its certificate says. Each is replayed as a demand
of its buyer that the seller asked about, and that was withdrawn once the contract was registered;
the days between are set back from the day of signing.
"""

from datetime import date, timedelta

from infra.demo.content import Row, day, read
from infra.demo.papers import Sides, conclude
from infra.demo.replay import Replay, Story
from infra.demo.stories import ask, publish
from market.accounts.policy import Action
from market.catalog import publishing
from market.catalog.schemas import DemandIn
from market.catalog.vocabulary import Mode
from market.deals.schemas import InquiryIn
from market.deals.vocabulary import PRICED_TYPES, ContractType, LineKind, PayMethod, PricingPathKind

# Days before signing. The 公示 of 15 days, rolled over the longest holiday, ends before.
_PUBLISHED, _ASKED, _ANSWERED, _AGREED, _PRICED, _DRAFTED = 75, 68, 63, 49, 42, 10
_TERM = timedelta(days=730)

_MODES = {
    "合作开发": Mode.JOINT,
    "专利权": Mode.PATENT_ASSIGNMENT,
    "专利申请权": Mode.APPLICATION_ASSIGNMENT,
    "专利实施许可": Mode.PLAIN,
    "技术秘密使用许可": Mode.PLAIN,
}


def begin(replay: Replay) -> None:
    """Start the stories of all past contracts."""
    state_founded = {row["key"] for row in read("organisations") if row["state_founded"]}
    for row in read("history"):
        priced = row["seller"] in state_founded and ContractType(row["type"]) in PRICED_TYPES
        replay.start(_story(replay, row, priced=priced))


def _story(replay: Replay, row: Row, *, priced: bool) -> Story:
    told = _told(replay, row, priced=priced)
    sides = Sides(
        row["seller"], row["buyer"] or row["buyer_name"], row["field"], row["project_name"]
    )
    form = DemandIn(
        title=row["project_name"],
        body="技术要求、进度和验收指标向来函单位提供。",
        field=row["field"],
        region=row["buyer_region"],
    )
    signed = day(row["signed_on"])
    demand = yield from publish(replay, sides.buyer, form, replay.workday(signed, _PUBLISHED))
    yield replay.workday(signed, _ASKED)
    question = InquiryIn(
        listing=demand, message="我单位可以承担，请提供技术要求，我们据此提交方案和报价。"
    )
    deal = yield from ask(replay, sides.seller, question, owner=sides.buyer, answer=told["answer"])
    assert deal is not None
    yield from conclude(replay, told, sides, deal)
    with replay.act(sides.buyer, Action.LISTING_EDIT) as work:
        publishing.withdraw(work, demand)


def _told(replay: Replay, row: Row, *, priced: bool) -> Row:
    """Return a past contract in the shape in which the content tells of deals."""
    signed, registered = day(row["signed_on"]), day(row["registered_on"])

    def before(days: int) -> str:
        return replay.workday(signed, days).isoformat()

    return {
        "answer": {
            "text": "技术要求已整理，请按此提交方案，随后洽谈。",
            "answered_on": before(_ANSWERED),
        },
        "terms": {
            "mode": _MODES.get(row["sub_type"], Mode.OTHER),
            "amount_fen": row["total_fen"],
            "text": "内容、进度和验收按双方商定的技术要求，分期支付。",
            "agreed_on": before(_AGREED),
        },
        "pricing": {
            "path": PricingPathKind.AGREEMENT,
            "published_on": before(_PRICED),
            "exchange": "",
            "dealt_on": None,
            "interested": False,
        }
        if priced
        else None,
        "contract": _contract(row, signed, before(_DRAFTED)),
        "registration": {
            "submitted_on": replay.workday(signed + (registered - signed) / 2).isoformat(),
            "decided_on": row["registered_on"],
            "decision": "registered",
            "number": row["number"],
            "total_fen": row["total_fen"],
            "technical_fen": row["technical_fen"],
        },
        "lost": None,
        "notes": [],
        "disclosure": dict.fromkeys(("seller", "buyer"), row["disclosed"]),
    }


def _contract(row: Row, signed: date, drafted_on: str) -> Row:
    amounts = {
        ("技术费用", LineKind.TECHNICAL): row["technical_fen"],
        ("设备与材料", LineKind.NON_TECHNICAL): row["total_fen"] - row["technical_fen"],
    }
    return {
        "project_name": row["project_name"],
        "type": row["type"],
        "sub_type": row["sub_type"],
        "pay_method": PayMethod.INSTALMENTS,
        "total_fen": row["total_fen"],
        "lines": [
            {"name": name, "kind": kind, "amount_fen": amount}
            for (name, kind), amount in amounts.items()
            if amount
        ],
        "drafted_on": drafted_on,
        "signed_on": row["signed_on"],
        "begins_on": signed,
        "ends_on": signed + _TERM,
    }

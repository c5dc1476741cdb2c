"""What a paper says of its registration at its top: that it is no more, or that it was changed.

A form or summary shows what was signed and certified; printed or sent on, it must not pass for
what is in force.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from market.kit.clock import local_date
from market.kit.money import fen_to_wan
from market.registry.models import RegistrationEvent
from market.registry.repository import Filed
from market.registry.states import RegistrationState, Step
from market.registry.vocabulary import END_CAUSES

S = RegistrationState
_STATES: Final = {
    Step.CANCEL: "已注销",
    Step.REVOKE: "已撤销",
    Step.UNDO: "已撤回（录入有误）",
    Step.CHANGE: "有变更",
    Step.CORRECT: "有变更（复核更正）",
    Step.OBJECT: "异议复核中",
    Step.REFUSE: "不予登记",
    Step.WITHDRAW: "申请已撤回",
}
_OUT: Final = frozenset({Step.CANCEL, Step.REVOKE, Step.UNDO, Step.REFUSE, Step.WITHDRAW})
LEFT: Final = "本机构已不是合同的一方，以下是变更以前的内容"


@dataclass(frozen=True, slots=True)
class Stamp:
    """`word` is what the registration is, since `on`; `why` the cause and what was said of it.

    `counts` are 成交额 and 技术交易额 in force, in fen; 0 of what is no more.
    """

    word: str
    on: date
    why: str
    counts: tuple[int, int]

    def rows(self) -> list[tuple[str, str]]:
        """Return (item, words) for the top of a paper."""
        return [
            ("登记状态", self.word),
            ("自何日起", str(self.on)),
            ("原因", self.why),
            ("现行成交额（万元）", fen_to_wan(self.counts[0])),
            ("现行技术交易额（万元）", fen_to_wan(self.counts[1])),
        ]

    def data(self) -> dict[str, Any]:
        return {
            "state": self.word,
            "since": self.on.isoformat(),
            "reason": self.why,
            "totalamount_fen": self.counts[0],
            "technicalamount_fen": self.counts[1],
        }


def of(filed: Filed, steps: Sequence[RegistrationEvent]) -> Stamp | None:
    """Return what the latest step that told otherwise made of a registration; None where it
    stands as it was decided, or is not decided yet. `steps` are all that the reader was shown.
    """
    row = filed.row
    counts = row.total_fen or 0, row.technical_fen or 0
    telling = [
        one
        for one in steps
        # One that was answered by upholding is over.
        if one.step in _STATES and (one.step != Step.OBJECT or row.state == S.OBJECTION)
    ]
    if filed.left_on is not None:
        return Stamp(LEFT, filed.left_on, "登记变更", counts)
    if not telling:
        return None
    last = telling[-1]
    step = Step(last.step)
    why = "：".join(part for part in (END_CAUSES.get(last.cause, ""), last.note) if part)
    return Stamp(_STATES[step], local_date(last.at), why, (0, 0) if step in _OUT else counts)

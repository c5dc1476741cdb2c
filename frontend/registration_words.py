"""How registrations are told: states, steps, the form's items."""

from collections.abc import Mapping, Sequence
from typing import Final

from market.registry.states import RegistrationState, Step
from market.registry.vocabulary import INDUSTRIES, IPRS, NATURES, PLANS, SCALES

S = RegistrationState

# state → mark and word
STATES: Final[Mapping[str, tuple[str, str]]] = {
    S.DRAFT: ("todo", "草稿"),
    S.SUBMITTED: ("wait", "待受理"),
    S.CORRECTION: ("soon", "待补正"),
    S.ACCEPTED: ("now", "审查中"),
    S.EXPERT_REVIEW: ("now", "专家评审"),
    S.REGISTERED: ("done", "已登记"),
    S.CHANGED: ("done", "已登记（有变更）"),
    S.OBJECTION: ("soon", "异议复核中"),
    S.NOT_REGISTERED: ("stop", "不予登记"),
    S.CANCELLED: ("stop", "已注销"),
    S.REVOKED: ("stop", "已撤销"),
    S.WITHDRAWN: ("stop", "已撤回"),
}
STEPS: Final[Mapping[str, str]] = {
    Step.HAND_IN: "提交登记申请",
    Step.WITHDRAW: "撤回申请",
    Step.RETURN: "要求补正",
    Step.ACCEPT: "受理",
    Step.REVIEW: "转专家评审",
    Step.REGISTER: "准予登记",
    Step.REFUSE: "不予登记",
    Step.CHANGE: "变更登记",
    Step.CANCEL: "注销登记",
    Step.REVOKE: "撤销登记",
    Step.OBJECT: "提出异议",
    Step.UPHOLD: "复核异议，维持登记",
    Step.CORRECT: "复核异议，更正登记",
    Step.UNDO: "撤回登记（录入有误）",
}
SHOWN_AT_DESK: Final = tuple(state for state in S if state is not S.DRAFT)


def choices(words: Mapping[str, str]) -> Sequence[tuple[str, str]]:
    return [(str(key), text) for key, text in words.items()]


FORM_CHOICES: Final = {
    "plans": choices({str(k): v for k, v in PLANS.items()}),
    "iprs": choices({str(k): v for k, v in IPRS.items()}),
    "natures": choices(NATURES),
    "scales": choices({str(k): v for k, v in SCALES.items()}),
    "industries": choices(INDUSTRIES),
    "related": [("0", "否"), ("1", "是")],
}

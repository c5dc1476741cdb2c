"""What a broker is paid, as it was agreed: no statutory rate exists (民法典 963–965).

Amounts in fen, rates in ten-thousandths.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from market.kit.money import wan_in_words
from market.kit.shares import share_nearest


class FeeKind(StrEnum):
    NONE = "none"
    RATE = "rate"
    FIXED = "fixed"


class FeeBase(StrEnum):
    TOTAL = "total"
    TECHNICAL = "technical"


class Payer(StrEnum):
    UNSAID = "unsaid"
    PRINCIPAL = "principal"
    COUNTERPART = "counterpart"
    BOTH = "both"


FEE_KINDS: Final = {
    FeeKind.NONE: "没有约定数额",
    FeeKind.RATE: "按比例",
    FeeKind.FIXED: "固定金额",
}
FEE_BASES: Final = {FeeBase.TOTAL: "成交额", FeeBase.TECHNICAL: "技术交易额"}
PAYERS: Final = {
    Payer.UNSAID: "没有约定（由委托方付）",
    Payer.PRINCIPAL: "委托方付",
    Payer.COUNTERPART: "相对方付",
    Payer.BOTH: "双方各半",
}


@dataclass(frozen=True, slots=True)
class Fee:
    """What was agreed. `cost_fen`: the necessary cost owed without success; 0 for none."""

    kind: FeeKind = FeeKind.NONE
    rate_bp: int | None = None
    fixed_fen: int | None = None
    base: FeeBase = FeeBase.TOTAL
    payer: Payer = Payer.UNSAID
    cost_fen: int = 0

    def due(self, total_fen: int, technical_fen: int) -> int | None:
        """Return the fee on a contract of these sums, to the nearest fen; None where none can be
        worked out.
        """
        if self.kind is FeeKind.FIXED:
            return self.fixed_fen
        if self.kind is FeeKind.RATE and self.rate_bp is not None:
            base = total_fen if self.base is FeeBase.TOTAL else technical_fen
            return share_nearest(base, self.rate_bp)
        return None

    @property
    def words(self) -> str:
        """Return the figure as a sentence says it: 成交额的3%, 5万元."""
        if self.kind is FeeKind.FIXED and self.fixed_fen is not None:
            return wan_in_words(self.fixed_fen)
        if self.kind is FeeKind.RATE and self.rate_bp is not None:
            return f"{FEE_BASES[self.base]}的{self.rate_bp / 100:g}%"
        return FEE_KINDS[FeeKind.NONE]

"""The words of the registration desk."""

from typing import Final

REGISTRY: Final = "default"  # one registry; its numbers are unique within it

# Article 39 of the 2024-12-20 draft of the rules in force since 2026-03-01; wants checking
# against the final text.
REFUSAL_REASONS: Final[dict[str, str]] = {
    "parties": "主体不明确",
    "subject": "标的不明确",
    "price": "价款不明确",
    "monopoly": "非法垄断技术或侵害他人成果",
    "evidence": "证明材料缺失或不符",
    "seal": "单位名称与印章不一致",
}

# The draft's days for a decision, counted from the day of the application; longer from 500万元 of
# 技术交易额 on. The bureau's own limits were not found.
DECIDE_WORKING_DAYS: Final = 15
DECIDE_LARGE_WORKING_DAYS: Final = 30
LARGE_TECHNICAL_FEN: Final = 500_000_000

"""The words of deals and contracts, each with the rule it comes from."""

from enum import StrEnum
from typing import Final

PAGE: Final = 50  # rows of a list


class Side(StrEnum):
    SELLER = "seller"
    BUYER = "buyer"


class Box(StrEnum):
    """Which inquiries: those an organisation was asked, or those it asked."""

    RECEIVED = "received"
    SENT = "sent"


class Shelf(StrEnum):
    """Deals under way, concluded by a signed contract, or ended without one."""

    RUNNING = "running"
    SIGNED = "signed"
    LOST = "lost"


class InquiryState(StrEnum):
    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


class IntroductionState(StrEnum):
    PROPOSED = "proposed"
    ACCEPTED_SELLER = "accepted_seller"
    ACCEPTED_BUYER = "accepted_buyer"
    ACCEPTED = "accepted"
    DECLINED = "declined"


class DealState(StrEnum):
    NEGOTIATION = "negotiation"
    AGREED = "agreed"
    LOST = "lost"


class Phase(StrEnum):
    """How far a negotiation is, moved by hand by either leading party while it goes on."""

    CONTACT = "contact"  # 初步接触
    ASSESSMENT = "assessment"  # 技术考察
    BARGAINING = "bargaining"  # 商务谈判


class StageEntered(StrEnum):
    """What the history of a deal records it entered: a phase, or one of the steps after it."""

    CONTACT = "contact"
    ASSESSMENT = "assessment"
    BARGAINING = "bargaining"
    AGREED = "agreed"
    PRICING = "pricing"  # publicised, or put on an exchange
    SIGNED = "signed"
    LOST = "lost"


class PricingPathKind(StrEnum):
    """How a state-founded unit finds its price (促进科技成果转化法 18)."""

    AGREEMENT = "agreement"  # 协议定价, publicised
    LISTING = "listing"  # 挂牌交易
    AUCTION = "auction"  # 拍卖


class PricingState(StrEnum):
    PUBLICISED = "publicised"
    CLEARED = "cleared"  # the 公示 ran out without a standing objection
    LISTED = "listed"
    DEALT = "dealt"
    STOPPED = "stopped"


class ObjectionState(StrEnum):
    OPEN = "open"
    CLEARED = "cleared"
    UPHELD = "upheld"  # the 公示 was stopped for it


class ContractState(StrEnum):
    DRAFTED = "drafted"
    SIGNED = "signed"
    DROPPED = "dropped"


class Audience(StrEnum):
    OWN = "own"  # the writer's own organisation
    BROKERS = "brokers"  # and its brokers
    PARTIES = "parties"  # and all parties, without brokers
    ALL = "all"  # all parties and their brokers


class LineKind(StrEnum):
    TECHNICAL = "technical"
    NON_TECHNICAL = "non_technical"


class ContractType(StrEnum):
    """民法典 843–887."""

    DEV = "DEV"
    TRF = "TRF"
    LIC = "LIC"
    CON = "CON"
    SRV = "SRV"


class PayMethod(StrEnum):
    """民法典 846."""

    LUMP = "lump"
    INSTALMENTS = "instalments"
    ROYALTY = "royalty"
    ROYALTY_ENTRY = "royalty_entry"


class RoyaltyBase(StrEnum):
    """What a royalty is a share of (民法典 846)."""

    PRICE = "price"
    NEW_OUTPUT = "new_output"
    PROFIT = "profit"
    SALES = "sales"


class RoyaltyTrend(StrEnum):
    """How the rate goes from year to year (民法典 846)."""

    FIXED = "fixed"
    RISING = "rising"
    FALLING = "falling"


class Licence(StrEnum):
    """许可方式; unspecified means plain (最高人民法院关于技术合同的解释 25)."""

    SOLE = "sole"
    EXCLUSIVE = "exclusive"
    PLAIN = "plain"


class LostReason(StrEnum):
    PRICE = "price"
    CONDITIONS = "conditions"
    TECHNICAL = "technical"
    FUNDS = "funds"
    SILENT = "silent"
    ELSEWHERE = "elsewhere"
    OTHER = "other"


class StopReason(StrEnum):
    OBJECTION = "objection"
    PRICE = "price"
    LEFT = "left"
    OTHER = "other"


CONTRACT_TYPES: Final[dict[ContractType, str]] = {
    ContractType.DEV: "技术开发",
    ContractType.TRF: "技术转让",
    ContractType.LIC: "技术许可",
    ContractType.CON: "技术咨询",
    ContractType.SRV: "技术服务",
}

# 851, 863, 876, 878, 887.
SUB_TYPES: Final[dict[ContractType, tuple[str, ...]]] = {
    ContractType.DEV: ("委托开发", "合作开发"),
    ContractType.TRF: (
        "专利权",
        "专利申请权",
        "技术秘密",
        "集成电路布图设计专有权",
        "植物新品种权",
        "计算机软件著作权",
    ),
    ContractType.LIC: ("专利实施许可", "技术秘密使用许可"),
    ContractType.CON: ("技术咨询",),
    ContractType.SRV: ("一般技术服务", "技术培训", "技术中介"),
}

PAY_METHODS: Final[dict[PayMethod, str]] = {
    PayMethod.LUMP: "一次总算一次总付",
    PayMethod.INSTALMENTS: "一次总算分期支付",
    PayMethod.ROYALTY: "提成支付",
    PayMethod.ROYALTY_ENTRY: "提成支付附加预付入门费",
}

ROYALTY_BASES: Final[dict[RoyaltyBase, str]] = {
    RoyaltyBase.SALES: "产品销售额",
    RoyaltyBase.PRICE: "产品价格",
    RoyaltyBase.PROFIT: "利润",
    RoyaltyBase.NEW_OUTPUT: "新增产值",
}

ROYALTY_TRENDS: Final[dict[RoyaltyTrend, str]] = {
    RoyaltyTrend.FIXED: "固定比例",
    RoyaltyTrend.RISING: "逐年递增",
    RoyaltyTrend.FALLING: "逐年递减",
}

LICENCES: Final[dict[Licence, str]] = {
    Licence.SOLE: "独占",
    Licence.EXCLUSIVE: "排他",
    Licence.PLAIN: "普通",
}

AUDIENCES: Final[dict[Audience, str]] = {
    Audience.OWN: "仅本单位",
    Audience.BROKERS: "本单位和本单位的经理人",
    Audience.PARTIES: "买卖双方",
    Audience.ALL: "双方和经理人",
}

# To whom else what was shown to some may be shown: nobody loses sight of it.
WIDER: Final[dict[Audience, frozenset[Audience]]] = {
    Audience.OWN: frozenset({Audience.BROKERS, Audience.PARTIES, Audience.ALL}),
    Audience.BROKERS: frozenset({Audience.ALL}),
    Audience.PARTIES: frozenset({Audience.ALL}),
    Audience.ALL: frozenset(),
}

UNSPECIFIED_LICENCE: Final = "许可"

PHASES: Final[dict[Phase, str]] = {
    Phase.CONTACT: "初步接触",
    Phase.ASSESSMENT: "技术考察",
    Phase.BARGAINING: "商务谈判",
}

LOST_REASONS: Final[dict[LostReason, str]] = {
    LostReason.PRICE: "价格谈不拢",
    LostReason.CONDITIONS: "合作条件谈不拢",
    LostReason.TECHNICAL: "技术不合需要",
    LostReason.FUNDS: "资金或预算不足",
    LostReason.SILENT: "对方长期没有回应",
    LostReason.ELSEWHERE: "已与他方合作",
    LostReason.OTHER: "其他",
}

STOP_REASONS: Final[dict[StopReason, str]] = {
    StopReason.OBJECTION: "收到异议，需要处理",
    StopReason.PRICE: "价格有变",
    StopReason.LEFT: "一方退出",
    StopReason.OTHER: "其他",
}

PATHS: Final[dict[PricingPathKind, str]] = {
    PricingPathKind.AGREEMENT: "协议定价",
    PricingPathKind.LISTING: "挂牌交易",
    PricingPathKind.AUCTION: "拍卖",
}

# Assigning and licensing an achievement is what 促进科技成果转化法 18 lets a state-founded unit do
# only at a price found by one of the three paths; development, consulting and service are not.
PRICED_TYPES: Final = frozenset({ContractType.TRF, ContractType.LIC})

# The platform's own promise to who asks; no law sets one.
ANSWER_WORKING_DAYS: Final = 3

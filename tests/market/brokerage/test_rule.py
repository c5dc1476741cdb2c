"""Named cases: who is owed what, and whether 跳单 is flagged."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

import pytest

from market.access.fees import Fee, FeeBase, FeeKind, Payer
from market.brokerage.rule import (
    Clause,
    Ground,
    IntroductionFact,
    MandateFact,
    Signed,
    judge,
    without_success,
)

SELLER, BUYER, X, Y, Z = 1, 2, 11, 12, 13
ACHIEVEMENT, DEMAND = 101, 102
WAN = 1_000_000
BEGIN, END = date(2026, 1, 1), date(2026, 12, 31)
MEETING = date(2026, 3, 2)
SIGNING = date(2026, 6, 1)
DEAL, OTHER_DEAL = 7, 8
WINDOW = 365
THREE_PERCENT = Fee(FeeKind.RATE, rate_bp=300, payer=Payer.PRINCIPAL)


def at(day: date, hour: int = 2) -> datetime:
    return datetime.combine(day, time(hour), UTC)


def mandate(
    fee: Fee = THREE_PERCENT, *, principal=SELLER, agency=X, begin=BEGIN, end=END, number=1
):
    return MandateFact(number, agency, principal, begin, end, fee)


def introduced(by=None, *, on=MEETING, deal=DEAL, consented=True, number=1, **values):
    by = by or mandate()
    plain = {"seller": SELLER, "buyer": BUYER, "achievement": ACHIEVEMENT, "demand": DEMAND}
    return IntroductionFact(
        id=number,
        broker=by.agency,
        mandate=by,
        proposed_at=at(on),
        proposed_on=on,
        consented_at=at(on + timedelta(days=3)) if consented else None,
        deal=deal if consented else None,
        **{**plain, **values},
    )


def signed(**values) -> Signed:
    plain = {
        "deal": DEAL,
        "sellers": (SELLER,),
        "buyers": (BUYER,),
        "subjects": frozenset({ACHIEVEMENT, DEMAND}),
        "total_fen": 100 * WAN,
        "technical_fen": 80 * WAN,
        "signed_on": SIGNING,
    }
    return Signed(**{**plain, **values})


@dataclass(frozen=True)
class Case:
    """`owed`: by introduction (None: the clause), what is owed or None for an open figure."""

    name: str
    signed: Signed
    introductions: list[IntroductionFact]
    grounds: list[Ground]
    owed: list[int | None]
    payers: dict[int, int] = field(default_factory=dict)
    brokers: dict[int, int] = field(default_factory=dict)

    @property
    def bypassed(self) -> bool:
        return Ground.BYPASS in self.grounds


def fixed(fen: int, payer: Payer = Payer.PRINCIPAL) -> Fee:
    return Fee(FeeKind.FIXED, fixed_fen=fen, payer=payer)


AROUND = {"deal": OTHER_DEAL}
S, B, C = Ground.SUCCESS, Ground.BYPASS, Ground.CLAUSE
CASES = [
    Case(
        "委托方付成交额的3%",
        signed(),
        [introduced()],
        [S],
        [3 * WAN],
        {SELLER: 3 * WAN},
        {X: 3 * WAN},
    ),
    Case(
        "按技术交易额的2.5%",
        signed(),
        [introduced(mandate(Fee(FeeKind.RATE, rate_bp=250, base=FeeBase.TECHNICAL)))],
        [S],
        [2 * WAN],
        {SELLER: 2 * WAN},
        {X: 2 * WAN},
    ),
    Case(
        "固定5万元由相对方付",
        signed(),
        [introduced(mandate(fixed(5 * WAN, Payer.COUNTERPART)))],
        [S],
        [5 * WAN],
        {BUYER: 5 * WAN},
        {X: 5 * WAN},
    ),
    Case(
        "没写谁付由委托方付",
        signed(),
        [introduced(mandate(fixed(5 * WAN, Payer.UNSAID), principal=BUYER))],
        [S],
        [5 * WAN],
        {BUYER: 5 * WAN},
        {X: 5 * WAN},
    ),
    Case(
        "双方各半单数分归委托方",
        signed(),
        [introduced(mandate(fixed(100_01, Payer.BOTH), principal=BUYER))],
        [S],
        [100_01],
        {BUYER: 50_01, SELLER: 50_00},
        {X: 100_01},
    ),
    Case(
        "没有约定数额不代填",
        signed(),
        [introduced(mandate(Fee()))],
        [S],
        [None],
        {SELLER: 0},
        {X: 0},
    ),
    Case(
        "合同内条款三家平分100元双方各半",
        signed(clause=Clause(((X, 1), (Y, 1), (Z, 1)), fixed(100_00, Payer.UNSAID))),
        [],
        [C],
        [100_00],
        {SELLER: 50_00, BUYER: 50_00},
        {X: 33_34, Y: 33_33, Z: 33_33},
    ),
    Case(
        "合同内条款写明买方付",
        signed(
            clause=Clause(((X, 7), (Y, 3)), Fee(FeeKind.RATE, rate_bp=100, payer=Payer.COUNTERPART))
        ),
        [],
        [C],
        [1 * WAN],
        {BUYER: 1 * WAN},
        {X: 700_000, Y: 300_000},
    ),
    Case(
        "条款点名的机构不再按委托另收",
        signed(clause=Clause(((X, 1),), fixed(2 * WAN, Payer.UNSAID))),
        [introduced()],
        [C],
        [2 * WAN],
        {SELLER: 1 * WAN, BUYER: 1 * WAN},
        {X: 2 * WAN},
    ),
    Case(
        "同一委托方两家机构先引荐者得",
        signed(),
        [
            introduced(mandate(agency=Y, number=2), on=MEETING + timedelta(days=9), number=2),
            introduced(),
        ],
        [S, Ground.OVERTAKEN],
        [3 * WAN, 0],
        {SELLER: 3 * WAN},
        {X: 3 * WAN},
    ),
    Case(
        "双方各有机构各付各的",
        signed(),
        [
            introduced(),
            introduced(mandate(fixed(1 * WAN), principal=BUYER, agency=Y, number=2), number=2),
        ],
        [S, S],
        [3 * WAN, 1 * WAN],
        {SELLER: 3 * WAN, BUYER: 1 * WAN},
        {X: 3 * WAN, Y: 1 * WAN},
    ),
    Case(
        "期内引荐委托到期后签约仍有报酬",
        signed(signed_on=END + timedelta(days=60)),
        [introduced()],
        [S],
        [3 * WAN],
        {SELLER: 3 * WAN},
        {X: 3 * WAN},
    ),
    Case(
        "委托到期后才引荐",
        signed(),
        [introduced(mandate(end=MEETING - timedelta(days=1)))],
        [Ground.UNMANDATED],
        [0],
    ),
    Case(
        "委托最后一天引荐算期内",
        signed(),
        [introduced(mandate(end=MEETING))],
        [S],
        [3 * WAN],
        {SELLER: 3 * WAN},
        {X: 3 * WAN},
    ),
    Case(
        "谢绝引荐后自行签约",
        signed(),
        [introduced(consented=False)],
        [B],
        [3 * WAN],
        {SELLER: 3 * WAN},
        {X: 3 * WAN},
    ),
    Case(
        "另开一份洽谈签同一成果",
        signed(**AROUND, subjects=frozenset({ACHIEVEMENT})),
        [introduced()],
        [B],
        [3 * WAN],
        {SELLER: 3 * WAN},
        {X: 3 * WAN},
    ),
    Case(
        "绕开但期限最后一天签约",
        signed(**AROUND, signed_on=MEETING + timedelta(days=WINDOW)),
        [introduced()],
        [B],
        [3 * WAN],
        {SELLER: 3 * WAN},
        {X: 3 * WAN},
    ),
    Case(
        "超过期限一天签约",
        signed(**AROUND, signed_on=MEETING + timedelta(days=WINDOW + 1)),
        [introduced()],
        [Ground.LATE],
        [0],
    ),
    Case(
        "引荐之前双方已在谈",
        signed(**AROUND, met_at=at(MEETING, 1)),
        [introduced()],
        [Ground.KNOWN],
        [0],
    ),
    Case(
        "引荐之后才询问仍是跳单",
        signed(**AROUND, met_at=at(MEETING, 3)),
        [introduced()],
        [B],
        [3 * WAN],
        {SELLER: 3 * WAN},
        {X: 3 * WAN},
    ),
    Case(
        "签的是另一项成果另一项需求",
        signed(**AROUND, subjects=frozenset({201, 202})),
        [introduced()],
        [Ground.OTHER_SUBJECT],
        [0],
    ),
    Case(
        "同两家机构反向的另一桩生意",
        signed(**AROUND, sellers=(BUYER,), buyers=(SELLER,), subjects=frozenset({201})),
        [introduced()],
        [Ground.OTHER_SUBJECT],
        [0],
    ),
    Case("与引荐无关的一方签约", signed(**AROUND, buyers=(3,)), [introduced()], [], []),
    Case("独家委托没有引荐就没有报酬", signed(), [], [], []),
    Case(
        "跳单时没有约定数额也标记",
        signed(**AROUND),
        [introduced(mandate(Fee()))],
        [B],
        [None],
        {SELLER: 0},
        {X: 0},
    ),
    Case(
        "绕开两家机构先引荐者得",
        signed(**AROUND),
        [
            introduced(),
            introduced(mandate(agency=Y, number=2), on=MEETING + timedelta(days=5), number=2),
        ],
        [B, Ground.OVERTAKEN],
        [3 * WAN, 0],
        {SELLER: 3 * WAN},
        {X: 3 * WAN},
    ),
    Case(
        "谢绝了第一家后由第二家促成",
        signed(),
        [
            introduced(consented=False),
            introduced(mandate(agency=Y, number=2), on=MEETING + timedelta(days=9), number=2),
        ],
        [S, Ground.OVERTAKEN],
        [3 * WAN, 0],
        {SELLER: 3 * WAN},
        {Y: 3 * WAN},
    ),
    Case(
        "条款点名第一家后第二家不再另收",
        signed(clause=Clause(((X, 1),), fixed(2 * WAN))),
        [
            introduced(),
            introduced(mandate(agency=Y, number=2), on=MEETING + timedelta(days=9), number=2),
        ],
        [Ground.OVERTAKEN, C],
        [0, 2 * WAN],
        {SELLER: 2 * WAN},
        {X: 2 * WAN},
    ),
    Case(
        "条款点名一方的机构另一方的照付",
        signed(clause=Clause(((X, 1),), fixed(2 * WAN))),
        [
            introduced(),
            introduced(mandate(fixed(1 * WAN), principal=BUYER, agency=Y, number=2), number=2),
        ],
        [S, C],
        [1 * WAN, 2 * WAN],
        {SELLER: 2 * WAN, BUYER: 1 * WAN},
        {X: 2 * WAN, Y: 1 * WAN},
    ),
    Case(
        "由别家牵头而自己作共同卖方仍是跳单",
        signed(**AROUND, sellers=(3, SELLER)),
        [introduced()],
        [B],
        [3 * WAN],
        {SELLER: 3 * WAN},
        {X: 3 * WAN},
    ),
    Case(
        "买方作共同买方仍是跳单由双方各半",
        signed(**AROUND, buyers=(3, BUYER)),
        [introduced(mandate(fixed(2 * WAN, Payer.BOTH)))],
        [B],
        [2 * WAN],
        {SELLER: 1 * WAN, BUYER: 1 * WAN},
        {X: 2 * WAN},
    ),
    Case(
        "引荐的双方同为卖方不是跳单",
        signed(**AROUND, sellers=(SELLER, BUYER), buyers=(3,)),
        [introduced()],
        [],
        [],
    ),
    Case(
        "引荐的成果作附带的成果签约仍是跳单",
        signed(**AROUND, subjects=frozenset({201, ACHIEVEMENT})),
        [introduced()],
        [B],
        [3 * WAN],
        {SELLER: 3 * WAN},
        {X: 3 * WAN},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_who_is_owed_what(case: Case) -> None:
    found = judge(case.signed, case.introductions, bypass_days=WINDOW)
    assert [claim.ground for claim in found] == case.grounds
    assert [claim.amount_fen for claim in found] == case.owed
    payers: dict[int, int] = {}
    brokers: dict[int, int] = {}
    for claim in found:
        for sums, parts in ((payers, claim.payers), (brokers, claim.brokers)):
            assert sum(fen for _, fen in parts) == (claim.amount_fen or 0)
            for who, fen in parts:
                sums[who] = sums.get(who, 0) + fen
    assert payers == case.payers
    assert brokers == case.brokers
    assert any(claim.bypassed for claim in found) == case.bypassed


def test_without_success_only_the_agreed_cost_is_owed() -> None:
    agreed = mandate(Fee(FeeKind.RATE, rate_bp=300, cost_fen=8_000_00))
    after = END + timedelta(days=1)
    claim = without_success(agreed, after, succeeded=False)
    assert claim is not None
    assert (claim.amount_fen, claim.payers, claim.brokers) == (
        8_000_00,
        ((SELLER, 8_000_00),),
        ((X, 8_000_00),),
    )
    assert without_success(agreed, END, succeeded=False) is None  # its last day is not over
    assert without_success(agreed, after, succeeded=True) is None
    assert without_success(mandate(), after, succeeded=False) is None

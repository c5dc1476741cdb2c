"""A university's annual report of what it turned into contracts (促进科技成果转化法 21): results
and problems; numbers of achievements; transfers, licences, equity; industry and university;
performance, income distribution and rewards.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from typing import Final

from sqlmodel import Session

from market.accounts import repository as accounts
from market.accounts.models import Organisation
from market.accounts.policy import Action, OrganisationKind, Relation, Role
from market.accounts.work import Work
from market.deals.vocabulary import CONTRACT_TYPES, LOST_REASONS, ContractType, LostReason
from market.insight import repository_reports as repository
from market.insight.reports import Breakdown, Fact, Part, Report, Unit, head_of, of_sum
from market.insight.views import Figure, figure
from market.kit.clock import SHANGHAI
from market.kit.errors import Invalid, NotFound
from market.kit.ids import PublicId
from market.ledger import service as ledger
from market.ledger.schemas import By, Slice, Sum, region_prefix
from market.rewards import repository as rewards
from market.rewards.models import Reward, Way
from market.rewards.service import BASES, WAYS

TRANSFERS: Final = (ContractType.TRF, ContractType.LIC)
TOGETHER: Final = (ContractType.DEV, ContractType.CON, ContractType.SRV)
TALENT: Final = "人才流动（派出、兼职、培养）本平台不记录，请单位另行补写。"


def annual_report(work: Work, year: int, organisation: PublicId | None = None) -> Report:
    """Return the five parts for one year: of one's own organisation, or for the bureau of any that
    is named. Raises NotFound for one that may not be seen, Invalid at `year` for one to come.
    """
    holder = _holder(work, organisation)
    if year > work.today.year:
        raise Invalid(fields={"year": f"还没有到{year}年，请选今年或以前的年份"})
    since, until = date(year, 1, 1), date(year, 12, 31)
    part = Slice(since, until, seller_id=holder.id)
    sums = {row.key: row for row in ledger.sums(work.session, By.TYPE, part)}
    whole = ledger.total(work.session, part)
    given = rewards.confirmed_between(work.session, holder.id, since, until)
    return Report(
        name=f"年度报告-{year}",
        title=f"{holder.name}{year}年科技成果转化年度报告",
        subtitle="登记合同按登记日期，撤销、注销和变更从当天起冲减"
        + (f"；{year}年还没有结束，截至{work.today}" if until > work.today else ""),
        since=since,
        until=until,
        parts=(
            _results(work, holder, part, whole),
            _achievements(work, holder, since, until),
            _by_types("三、转让、许可与作价投资", "transfer", TRANSFERS, sums, given),
            _by_types("四、产学研合作", "together", TOGETHER, sums, ()),
            _rewards(whole, given),
        ),
        head=head_of(work.session, f"{min(until, work.today):%Y-%m}"),
    )


def _holder(work: Work, named: PublicId | None) -> Organisation:
    if work.actor.role is Role.OFFICER:
        work.require(Action.REPORT_ANNUAL, Relation.OTHER)
        found = None if named is None else accounts.organisation_by_public_id(work.session, named)
        if found is None or found.kind not in (
            OrganisationKind.UNIVERSITY,
            OrganisationKind.COMPANY,
        ):
            raise NotFound
        return found
    work.require(Action.REPORT_ANNUAL)
    own = accounts.organisation(work.session, work.actor.organisation)
    if named is not None and named != own.public_id:
        raise NotFound
    return own


def _moments(since: date, until: date) -> tuple[datetime, datetime]:
    """Return the first moment of a time in China and the first after it."""
    begin = datetime.combine(since, time.min, SHANGHAI)
    return begin, datetime.combine(date(until.year + 1, 1, 1), time.min, SHANGHAI)


def _results(work: Work, holder: Organisation, part: Slice, whole: Sum) -> Part:
    assert part.since is not None
    assert part.until is not None
    year = part.since.year
    before = ledger.total(
        work.session, Slice(date(year - 1, 1, 1), date(year - 1, 12, 31), seller_id=holder.id)
    )
    since, after = _moments(part.since, part.until)
    lost = repository.lost(work.session, holder.id, since=since, before=after)
    return Part(
        "一、取得的成绩和存在的问题",
        text=_problems(lost),
        facts=(
            *of_sum("year", whole),
            Fact("before.technical", f"{year - 1}年技术交易额", before.technical_fen),
            Fact("change.technical", "比上年增加", whole.technical_fen - before.technical_fen),
            Fact("lost.count", "没有谈成的洽谈（件）", sum(n for _, n in lost), Unit.COUNT),
        ),
    )


def _problems(lost: Sequence[tuple[str, int]]) -> str:
    if not lost:
        return "这一年没有终止的洽谈。"
    told = "、".join(f"{LOST_REASONS[LostReason(reason)]}{number}件" for reason, number in lost)
    return f"没有谈成的原因：{told}。"


def _achievements(work: Work, holder: Organisation, since: date, until: date) -> Part:
    begin, after = _moments(since, until)
    whole, new, public = repository.achievements(work.session, holder.id, since=begin, before=after)
    return Part(
        "二、科技成果的数量",
        facts=(
            Fact("achievements", "录入的成果（项）", whole, Unit.COUNT),
            Fact("achievements.new", "其中本年新录入（项）", new, Unit.COUNT),
            Fact("achievements.public", "其中现在公开（项）", public, Unit.COUNT),
        ),
    )


def _by_types(
    title: str,
    key: str,
    types: Sequence[ContractType],
    sums: dict[str, Sum],
    given: Sequence[Reward],
) -> Part:
    rows = tuple(_row(sums, one) for one in types)
    whole = Sum(
        "",
        "",
        sum(row.count or 0 for row in rows),
        sum(row.technical_fen or 0 for row in rows),
        sum(row.total_fen or 0 for row in rows),
    )
    equity = [row for row in given if row.way == Way.EQUITY]
    if key == "together":
        more: tuple[Fact, ...] = ()
        text = TALENT
    else:
        more = (Fact("equity.count", "作价投资并给予股份奖励（项）", len(equity), Unit.COUNT),)
        text = "技术入股的合同按技术转让登记，已在其中。"
    return Part(
        title,
        text=text,
        facts=(*of_sum(key, whole), *more),
        tables=(Breakdown(f"{key}.type", "按合同类型", rows, "各行相加等于合计。"),),
    )


def _row(sums: dict[str, Sum], one: ContractType) -> Figure:
    return figure(sums.get(one, Sum(one, "", 0, 0, 0)), CONTRACT_TYPES[one])


def _rewards(whole: Sum, given: Sequence[Reward]) -> Part:
    return Part(
        "五、绩效、收入分配和奖励",
        facts=(
            Fact("performance.technical", "技术交易额", whole.technical_fen),
            *(fact for way in Way for fact in _of_way(way, given)),
        ),
    )


def _of_way(way: Way, given: Sequence[Reward]) -> Iterator[Fact]:
    rows = [row for row in given if row.way == way]
    unit = Unit.COUNT if way is Way.EQUITY else Unit.FEN
    said = "（股）" if way is Way.EQUITY else ""
    key = f"reward.{way}"
    yield Fact(f"{key}.count", f"{WAYS[way]}的奖励（份）", len(rows), Unit.COUNT)
    yield Fact(f"{key}.base", f"{BASES[way]}{said}", sum(row.base for row in rows), unit)
    yield Fact(f"{key}.amount", f"奖励和报酬{said}", sum(row.amount for row in rows), unit)


def holders(session: Session, region: str) -> Sequence[Organisation]:
    """Return the universities of a region, whose reports the bureau may ask for."""
    return repository.universities(session, region_prefix(region))

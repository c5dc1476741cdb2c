"""Whether the chains are what the key made of them, and the heads outside stand in them.

`books` is what the books say of themselves; `links` needs the key and the files.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from sqlmodel import Session

from market.ledger import chain, heads, periods, records, repository, repository_records
from market.ledger import repository_verify as rows_of
from market.ledger.chain import Key, Side
from market.ledger.models import Book, Cause, Chain, Period, PeriodState, Seal

NO_KEY: Final = (
    "账本的密钥不在这里（ledger.key 或 ZHIHE_LEDGER_KEY），密钥链无法核对。"
    "请放回另外保存的那一份再核对"
)
_SHOWN: Final = 20
Hashes = dict[tuple[str, int], str]
"""The hash that the key makes of each link that a head outside names, by chain and number."""


def books(session: Session) -> Iterator[str]:
    """Yield what is wrong in the books by themselves: balance, amounts, numbers."""
    for seq, number, amount in rows_of.unbalanced(session):
        yield f"第{seq}号：{number}条分录，合计{amount}分，应至少两条且合计为0"
    for entry in rows_of.entries_without_transaction(session):
        yield f"分录{entry}：没有所属的账务"
    for seq, expected, entry in rows_of.miscounted(session):
        yield f"第{seq}号：应计入{expected}分，分录是{entry}分，或记在别的地区"
    for seq, before, differs in rows_of.reversed_otherwise(session):
        yield f"第{seq}号冲回第{before}号，两笔的{'、'.join(differs)}应相同，现在不同"
    for key in rows_of.counted_twice(session):
        yield f"登记编号{key}：计入次数应为0或1"
    for book in Book:
        number, low, high = rows_of.sequence(session, book)
        head = repository.head(session, Chain(book)).seq
        if (low, high) != (min(number, 1), number) or head != number:
            yield f"账册{book}：{number}笔，序号从{low}到{high}，账头为{head}，应连续无缺"


def links(session: Session) -> Iterator[str]:
    """Yield what is wrong with chains, periods and heads, one sentence each."""
    present = {one: repository.head(session, one) for one in Chain}
    seals = rows_of.seals(session)
    files = heads.remembered(session, {one.number for one in seals})
    begun = any(one.seq for one in present.values()) or seals or files
    key = chain.keeping(session).key
    if key is None:
        if begun:
            yield NO_KEY
        return
    wanted = {(name, int(at[0])) for one in _said(seals, files) for name, at in _heads(one)}
    hashes: Hashes = {}
    for book in Book:
        yield from _limited(_transactions(session, key, book, wanted, hashes))
    yield from _limited(_records(session, key, wanted, hashes))
    yield from _limited(_periods(session))
    yield from _limited(_seals(key, seals, files, hashes))


def _limited(found: Iterator[str]) -> Iterator[str]:
    """Yield so many of them: after a link that is wrong, each one after it may be."""
    for number, one in enumerate(found):
        if number == _SHOWN:
            yield "（还有更多，先处理上面的）"
            return
        yield one


def _transactions(
    session: Session, key: Key, book: Book, wanted: set[tuple[str, int]], hashes: Hashes
) -> Iterator[str]:
    """Make every link of a book anew, from what its transactions and their entries say."""
    seqs: dict[int, int] = {}
    sides = rows_of.Sides(session, book)
    previous, last = chain.beginning(Chain(book)), 0
    for row in rows_of.links(session, book):
        values = row._mapping  # noqa: SLF001  SQLAlchemy's own name for it
        seqs[values["id"]] = last = values["seq"]
        own: list[Side] = [
            (account, amount, seqs.get(of, -1)) for _, account, amount, of in sides.of(values["id"])
        ]
        link = key.link(previous, chain.of_transaction(values, seqs, own))
        if values["keyed_hash"] is None:
            yield f"账册{book}第{last}号没有接上密钥链，请运行 zhihe migrate"
        elif link != values["keyed_hash"]:
            yield f"账册{book}第{last}号与密钥链不符：这一笔、它的分录或它前面的被改过"
        # What follows is held against what stands there: each break is told where it is.
        previous = values["keyed_hash"] or link
        if (book, last) in wanted:
            hashes[book, last] = link if link == values["keyed_hash"] else ""
    yield from _stands(session, key, Chain(book), last, previous)


def _stands(session: Session, key: Key, of: Chain, last: int, link: str) -> Iterator[str]:
    head = repository.head(session, of)
    if last and (head.seq, head.hash) != (last, link):
        yield f"账头{of}记的第{head.seq}号与链上最后的第{last}号不符"
    if not last and (head.seq or head.hash):
        yield f"账头{of}记到第{head.seq}号，链是空的"
    if head.key_id != (key.id if last else ""):
        yield f"账头{of}用的密钥是{head.key_id}，这里的是{key.id}，请放回账册一直用的那一把"


def _records(
    session: Session, key: Key, wanted: set[tuple[str, int]], hashes: Hashes
) -> Iterator[str]:
    previous, last = chain.beginning(Chain.RECORDS), 0
    for row in repository_records.links(session):
        if row.seq != last + 1:
            yield f"记录第{last + 1}号缺少，或次序被改过"
        last = row.seq
        link = key.link(
            previous,
            chain.of_record(last, row.at, row.subject_kind, row.subject_key, row.digest),
        )
        if link != row.keyed_hash:
            yield f"记录第{last}号与密钥链不符：它或它前面的被改过"
        previous = row.keyed_hash
        if (Chain.RECORDS, last) in wanted:
            hashes[Chain.RECORDS, last] = link if link == row.keyed_hash else ""
    yield from _stands(session, key, Chain.RECORDS, last, previous)


def _periods(session: Session) -> Iterator[str]:
    rows = [one for book in Book for one in periods.listed(session, book)]
    given = ((f"{row.book}:{row.month}", row.model_dump()) for row in rows)
    for subject, what in records.differing(session, periods.KIND, given):
        yield f"账期{subject}：{what}"
    for book in Book:
        for month in rows_of.months(session, book):
            yield f"账册{book}：{month}有账，而那个月不是账期"
    for seq, month in rows_of.late_in_closed(session):
        yield f"第{seq}号记在{month}，而那个账期在它入账以前已经关账"
    for row in rows:
        if row.state != PeriodState.OPEN:
            yield from _closed(session, row)


def _closed(session: Session, row: Period) -> Iterator[str]:
    came = periods.figures(session, row)
    held = (row.count, row.technical_fen, row.total_fen)
    if (came.count, came.technical_fen, came.total_fen) != held:
        yield (
            f"账期{row.month}关账时是{row.count}份、{row.technical_fen}分，"
            f"由分录重算是{came.count}份、{came.technical_fen}分"
        )


def _said(seals: list[Seal], files: Mapping[int, heads.Told]) -> list[heads.Told]:
    return [*(heads.told(one) for one in seals), *files.values()]


def _heads(said: heads.Told) -> Iterator[tuple[str, Any]]:
    """Yield (chain, [number, hash]) of what a seal says, whatever else a forged one holds."""
    found = said.get("heads")
    for name, at in (found if isinstance(found, dict) else {}).items():
        if isinstance(at, list) and len(at) == 2 and isinstance(at[0], int):
            yield name, at


def _seals(
    key: Key, seals: list[Seal], files: Mapping[int, heads.Told], hashes: Hashes
) -> Iterator[str]:
    """Hold each head that was signed against the chain, and rows and files against each other."""
    rows = {one.number: heads.told(one) for one in seals}
    valid: dict[int, heads.Told] = {}
    for number in sorted(rows.keys() | files.keys()):
        said = files.get(number) or rows[number]
        if not _signed(key, said) or said.get("number") != number:
            yield f"账头文件第{number}号的签名不符，它被改过或不是这把密钥签的"
            continue
        valid[number] = said
        if number in rows and rows[number] != said:
            yield f"账头第{number}号，数据库里的与文件里的不同"
    yield from _row_by_row(valid, {*rows, *files})
    superseded = _superseded(valid.values())
    for number, known in valid.items():
        if number in superseded:
            continue
        if number not in files:
            yield f"账头第{number}号没有文件：它被删去，或写在别的机器上（见 ZHIHE_HEADS_DIR）"
        elif number not in rows:
            yield f"账头文件第{number}号在数据库里没有：数据库的末尾被截去，或换成了旧的一份"
        for name, (seq, link) in _heads(known):
            if hashes.get((name, seq)) != link:
                yield f"{name}第{seq}号与账头文件第{number}号签下的不同：它被截去或改写了"


def _row_by_row(valid: Mapping[int, heads.Told], present: set[int]) -> Iterator[str]:
    """Yield where a seal does not follow the one before it."""
    before = ""
    for number in range(1, max(present, default=0) + 1):
        if number not in present:
            yield f"账头第{number}号，数据库里和文件夹里都没有"
        known = valid.get(number)
        if known is not None and before and known["previous"] != before:
            yield f"账头第{number}号没有接着前一号"
        before = "" if known is None else known["signature"]


def _superseded(valid: Iterable[heads.Told]) -> set[int]:
    """Return the seals that a restoration left behind: what they name is not there any more."""
    return {
        number
        for one in valid
        if one["cause"] == Cause.RESTORED
        for number in range(one["resumes"] + 1, one["number"])
    }


def _signed(key: Key, said: heads.Told) -> bool:
    content = {name: value for name, value in said.items() if name != "signature"}
    return bool(said.get("signature")) and key.signature(content) == said["signature"]

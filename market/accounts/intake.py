"""Directories of organisations (机构名录) as a kind of import file, for operators and the bureau.

A row becomes an entry that is not verified and that nobody belongs to: a directory says that an
institution exists, not who may speak for it. Whoever founds the organisation with its credit code
takes the entry over (`organisations.found`), and the bureau verifies both together. From then on,
or once the bureau has decided, a file no longer changes it.
"""

from collections.abc import Iterator, Mapping, Sequence

from sqlmodel import Session

from market.accounts import intake_rows, repository_intake
from market.accounts.intake_rows import COLUMNS, KINDS, Entry
from market.accounts.models import Organisation, Verification
from market.kit.ids import new_public_id
from market.kit.intake import Column, Context, Done, Effect, Fault, Given, Outcome

MET = "统一社会信用代码{code}在第{row}行已经有了，一个机构只能有一行"
THEIRS = (
    "“{name}”已有成员或经科技局处理，内容由它自己和科技局修改；"
    "与文件不同的是{columns}，要更正请联系该机构"
)
OURS = "这个统一社会信用代码属于本平台或科技局，不能导入"
CHANGED = "“{name}”导入以后已有成员、经过核验或被修改过"
GONE = "已经不在"


class Organisations:
    """The import kind of organisations; `regions` are the names of GB/T 2260 codes."""

    name = "organisation"
    title = "机构名录"
    columns: Sequence[Column] = COLUMNS

    def __init__(self, regions: Mapping[str, str]) -> None:
        self._regions = regions

    def bring_in(
        self, session: Session, context: Context, rows: Sequence[Given]
    ) -> Sequence[Outcome]:
        outcomes: dict[int, Outcome] = {}
        entries: dict[str, Entry] = {}
        for given in rows:
            entry, faults = intake_rows.read_row(given, self._regions)
            if entry is None:
                outcomes[given.row] = Outcome(given.row, Effect.REFUSED, tuple(faults))
            elif (first := entries.get(entry.form.credit_code)) is not None:
                outcomes[given.row] = _met(entry, first.row)
            else:
                entries[entry.form.credit_code] = entry
        for code, row in context.met(list(entries)).items():
            entry = entries.pop(code)
            outcomes[entry.row] = _met(entry, row)
        outcomes |= self._write(session, context, entries)
        return [outcomes[given.row] for given in rows]

    def _write(
        self, session: Session, context: Context, entries: Mapping[str, Entry]
    ) -> dict[int, Outcome]:
        standing = repository_intake.by_codes(session, entries)
        new = [entry for code, entry in entries.items() if code not in standing]
        if new:
            repository_intake.insert_all(session, [_columns(entry, context) for entry in new])
        members = repository_intake.with_members(session, [one.id for one in standing.values()])
        outcomes = {}
        for code, row in standing.items():
            outcomes[entries[code].row] = _update(session, entries[code], row, row.id in members)
        written = repository_intake.by_codes(session, [one.form.credit_code for one in new])
        for entry in new:
            code = entry.form.credit_code
            outcomes[entry.row] = Outcome(
                entry.row, Effect.CREATED, key=code, subject_id=written[code].id, before={"to": 0}
            )
        return outcomes

    def understood(self, row: Given) -> Mapping[str, str]:
        return intake_rows.understood(row, self._regions)

    def undo(self, session: Session, context: Context, done: Sequence[Done]) -> Mapping[int, str]:
        ids = [one.subject_id for one in done]
        kept = dict(context.depends(ids))
        for one in done:
            if one.subject_id in kept:
                continue
            before = one.before or {}
            edits = before["to"]
            if one.effect is Effect.CREATED:
                undone = repository_intake.remove(session, one.subject_id, edits)
            else:
                undone = repository_intake.change(
                    session, one.subject_id, edits, before["was"], edits - 1
                )
            if not undone:
                name = repository_intake.name_of(session, one.subject_id)
                kept[one.subject_id] = GONE if name is None else CHANGED.format(name=name)
        session.expire_all()
        return kept

    def export(self, session: Session, organisation_id: int) -> Iterator[Mapping[str, str]]:  # noqa: ARG002  a directory is nobody's own
        for row in repository_intake.directory(session, list(KINDS)):
            yield intake_rows.cells(row, self._regions)


def _met(entry: Entry, row: int) -> Outcome:
    code = entry.form.credit_code
    fault = Fault(entry.headings["credit_code"], MET.format(code=code, row=row))
    return Outcome(entry.row, Effect.REFUSED, (fault,))


def _columns(entry: Entry, context: Context) -> dict[str, object]:
    return {
        **entry.form.model_dump(),
        "public_id": new_public_id(),
        "created_at": context.at,
    }


def _update(session: Session, entry: Entry, row: Organisation, has_members: bool) -> Outcome:
    """Change an organisation that stands already, as far as it is still only an entry."""
    code = entry.form.credit_code
    if row.kind not in KINDS:
        return _refused(entry, "credit_code", OURS)
    differs = {name: v for name, v in entry.values.items() if getattr(row, name) != v}
    if not differs:
        return Outcome(entry.row, Effect.UNCHANGED, key=code)
    columns = "、".join(entry.headings.get(name, name) for name in differs)
    theirs = THEIRS.format(name=row.name, columns=columns)
    if has_members or row.verification != Verification.PENDING:
        return _refused(entry, "", theirs)
    was = {name: getattr(row, name) for name in differs}
    edits = row.edits
    if not repository_intake.change(session, row.id, edits, differs, edits + 1):
        return _refused(entry, "", theirs)
    session.refresh(row)
    before = {"was": was, "to": edits + 1}
    return Outcome(entry.row, Effect.UPDATED, key=code, subject_id=row.id, before=before)


def _refused(entry: Entry, key: str, reason: str) -> Outcome:
    fault = Fault(entry.headings.get(key, ""), reason)
    return Outcome(entry.row, Effect.REFUSED, (fault,))

"""A row of a file as a registered contract: its cells read, and held against one another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from market.deals.vocabulary import CONTRACT_TYPES, ContractType
from market.kit.cells.texts import shown
from market.kit.intake import Fault, Given
from market.kit.money import wan_in_words
from market.registry import certificate
from market.registry.past_cells import CIVIL_CODE, readers, text_reader
from market.registry.past_columns import COLUMNS, LABELS

_EMPTY = "必须填写，现在是空的"


@dataclass(frozen=True, slots=True)
class Party:
    """One side as the file tells it; `region` is "" where it does not say."""

    name: str
    credit_code: str
    region: str


@dataclass(frozen=True, slots=True)
class Told:
    """A registered contract as a row tells it, amounts in fen.

    `items` are all its items in the words of an export, `digest` theirs: who the parties are in
    the market is no part of it. `fingerprint` is that of parties, project, day and amount.
    """

    row: int
    number: str
    registered_on: date
    registry_label: str
    project_name: str
    contract_type: ContractType
    sub_type: str
    field: int
    signed_on: date
    seller: Party
    buyer: Party
    total_fen: int
    technical_fen: int
    public: bool
    items: Mapping[str, str]
    digest: str
    fingerprint: str


@dataclass(slots=True)
class _Cells:
    """What could be read of a row, by column key: values, words of an export, and faults."""

    values: dict[str, Any]
    words: dict[str, str]
    faults: list[Fault]

    def fault(self, given: Given, key: str, reason: str) -> None:
        self.faults.append(Fault(given.headings.get(key, LABELS[key]), reason))


def read(given: Given, *, today: date, demo: bool) -> Told | Sequence[Fault]:
    """Return the contract, or all that is wrong with the row."""
    cells = _read(given, today=today, demo=demo)
    for column in COLUMNS:
        if column.required and column.key not in cells.values:
            heading = given.headings.get(column.key, column.label)
            if not any(one.heading == heading for one in cells.faults):
                cells.fault(given, column.key, _EMPTY)
    _agree(given, cells)
    if cells.faults:
        return cells.faults
    values = cells.values
    kind, _ = values["contract_type"]
    seller, buyer = _party(values, "seller"), _party(values, "buyer")
    return Told(
        row=given.row,
        number=values["number"],
        registered_on=values["registered_on"],
        registry_label=values.get("registry_label", ""),
        project_name=values["project_name"],
        contract_type=kind,
        sub_type=cells.words.get("sub_type", ""),
        field=values["field"],
        signed_on=values["signed_on"],
        seller=seller,
        buyer=buyer,
        total_fen=values["total"],
        technical_fen=values["technical"],
        public=values.get("public", False),
        items=cells.words,
        digest=certificate.digest(dict(cells.words)),
        fingerprint=certificate.mark(
            seller.name, buyer.name, values["project_name"], values["signed_on"], values["total"]
        ),
    )


def understood(given: Given, *, today: date, demo: bool) -> Mapping[str, str]:
    """Return how a row's cells are read, in the words of an export."""
    return _read(given, today=today, demo=demo).words


def _read(given: Given, *, today: date, demo: bool) -> _Cells:
    special = readers(today=today, demo=demo)
    cells = _Cells({}, {}, [])
    for column in COLUMNS:
        key = column.key
        value = given.values.get(key)
        try:
            text = _text(value)
            if text:
                reader = special.get(key) or text_reader(key)
                found, word = reader(text, given.headings.get(key, column.label))
                if word:
                    cells.values[key], cells.words[key] = found, word
        except ValueError as error:
            cells.fault(given, key, str(error))
    _settle_type(cells)
    return cells


def _text(value: object) -> str:
    """Return a cell as text; a value of JSON as a person would have typed it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, str | int | float):
        return str(value).strip()
    raise ValueError("应为一个值，现在是一组值")


def _settle_type(cells: _Cells) -> None:
    """Write type and sub-type in the one way in which they are kept."""
    if "contract_type" not in cells.values:
        return
    kind, named = cells.values["contract_type"]
    signed = cells.values.get("signed_on")
    if kind is ContractType.LIC and named and signed is not None and signed < CIVIL_CODE:
        kind = ContractType.TRF
    cells.values["contract_type"] = (kind, named)
    cells.words["contract_type"] = CONTRACT_TYPES[kind]
    sub_type = cells.values.get("sub_type") or named
    if sub_type:
        cells.words["sub_type"] = sub_type


def _agree(given: Given, cells: _Cells) -> None:
    """Hold the cells against one another."""
    values = cells.values
    total, technical = values.get("total"), values.get("technical")
    if total is not None and technical is not None and technical > total:
        cells.fault(
            given,
            "technical",
            f"不能超过成交额{wan_in_words(total)}，现在是{wan_in_words(technical)}",
        )
    signed, registered = values.get("signed_on"), values.get("registered_on")
    if signed is not None and registered is not None and registered < signed:
        cells.fault(given, "registered_on", f"不能早于合同签订日{signed}，{shown(str(registered))}")
    begins, ends = values.get("begins_on"), values.get("ends_on")
    if begins is not None and ends is not None and ends < begins:
        cells.fault(given, "ends_on", f"不能早于合同开始日期{begins}，{shown(str(ends))}")


def _party(values: Mapping[str, Any], side: str) -> Party:
    return Party(
        values[side], values.get(f"{side}_credit_code", ""), values.get(f"{side}_region", "")
    )

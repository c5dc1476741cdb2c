"""What is copied from the registry's certificate, and the marks by which one contract is known."""

import hashlib
import json
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Any

from market.deals.models import Contract
from market.kit.errors import Invalid
from market.kit.money import wan_in_words
from market.registry.models import Registration
from market.registry.schemas import DecideIn

LENGTHS = (16, 14)  # today's numbers, and those of old certificates
DEMO_PREFIX = "0000"
EMPTY = "必须填写，现在是空的"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that passed every check; amounts in fen."""

    number: str
    decided_on: date
    total_fen: int
    technical_fen: int
    difference_reason: str


def normalise_number(text: str) -> str:
    """Return a number as it is stored: half-width, without spaces and dashes."""
    return "".join(
        c for c in unicodedata.normalize("NFKC", text) if not c.isspace() and c not in "-—_"
    )


def number_problem(number: str, *, demo: bool) -> str | None:
    """Return what is wrong with a normalised registration number, or None."""
    if not number:
        return EMPTY
    strange = next((c for c in number if c not in "0123456789"), None)
    if strange is not None:
        return f"应为16位数字（旧证14位），现在有“{strange}”"
    if len(number) not in LENGTHS:
        return f"应为16位数字（旧证14位），现在是{len(number)}位"
    if number.startswith(DEMO_PREFIX) and not demo:
        return "以0000开头的编号只用于示范，请抄录认定证明上的编号"
    return None


def problems(form: DecideIn, contract: Contract, *, today: date, demo: bool) -> dict[str, str]:
    """Check what was copied against the contract; return what is wrong by field."""
    total, technical = form.total_fen, form.technical_fen
    found = {
        "number": number_problem(normalise_number(form.number), demo=demo),
        "decided_on": _day_problem(form.decided_on, contract, today),
        "total_fen": EMPTY if not total else None,
        "technical_fen": _technical_problem(total, technical),
        "difference_reason": (
            f"认定与申报（成交额{wan_in_words(contract.total_fen)}，"
            f"技术交易额{wan_in_words(contract.technical_fen)}）不同，请写明原因"
            if _differs(form, contract) and not form.difference_reason
            else None
        ),
    }
    return {name: text for name, text in found.items() if text is not None}


def _differs(form: DecideIn, contract: Contract) -> bool:
    if form.total_fen is None or form.technical_fen is None:
        return False  # what is missing is told at its own field
    declared = (contract.total_fen, contract.technical_fen)
    return (form.total_fen, form.technical_fen) != declared


def read(form: DecideIn, contract: Contract, *, today: date, demo: bool) -> Certificate:
    """Return the certificate that was copied. Raises Invalid at every wrong field."""
    if found := problems(form, contract, today=today, demo=demo):
        raise Invalid(fields=found)
    total, technical = form.total_fen, form.technical_fen
    assert form.decided_on is not None
    assert total is not None
    assert technical is not None
    reason = form.difference_reason if _differs(form, contract) else ""
    return Certificate(normalise_number(form.number), form.decided_on, total, technical, reason)


def _day_problem(day: date | None, contract: Contract, today: date) -> str | None:
    assert contract.signed_on is not None
    if day is None:
        return EMPTY
    if day > today:
        return f"不能晚于今天{today}，现在是{day}"
    if day < contract.signed_on:
        return f"不能早于合同签订日{contract.signed_on}，现在是{day}"
    return None


def _technical_problem(total: int | None, technical: int | None) -> str | None:
    if not technical:
        return EMPTY if technical is None else "应大于0，现在是0"
    if total and technical > total:
        return f"不能超过成交额{wan_in_words(total)}，现在是{wan_in_words(technical)}"
    return None


def digest(document: dict[str, object]) -> str:
    """Return the SHA-256, in hex, of a document written in one canonical way."""
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def decision_digest(registration: str, contract: Contract, read_: Certificate) -> str:
    """Return the digest of a decision: the contract as signed and the certificate as copied."""
    return digest(
        {
            "registration": registration,
            "contract": contract.public_id,
            "type": contract.type,
            "sub_type": contract.sub_type,
            "field": contract.field,
            "project": contract.project_name,
            "seller": [contract.seller_name, contract.seller_credit_code, contract.seller_region],
            "buyer": [contract.buyer_name, contract.buyer_credit_code, contract.buyer_region],
            "signed_on": str(contract.signed_on),
            "number": read_.number,
            "decided_on": str(read_.decided_on),
            "total_fen": read_.total_fen,
            "technical_fen": read_.technical_fen,
            "difference_reason": read_.difference_reason,
        }
    )


def handed_in_digest(row: Registration) -> str:
    """Return the digest of what a seller handed in: the form's items and the contract's file."""
    return digest({"items": row.items, "file": row.file_sha256})


def change_digest(
    registration: str,
    number: int,
    amounts: tuple[int, int],
    in_force: dict[str, Any],
    reason: str,
) -> str:
    """Return the digest of the `number`-th change of a registration."""
    document: dict[str, object] = {
        "registration": registration,
        "change": number,
        "total_fen": amounts[0],
        "technical_fen": amounts[1],
        "reason": reason,
    }
    return digest({**document, "in_force": in_force} if in_force else document)


def end_document(registration: str, reason: str, cause: str = "") -> dict[str, object]:
    """Return what takes a registration out again, as it is digested."""
    document: dict[str, object] = {"registration": registration, "reason": reason}
    return {**document, "cause": cause} if cause else document


def fingerprint(contract: Contract) -> str:
    """Return the `mark` of a contract of this market."""
    assert contract.signed_on is not None
    return mark(
        contract.seller_name,
        contract.buyer_name,
        contract.project_name,
        contract.signed_on,
        contract.total_fen,
    )


def mark(seller: str, buyer: str, project: str, signed_on: date, total_fen: int) -> str:
    """Return the mark by which two papers are one contract: parties, project, day and amount."""
    return digest(
        {
            "seller": same_name(seller),
            "buyer": same_name(buyer),
            "project": plain(project),
            "signed_on": str(signed_on),
            "total_fen": total_fen,
        }
    )


# What is written for one legal form in different ways, the longer first.
_FORMS = (
    ("股份有限责任公司", "股份公司"),
    ("股份有限公司", "股份公司"),
    ("有限责任公司", "有限公司"),
    ("责任有限公司", "有限公司"),
    ("股份公司", "股份公司"),
)


def same_name(text: str) -> str:
    """Return what two ways of writing one organisation's name share: `plain`, and one way of
    writing the legal form. 有限公司 and 股份有限公司 are two forms and stay apart.
    """
    name = plain(text)
    for written, form in _FORMS:
        if name.endswith(written):
            return name.removesuffix(written) + form
    return name


def plain(text: str) -> str:
    """Return a text without width, case, spaces, punctuation and what cannot be seen."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in unicodedata.normalize("NFKC", folded) if c.isalnum())

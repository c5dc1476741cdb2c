"""A deal's way from its first terms to the registry's certificate, or to its end without one."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from infra.demo.cast import BUREAU
from infra.demo.content import Row, day
from infra.demo.replay import Replay, Story
from market.accounts.policy import Action
from market.deals import contracts, filing, keeping, next_steps, pricing
from market.deals import service as deals
from market.deals.schemas import (
    ConfirmIn,
    ContractIn,
    DealtIn,
    DisclosureIn,
    LoseIn,
    NextStepIn,
    NoteIn,
    PricingIn,
    SignIn,
    TermsIn,
)
from market.deals.schemas_keeping import FilingIn
from market.deals.vocabulary import Audience
from market.kit.ids import PublicId
from market.registry import service as registry
from market.registry.items import Items
from market.registry.schemas import DecideIn, SubmitIn
from market.rules import versions


@dataclass(frozen=True, slots=True)
class Sides:
    """The two organisations of a deal, by key, and what it is about."""

    seller: str
    buyer: str
    field: int
    summary: str


def conclude(replay: Replay, row: Row, sides: Sides, deal: PublicId) -> Story:
    """Take a deal opened today as far as the content tells of it."""
    for note in row["notes"]:
        replay.start(_note(replay, note, deal))
    for plan in row.get("plans", []):
        replay.start(_plan(replay, plan, deal))
    if row["terms"]:
        yield from _terms(replay, row["terms"], sides, deal)
    if row["pricing"]:
        yield from _pricing(replay, row["pricing"], row["terms"]["amount_fen"], sides, deal)
    if row["contract"]:
        yield from _contract(replay, row, sides, deal)
    if row["lost"]:
        yield from _lost(replay, row["lost"], sides, deal)


def _note(replay: Replay, row: Row, deal: PublicId) -> Story:
    yield day(row["on"])
    with replay.act(row["by"], Action.DEAL_NOTE) as work:
        deals.note(work, deal, NoteIn(audience=Audience.ALL, text=row["text"]))


def _plan(replay: Replay, row: Row, deal: PublicId) -> Story:
    yield day(row["on"])
    form = NextStepIn(text=row["text"], due_on=day(row["due_on"]))
    with replay.act(row["by"], Action.DEAL_NOTE) as work:
        next_steps.plan(work, deal, form)


def _terms(replay: Replay, row: Row, sides: Sides, deal: PublicId) -> Story:
    """Propose half-way to the agreement, or a week from now where there is none yet."""
    opened = replay.today
    agreed = day(row["agreed_on"]) if row["agreed_on"] else None
    half_way = opened + ((agreed - opened) / 2 if agreed else timedelta(days=7))
    yield max(opened, replay.workday(half_way))
    whole = {name: row[name] for name in ("mode", "amount_fen", "text")} | row.get("offer", {})
    form = TermsIn.model_validate({"seen": 0, **whole})
    with replay.act(sides.seller, Action.DEAL_TERMS) as work:
        deals.propose(work, deal, form)
    if counter := row.get("counter"):
        yield day(counter["on"])
        whole = {name: value for name, value in counter.items() if name not in ("by", "on")}
        with replay.act(counter["by"], Action.DEAL_TERMS) as work:
            deals.propose(work, deal, TermsIn.model_validate({"seen": 1, **whole}))
    if agreed:
        yield agreed
        with replay.act(sides.buyer, Action.DEAL_CONFIRM) as work:
            deals.confirm(work, deal, ConfirmIn(version=1))


def _pricing(replay: Replay, row: Row, price_fen: int, sides: Sides, deal: PublicId) -> Story:
    yield day(row["published_on"])
    form = PricingIn(
        path=row["path"],
        summary=sides.summary,
        interested=row["interested"],
        exchange=row["exchange"],
    )
    with replay.act(sides.seller, Action.PRICING_SET) as work:
        pricing.choose(work, deal, form)
    if row["dealt_on"]:
        yield day(row["dealt_on"])
        with replay.act(sides.seller, Action.PRICING_SET) as work:
            pricing.dealt(work, deal, DealtIn(dealt_on=day(row["dealt_on"]), price_fen=price_fen))


def _contract(replay: Replay, row: Row, sides: Sides, deal: PublicId) -> Story:
    told = row["contract"]
    yield day(told["drafted_on"])
    text = {name: value for name, value in told.items() if name in ContractIn.model_fields}
    form = ContractIn.model_validate(text | {"field": sides.field})
    with replay.act(sides.seller, Action.CONTRACT_DRAFT) as work:
        contract = contracts.draft(work, deal, form)
    if not told["signed_on"]:
        return
    yield day(told["signed_on"])
    for side in (sides.seller, sides.buyer):
        with replay.act(side, Action.CONTRACT_SIGN) as work:
            contracts.sign(work, deal, SignIn(contract=contract.public_id, differences_known=True))
    for side, agrees in zip((sides.seller, sides.buyer), row["disclosure"].values(), strict=True):
        if agrees:
            with replay.act(side, Action.CONTRACT_DISCLOSE) as work:
                contracts.disclose(work, deal, DisclosureIn(agrees=True))
    if row["registration"] and form.sub_type == filing.LICENCE:
        with replay.act(sides.seller, Action.CONTRACT_KEEP) as work:
            keeping.filed(work, deal, FilingIn(filed_on=replay.today))
    if row["registration"]:
        yield from _registration(replay, row["registration"], sides, contract.public_id)


def _registration(replay: Replay, row: Row, sides: Sides, contract: PublicId) -> Story:
    yield day(row["submitted_on"])
    with replay.act(sides.seller, Action.REGISTRATION_SUBMIT) as work:
        upload = registry.Upload("合同.pdf", io.BytesIO(paper(contract)))
        told = Items(related=False, plan="none", ipr="secret")
        filed = registry.submit(work, SubmitIn(contract=contract), upload, told)
    if not row["decided_on"]:
        return
    yield day(row["decided_on"])
    with replay.act(BUREAU, Action.REGISTRATION_DECIDE) as work:
        reasons = versions.book(work.session).versions[-1].rules.refusal_reasons
        registry.decide(work, filed.row.public_id, _decision(row, reasons))


def _decision(row: Row, words: Mapping[str, str]) -> DecideIn:
    if row["decision"] == "not_registered":
        reasons = {text: key for key, text in words.items()}
        return DecideIn(
            decision="not_registered", refusal_reason=reasons[row["reason"]], note=row["note"]
        )
    copied = ("number", "decided_on", "total_fen", "technical_fen")
    return DecideIn.model_validate(
        {"decision": "registered"} | {name: row[name] for name in copied}
    )


def _lost(replay: Replay, row: Row, sides: Sides, deal: PublicId) -> Story:
    yield day(row["on"])
    side = {"seller": sides.seller, "buyer": sides.buyer}[row["side"]]
    with replay.act(side, Action.DEAL_LOSE) as work:
        deals.lose(work, deal, LoseIn(reason=row["reason"], note=row["note"]))


def paper(text: str) -> bytes:
    """Return a one-page PDF that says which contract of the demonstration it stands for."""
    drawn = f"BT /F1 14 Tf 72 760 Td (Demonstration contract {text}) Tj ET".encode()
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources 6 0 R>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(drawn), drawn),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        b"<</Font<</F1 5 0 R>>>>",
    )
    out, starts = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        starts.append(len(out))
        out += b"%d 0 obj%s endobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % start for start in starts)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    tail = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(out))
    return out + head + table + tail

"""A payer, two operators, a stand-in of Stripe, and steps of a payment between them."""

from dataclasses import dataclass

from market import jobs
from market.accounts.models import Organisation
from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import Actor, Parts
from market.brokerage.models import Commission, CommissionPart, CommissionState, PartRole
from market.brokerage.rule import Ground
from market.kit.across import Finding
from market.kit.ids import PublicId, new_public_id
from market.kit.jobs import Runner
from market.ledger import money, verify
from market.payments import audit, card, inbox, posting, schedule, service, statements, transfers
from market.payments.models import Payment
from market.payments.schemas import AccountIn, FeeIn, PaymentIn
from market.payments.service import PaymentView
from market.payments.states import Purpose
from market.payments.stripe import Cards
from market.payments.ways import BankAccount, Ways
from tests import factories
from tests.support.clock import FakeClock
from tests.support.market import read_for, work_for
from tests.support.stripe_stand_in import KEY, SECRET, StandIn, signed

FEE = 300_000
BACK = "http://127.0.0.1/payments/x"


@dataclass
class Till:
    """What the tests of payments stand on. `fee` is the public id of a service fee of FEE fen."""

    parts: Parts
    clock: FakeClock
    stripe: StandIn
    ways: Ways
    organisation: Organisation
    payer: Actor
    operators: tuple[Actor, Actor]
    fee: str

    @property
    def cards(self) -> Cards:
        assert self.ways.cards is not None
        return self.ways.cards

    def owed(self) -> PublicId:
        """Return a new payment of FEE."""
        with work_for(self.parts, self.payer) as work:
            row = service.create(work, PaymentIn(purpose=Purpose.SERVICE_FEE, fee=self.fee))
            return row.public_id

    def owed_commission(self) -> tuple[PublicId, Organisation]:
        """Return a new payment of a commission of FEE, and the agency that it is for."""
        agency = factories.organisation(self.parts, OrganisationKind.AGENCY)
        public_id = new_public_id()
        with self.parts.database.write() as session:
            commission = Commission(
                public_id=public_id,
                key=f"example:{public_id}",
                ground=Ground.CLAUSE,
                amount_fen=FEE,
                state=CommissionState.DUE,
                created_at=self.clock.now(),
            )
            session.add(commission)
            session.flush()
            session.add_all(
                CommissionPart(
                    commission_id=commission.id, role=role, organisation_id=of.id, amount_fen=FEE
                )
                for role, of in ((PartRole.PAYER, self.organisation), (PartRole.BROKER, agency))
            )
        with work_for(self.parts, self.operators[0]) as work:
            form = AccountIn(agency=agency.public_id, account=f"acct_{agency.public_id}")
            transfers.connect(work, form)
        with work_for(self.parts, self.payer) as work:
            asked = PaymentIn(purpose=Purpose.COMMISSION, commission=public_id)
            return service.create(work, asked).public_id, agency

    def begin(self, payment: PublicId) -> card.Begun:
        with work_for(self.parts, self.payer) as work:
            return card.begin(work, self.ways, payment, BACK)

    def checkout(self, payment: PublicId) -> str:
        """Go as far as the browser being sent on; return the session."""
        begun = self.begin(payment)
        seen = None if begun.url else card.ask(self.cards, begun)
        if seen is not None:
            with work_for(self.parts, self.payer) as work:
                card.keep(work.session, begun.attempt, seen, work.now)
        return next(
            one["id"]
            for one in self.stripe.sessions.values()
            if one["client_reference_id"] == begun.attempt
        )

    def deliver(self, *events: dict[str, object]) -> None:
        """Bring events as the webhook does, all that there are by default."""
        for event in events or self.stripe.events:
            body = self.stripe.body(event)
            now = self.clock.now()
            seen = self.cards.verified(body, signed(body, now), now)
            with self.parts.database.write() as session:
                inbox.keep(session, seen, now)
            self.stripe.delivered.add(str(event["id"]))

    def work(self) -> None:
        """Run every job that is due."""
        runner = Runner(
            self.parts.database, self.clock, jobs.handlers(self.parts, cards=self.ways.cards)
        )
        while runner.run_one():
            pass

    def paid(self) -> PublicId:
        """Return a payment that was paid by card."""
        payment = self.owed()
        self.stripe.pay(self.checkout(payment))
        self.deliver()
        self.work()
        return payment

    def view(self, payment: PublicId) -> PaymentView:
        with read_for(self.parts, self.payer) as work:
            return service.view(work, payment)

    def row(self, payment: PublicId) -> Payment:
        return self.view(payment).row

    def balances(self) -> dict[str, int]:
        """Return what the platform holds and what is the payer's, by account without its id; without
        0.
        """
        with self.parts.database.read() as session:
            accounts = [
                *posting.HELD.values(),
                posting.LOSS,
                *statements.accounts_of(self.organisation),
            ]
            found = money.balances(session, accounts)
        return {
            name.removeprefix("money:").partition(":")[0]: amount
            for name, amount in found.items()
            if amount
        }

    def wrong(self) -> list[Finding]:
        """Return where the books, the chain or the payments do not agree."""
        with self.parts.database.read() as session:
            return [*verify.books(session), *verify.links(session), *audit.audit(session)]

    def sound(self) -> None:
        assert self.wrong() == []


def till(parts: Parts, clock: FakeClock, stripe: StandIn) -> Till:
    platform = factories.organisation(parts, OrganisationKind.PLATFORM)
    first, second = (factories.actor(parts, Role.OPERATOR, platform) for _ in range(2))
    company = factories.organisation(parts, OrganisationKind.COMPANY)
    with work_for(parts, first) as work:
        fee = schedule.set_fee(
            work,
            FeeIn(
                code="year",
                name="平台年度服务费",
                purpose="service_fee",
                amount_fen=FEE,
                effective_from=work.today,
                source="示范收费办法第2条",
            ),
        ).public_id
    bank = BankAccount("示范平台", "示范银行", "1234567890")
    cards = Cards(KEY, SECRET, url=stripe.url)
    return Till(
        parts,
        clock,
        stripe,
        Ways(cards, bank),
        company,
        factories.actor(parts, Role.MANAGER, company),
        (first, second),
        fee,
    )

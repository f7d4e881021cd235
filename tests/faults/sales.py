"""Desks that reserve before they act: contacts under caps, sales under quotas."""

from decimal import Decimal
from typing import Any

from tests.faults.bank import COUNTED, PLENTY, PURSE, SCARCE
from tests.faults.crm import Answer
from tests.faults.desks import Desk
from tests.faults.ledger import Contact, Fate, Sale, Wish
from tests.faults.plan import Moment

CHANNELS = ("sms", "wechat", "app", "email")
PURPOSES = ("marketing", "marketing", "service")
WISHES = (Wish.CONFIRM, Wish.CONFIRM, Wish.CONFIRM, Wish.RELEASE, Wish.FORGET)
PRODUCTS = (SCARCE, PURSE, PLENTY)
STARTED_ANEW = 0.2
CLOSED = {"cap_reached"}
SOLD_OUT = {"quota_exhausted"}


class ContactDesk(Desk):
    """Reserves a contact, sends the message, confirms it; or releases it; or forgets about it."""

    async def step(self) -> None:
        contact = Contact(
            key=self.new_id(),
            customer_id=self.customer(),
            channel=self.dice.choice(CHANNELS),
            purpose=self.dice.choice(PURPOSES),
            wish=self.dice.choice(WISHES),
        )
        self.ledger.contacts.append(contact)
        await self._reserve(contact, tries=self.patience())
        if contact.contact_id is None or contact.wish is Wish.FORGET:
            return
        if contact.wish is Wish.CONFIRM:
            self.ledger.sends[contact.contact_id] += 1
            await self.moments.reached(Moment.SENT)
            if self.dice.random() < STARTED_ANEW:  # the client asks which contact it was
                await self._reserve(contact)
        await settle_contact(self, contact, tries=self.patience())

    async def _reserve(self, contact: Contact, tries: int | None = None) -> None:
        wanted = {name: getattr(contact, name) for name in ("customer_id", "channel", "purpose")}
        answer = await self.crm.call(
            "POST", "/v1/contacts", wanted, tries=tries, Idempotency_Key=contact.key
        )
        if answer.is_acknowledged:
            contact.fate = answer.fate
            contact.contact_ids.add(answer.body["contact_id"])
        elif contact.fate is not Fate.ACKNOWLEDGED:
            contact.fate, contact.refusal = answer.fate, answer.code
        if answer.fate is Fate.REFUSED and (contact.contact_ids or answer.code not in CLOSED):
            self.wonder(f"contact {contact.key}", answer)


async def settle_contact(desk: Desk, contact: Contact, tries: int | None = None) -> None:
    """Confirm or release, as the client means to."""
    path = f"/v1/contacts/{contact.contact_id}/{contact.wish}"
    answer = await desk.crm.call("POST", path, tries=tries)
    contact.settled = answer.fate
    if answer.fate is Fate.REFUSED:
        desk.wonder(f"{contact.wish} {contact.key}", answer)


class SaleDesk(Desk):
    """Reserves quota and confirms the sale; or releases it; or forgets about it."""

    async def step(self) -> None:
        product = self.dice.choice(PRODUCTS)
        units = 1 if product in COUNTED else self.dice.randint(100, 900)
        sale = Sale(
            key=self.new_id(),
            customer_id=self.customer(),
            product=product,
            units=Decimal(units),
            wish=self.dice.choice(WISHES),
        )
        self.ledger.sales.append(sale)
        await reserve(self, sale, tries=self.patience())
        if sale.reservation_id is None or sale.wish is Wish.FORGET:
            return
        if sale.wish is Wish.CONFIRM:
            await self.moments.reached(Moment.HELD)
            if self.dice.random() < STARTED_ANEW:
                await reserve(self, sale)
        await settle_sale(self, sale, tries=self.patience())


async def reserve(desk: Desk, sale: Sale, tries: int | None = None) -> Answer:
    """Ask for quota, under the sale's own key."""
    wanted: dict[str, Any] = {"customer_id": sale.customer_id, "product": sale.product}
    if sale.product not in COUNTED:
        wanted["amount"] = {"amount": f"{sale.units:.2f}", "currency": "CNY"}
    answer = await desk.crm.call(
        "POST", "/v1/reservations", wanted, tries=tries, Idempotency_Key=sale.key
    )
    if answer.is_acknowledged:
        if not sale.reservation_ids:
            desk.ledger.hold(sale.product, sale.units)
        sale.fate = answer.fate
        sale.reservation_ids.add(answer.body["id"])
    elif sale.fate is not Fate.ACKNOWLEDGED:
        sale.fate, sale.refusal = answer.fate, answer.code
    if answer.fate is Fate.REFUSED and (sale.reservation_ids or answer.code not in SOLD_OUT):
        desk.wonder(f"sale {sale.key}", answer)
    return answer


async def settle_sale(desk: Desk, sale: Sale, tries: int | None = None) -> None:
    """Confirm or release, as the client means to."""
    if sale.wish is Wish.RELEASE and sale.settled is None:
        desk.ledger.let_go(sale.product, sale.units)  # from now on it may be somebody else's
    path = f"/v1/reservations/{sale.reservation_id}/{sale.wish}"
    answer = await desk.crm.call("POST", path, tries=tries)
    sale.settled = answer.fate
    if answer.fate is Fate.REFUSED:
        desk.wonder(f"{sale.wish} {sale.key}", answer)

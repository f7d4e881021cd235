"""Money between the wire ({amount, currency}) and the tables: all in the bank's currency."""

from decimal import Decimal

from services.profile.parameters import Amount, WrittenAmount
from shared.errors import FieldError, Invalid


class ForeignCurrency(Invalid):
    code = "foreign_currency"
    title = "Amounts are kept in the bank's currency"


def received(amount: Amount | None, currency: str, pointer: str) -> Decimal | None:
    """Return the plain amount.

    Raises:
        ForeignCurrency: if it is not in the bank's currency.
    """
    if amount is None:
        return None
    if amount.currency != currency:
        raise ForeignCurrency(
            f"{pointer} must be in {currency}; convert it before you send it",
            errors=[FieldError(f"{pointer}/currency", f"must be {currency}")],
        )
    return amount.amount


def written(amount: Decimal | None, currency: str) -> WrittenAmount | None:
    """Return the amount as it is answered."""
    return None if amount is None else money(amount, currency)


def money(amount: Decimal, currency: str) -> WrittenAmount:
    """Return an amount that is known as it is answered."""
    return WrittenAmount(amount=f"{amount:.2f}", currency=currency)

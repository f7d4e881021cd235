"""What an access token says once it is verified; see `shared.auth`."""

from dataclasses import dataclass, field

from shared.errors import Forbidden, NotFound, PersonNeeded, WholeBankOnly


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A verified access token.

    `customer`, `org` and `rm` narrow whose data it reaches (None: not narrowed);
    `actor` is the person named by the gateway's signed claim, with that person's `roles`.
    """

    client_id: str
    scopes: frozenset[str]
    expires_at: int
    customer: str | None = None
    org: str | None = None
    rm: str | None = None
    actor: str | None = None
    roles: tuple[str, ...] = field(default=())

    @property
    def author(self) -> str:
        """The person, or the client where no person stands behind the call."""
        return self.actor or self.client_id

    def person(self) -> str:
        """Return the person who stands behind the call.

        Raises:
            PersonNeeded: nobody does.
        """
        if self.actor is None:
            raise PersonNeeded("Name the member of staff who decides in Bihuan-Actor")
        return self.actor

    def must_see_the_bank(self) -> None:
        """Keep what concerns all that is held from a token that sees a part of the bank.

        Raises:
            WholeBankOnly: it is narrowed to an org unit or a manager.
        """
        if self.org is not None or self.rm is not None:
            raise WholeBankOnly("Use a token that is not narrowed to an org unit or a manager")

    def must_be_staff(self) -> None:
        """Keep what is for staff from a token bound to a customer.

        Raises:
            Forbidden: it is.
        """
        if self.customer is not None:
            raise Forbidden("This is for staff; the token is bound to a customer")

    def must_see(self, customer_id: str) -> None:
        """Hide every other customer from a token bound to one.

        Raises:
            NotFound: if this customer is not the token's.
        """
        if self.customer not in {None, customer_id}:
            raise NotFound(f"No customer {customer_id}")

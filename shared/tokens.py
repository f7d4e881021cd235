"""What an access token says once it is verified; see `shared.auth`."""

from dataclasses import dataclass, field

from shared.errors import Forbidden, NotFound


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

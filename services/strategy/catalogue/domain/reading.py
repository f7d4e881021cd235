"""From entries to a shelf."""

from collections.abc import Iterable, Iterator

from services.strategy.attributes.domain import attribute_of
from services.strategy.catalogue.domain.compiled import Shelf
from services.strategy.catalogue.domain.decisioning import Decisioning, decisioning_of
from services.strategy.channels.domain import channel_of
from services.strategy.contact_policies.domain import ContactPolicy, contact_policy_of
from services.strategy.entries.domain import Entry, Fields, Kind
from services.strategy.products.domain import category_of, product_of
from services.strategy.strategies.domain import strategy_of

DEFAULT = "default"


def shelf_of(entries: Iterable[Entry], *, version: int) -> Shelf:
    """Read all entries of one catalogue version; of policies, the one named `default` counts."""
    known = sorted(entries, key=lambda entry: (entry.kind, entry.key))

    def of(kind: Kind) -> Iterator[tuple[str, Fields]]:
        for entry in known:
            if entry.kind is kind and not (fields := Fields(entry.body)).flag("deleted"):
                yield entry.key, fields

    rules = dict(of(Kind.DECISIONING)).get(DEFAULT)
    policy = dict(of(Kind.CONTACT_POLICY)).get(DEFAULT)
    decisioning = decisioning_of(rules) if rules else Decisioning()
    return Shelf(
        version=version,
        categories={
            key: category_of(key, fields, held_once=decisioning.held_once)
            for key, fields in of(Kind.CATEGORY)
        },
        channels={key: channel_of(key, fields) for key, fields in of(Kind.CHANNEL)},
        products=tuple(product_of(key, fields) for key, fields in of(Kind.PRODUCT)),
        strategies=tuple(strategy_of(key, fields) for key, fields in of(Kind.STRATEGY)),
        policy=contact_policy_of(DEFAULT, policy) if policy else ContactPolicy(),
        decisioning=decisioning,
        attributes=tuple(attribute_of(key, fields) for key, fields in of(Kind.ATTRIBUTE)),
    )

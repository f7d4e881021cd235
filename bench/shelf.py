"""The marks speak of a catalogue of 100 actions; the demonstration bank has fewer."""

import time
from typing import Any

from bench.product import Product
from bihuan.http import Gateway

ACTIONS = 100
EDITOR = "operator"
MODEL = "term_one_year"
KNOWN_SECONDS = 10.0  # until the server goes by the new catalogue
_OF_THE_BANK = ("version", "key", "author", "approver", "updated_at", "catalogue_version")


def fill(product: Product) -> int:
    """Put copies of a product on the shelf until there are so many actions; return how many."""
    with product.client(EDITOR) as client:
        model: dict[str, Any] = client.get(f"/v1/products/{MODEL}")
        copy = {name: value for name, value in model.items() if name not in _OF_THE_BANK}
        number = 0
        while (found := count(client)) < ACTIONS:
            client.put(f"/v1/products/bench_{number}", copy, {"If-None-Match": "*"})
            number += 1
            until = time.monotonic() + KNOWN_SECONDS
            while count(client) == found and time.monotonic() < until:
                time.sleep(0.1)
    return found


def count(client: Gateway) -> int:
    """How many actions the catalogue has; 200 stands for more."""
    return len(client.get("/v1/actions", {"limit": 200})["items"])

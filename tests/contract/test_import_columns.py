"""The client's tables of the bulk imports against profile's own: two programs, one layout."""

import pytest

from bihuan.columns import IMPORTS
from services.profile.jobs.domain.columns import LAYOUTS, ImportKind


@pytest.mark.parametrize("kind", ImportKind)
def test_the_client_sends_the_columns_that_profile_takes(kind: ImportKind) -> None:
    sent = {each.kind: each for each in IMPORTS}[kind]
    taken = LAYOUTS[kind]

    assert dict(zip(sent.schema.names, sent.schema.types, strict=True)) == dict(
        zip(taken.schema.names, taken.schema.types, strict=True)
    )
    assert taken.required <= sent.required

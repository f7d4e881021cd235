"""The client's tables of the bulk imports against profile's own: two programs, one layout."""

import pytest

from bihuan.columns import IMPORTS, Import
from services.profile.jobs.domain.columns import LAYOUTS, ImportKind


@pytest.mark.parametrize("sent", IMPORTS, ids=lambda sent: sent.kind)
def test_the_client_sends_the_columns_that_profile_takes(sent: Import) -> None:
    taken = LAYOUTS[ImportKind(sent.kind)]

    assert dict(zip(sent.schema.names, sent.schema.types, strict=True)) == dict(
        zip(taken.schema.names, taken.schema.types, strict=True)
    )
    assert taken.required <= sent.required

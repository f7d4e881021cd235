"""What is compared, as columns."""

from collections.abc import Sequence

import pyarrow as pa

from services.profile.matching.domain.parties import Party, fields_of

FIELDS = pa.schema(
    [
        ("customer_id", pa.string()),
        ("name", pa.string()),
        ("name_words", pa.list_(pa.string())),
        ("birth_date", pa.string()),
        ("city", pa.string()),
        ("email", pa.string()),
        ("email_user", pa.string()),
        ("phone", pa.string()),
        ("national_id", pa.string()),
    ]
)
"""What the linkage compares, and by what it tells parties apart."""


def table_of(parties: Sequence[Party]) -> pa.Table:
    """Return the fields of parties as columns."""
    return pa.Table.from_pylist([fields_of(each) for each in parties], schema=FIELDS)

"""The tables that hold rows of subjects, found by the marks on their columns."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Column, MetaData

SUBJECT = {"names": "subject"}
"""`info` of a column that holds the id of a subject."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A table with rows of subjects: `keys` are the columns that name one, `order` its key."""

    name: str
    keys: tuple[str, ...]
    order: tuple[str, ...]

    @property
    def condition(self) -> str:
        """The SQL of whether a row is of one of the subjects in the array `$1`."""
        return " OR ".join(f"{key} = ANY ($1::text[])" for key in self.keys)


def stores_of(metadata: MetaData) -> Sequence[Store]:
    """Return the stores among some tables, by name."""
    return [
        Store(
            name=str(table.name),
            keys=keys,
            order=tuple(str(column.name) for column in table.primary_key) or keys,
        )
        for table in sorted(metadata.tables.values(), key=lambda each: each.name)
        if (keys := tuple(str(column.name) for column in table.columns if _names_subject(column)))
    ]


def _names_subject(column: Column[object]) -> bool:
    return column.info.get("names") == "subject"

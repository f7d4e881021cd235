"""What a mapping needs of its files, held against what they have."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from bihuan.importer.mapping import TARGETS, Join, Mapping, Part

ColumnsOf = Callable[[str], Sequence[str]]
"""The columns of a file, by its name in the mapping."""


@dataclass(frozen=True, slots=True)
class Unmet:
    """A place of the mapping, a file by its name there, and what is wrong with that file."""

    place: str
    file: str
    what: str


def unmet_needs(mapping: Mapping, columns_of: ColumnsOf) -> list[str]:
    """One line for each place whose columns are not there, and one for each such file.

    Returns:
        Nothing if the files have all that the mapping names.
    """
    found = [
        unmet
        for kind in TARGETS
        for index, part in enumerate(mapping.parts(kind))
        for unmet in _of_part(part, f"{kind}[{index}]", columns_of)
    ]
    paths = {name: spec.path for name, spec in mapping.files.items()}
    told = [f"  {unmet.place}: {paths[unmet.file]} {unmet.what}" for unmet in found]
    files = dict.fromkeys(unmet.file for unmet in found)
    return [*told, *(f"  {paths[file]} has {', '.join(columns_of(file))}" for file in files)]


def _of_part(part: Part, place: str, columns_of: ColumnsOf) -> Iterator[Unmet]:
    have = set(columns_of(part.file))
    for at, join in enumerate(part.join):
        yield from _of_join(part, join, f"{place}.join[{at}]", have, columns_of)
        have |= join.take.keys()
    named = {"where": part.where, "unless": part.unless, "first_of": part.first_of}
    named |= {"totals_by": [part.totals_by] if part.totals_by else []}
    named |= {f"fields.{name}": source.columns() for name, source in part.fields.items()}
    for key, columns in named.items():
        yield from _missing(f"{place}.{key}", part.file, columns, have)
    for name, source in part.fields.items():
        if lookup := source.lookup:
            wanted, known = [lookup.key, lookup.value], columns_of(lookup.file)
            yield from _missing(f"{place}.fields.{name}.lookup", lookup.file, wanted, known)


def _of_join(
    part: Part, join: Join, place: str, have: set[str], columns_of: ColumnsOf
) -> Iterator[Unmet]:
    theirs = [*join.on.values(), *join.where, *join.take.values()]
    yield from _missing(place, join.file, theirs, columns_of(join.file))
    yield from _missing(place, part.file, join.on, have)
    if taken := sorted(join.take.keys() & have):
        yield Unmet(place, part.file, f"has a column {', '.join(taken)} already")


def _missing(place: str, file: str, wanted: Iterable[str], have: Iterable[str]) -> Iterator[Unmet]:
    if missing := sorted({*wanted} - {*have}):
        yield Unmet(place, file, f"has no column {', '.join(missing)}")

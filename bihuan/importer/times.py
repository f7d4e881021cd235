"""Dates and times as sources spell them."""

import re

import polars as pl

from bihuan.importer.mapping import DATE_PARTS, Source


def moment(text: pl.Expr, source: Source, zone: str) -> pl.Expr:
    """The instant that `text` spells, in UTC; null where it spells none.

    A spelling without an offset is of `zone`: an hour that the clocks skipped is none, of an hour
    that came twice it is the first.
    """
    return pl.coalesce([_instant(text, pattern, source, zone) for pattern in source.date])


def day(text: pl.Expr, source: Source, zone: str) -> pl.Expr:
    """The day that `text` spells, an offset brought home to `zone`; null where it spells none."""
    return pl.coalesce(
        [
            _instant(text, pattern, source, zone).dt.convert_time_zone(zone).dt.date()
            if "%z" in pattern
            else _local(_parts(text, pattern), source).dt.date()
            for pattern in source.date
        ]
    )


def _instant(text: pl.Expr, pattern: str, source: Source, zone: str) -> pl.Expr:
    parts = _parts(text, pattern)
    local = _local(parts, source)
    if "offset" in parts:
        return (local - _offset(parts["offset"])).dt.replace_time_zone("UTC")
    return local.dt.replace_time_zone(
        zone, ambiguous="earliest", non_existent="null"
    ).dt.convert_time_zone("UTC")


def _parts(text: pl.Expr, pattern: str) -> dict[str, pl.Expr]:
    """Texts of the parts that the pattern names, null where `text` is not of that form."""
    form = re.escape(pattern).replace(r"\ ", " ")
    for part, group in DATE_PARTS.items():
        form = form.replace(part, group)
    found = text.str.extract_groups(f"^{form}$")
    return {name: found.struct.field(name) for name in re.findall(r"\?<(\w+)>", form)}


def _local(parts: dict[str, pl.Expr], source: Source) -> pl.Expr:
    """The time on the clock of the place."""
    at = source.at
    clock = {"hour": at.hour if at else 0, "minute": at.minute if at else 0, "second": 0}
    numbers = {
        "year": _year(parts, source),
        "month": _month(parts, source),
        "day": parts["day"].cast(pl.Int64),
        **{n: parts[n].cast(pl.Int64) if n in parts else pl.lit(clock[n]) for n in clock},
    }
    spelled = [
        numbers["year"].cast(pl.String).str.zfill(4),
        *(numbers[name].cast(pl.String).str.zfill(2) for name in list(numbers)[1:]),
        parts.get("fraction", pl.lit("0")).str.pad_end(6, "0"),
    ]
    found = pl.concat_str(spelled, separator=" ").str.to_datetime(
        "%Y %m %d %H %M %S %6f", time_unit="us", strict=False
    )
    if source.add_months:
        return found.dt.offset_by(pl.format("{}mo", pl.col(source.add_months)))
    return found


def _year(parts: dict[str, pl.Expr], source: Source) -> pl.Expr:
    if "short" in parts:
        century = source.century if source.century is not None else 2000
        return parts["short"].cast(pl.Int64) + century + source.shift_years
    return parts["year"].cast(pl.Int64) + source.shift_years


def _month(parts: dict[str, pl.Expr], source: Source) -> pl.Expr:
    month = parts["month"].cast(pl.Int64)
    if not source.month_offset:
        return month
    return pl.when(month > source.month_offset).then(month - source.month_offset).otherwise(month)


def _offset(text: pl.Expr) -> pl.Expr:
    """How far the place is ahead of UTC: Z, +0800 or -03:30."""
    plain = text.str.replace("Z", "+0000", literal=True).str.replace(":", "", literal=True)
    sign = pl.when(plain.str.starts_with("-")).then(-1).otherwise(1)
    hours, minutes = (plain.str.slice(at, 2).cast(pl.Int64) for at in (1, 3))
    return pl.duration(minutes=sign * (hours * 60 + minutes))

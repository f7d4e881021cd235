"""A source's rows into the rows of the imports: what fits, what does not, what it adds up to."""

from dataclasses import dataclass, field
from decimal import Decimal

import polars as pl

from bihuan.columns import EVENTS, Import
from bihuan.importer.day_end import day_ends, in_order
from bihuan.importer.fields import Surroundings, Value, agrees, compile_field, place
from bihuan.importer.mapping import TARGETS, DayEnd, Join, Lookup, Mapping, MappingRefused, Part
from bihuan.importer.needs import unmet_needs
from bihuan.importer.sources import FAULT, LINE, Sources

FILE, REASON = "_file", "_reason"
REJECT_COLUMNS = {FILE: pl.String, LINE: pl.Int64, REASON: pl.String}
WITH_CURRENCY = ("accounts", "holdings", "events")


@dataclass(frozen=True, slots=True)
class LedgerCheck:
    """How a feed's balances agree with the running sum of its bookings, from 0."""

    file: str
    account_days: int
    within: dict[str, int]  # account-days by tolerance
    worst: Decimal


@dataclass(frozen=True, slots=True)
class Total:
    """Rows and their amounts, of one word of the source."""

    file: str
    word: str
    rows: int
    amount: Decimal


@dataclass(slots=True)
class Translation:
    """All rows of a source, by target; each frame also tells file and line of its rows."""

    frames: dict[str, pl.DataFrame] = field(default_factory=dict)
    rejects: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=REJECT_COLUMNS))
    skipped: int = 0
    totals: list[Total] = field(default_factory=list)
    ledgers: list[LedgerCheck] = field(default_factory=list)


def translate(mapping: Mapping, sources: Sources) -> Translation:
    """Every part of the mapping, target by target.

    Raises:
        MappingRefused: if files lack columns that the mapping names; it tells of all of them.
    """
    if unmet := unmet_needs(mapping, sources.columns):
        raise MappingRefused("\n".join(["the files do not fit the mapping:", *unmet]))
    done = Translation()
    for kind, target in TARGETS.items():
        frames = [_part(part, target, mapping, sources, done) for part in mapping.parts(kind)]
        if frames:
            done.frames[kind] = _without_repeats(
                pl.concat(frames, how="diagonal"), _identity(target), done
            )
    return done


def _part(
    part: Part, target: Import, mapping: Mapping, sources: Sources, done: Translation
) -> pl.DataFrame:
    """The rows of one part that fit; the others go to `done.rejects`."""
    rows = _joined(part, sources)
    wanted = rows.filter(agrees(part.where))
    if part.unless:
        wanted = wanted.filter(~agrees(part.unless))
    values = _values(part, target, mapping, sources)
    frame = wanted.select(
        *(value.expr.alias(name) for name, value in values.items()),
        pl.lit(part.file).alias(FILE),
        LINE,
        pl.coalesce(FAULT, _reasons(target, part, values)).alias(REASON),
        *([pl.col(part.totals_by).alias("_word")] if part.totals_by else []),
        *([pl.struct(part.first_of).alias("_key")] if part.first_of else []),
    )
    if part.first_of:
        frame = _firsts(frame)
    done.skipped += rows.height - frame.height
    rejected = frame.filter(pl.col(REASON).is_not_null())
    done.rejects = pl.concat([done.rejects, rejected.select(*REJECT_COLUMNS)])
    fits = frame.filter(pl.col(REASON).is_null()).drop(REASON)
    return _summed_up(part, mapping, fits, done)


def _firsts(frame: pl.DataFrame) -> pl.DataFrame:
    """The first row of each key that fits; of a key whose rows all do not, the first."""
    fitting_first = frame.sort(pl.col(REASON).is_not_null(), maintain_order=True)
    return fitting_first.unique("_key", keep="first", maintain_order=True).drop("_key")


def _joined(part: Part, sources: Sources) -> pl.DataFrame:
    rows = sources[part.file]
    for join in part.join:
        rows = rows.join(
            _unambiguous(join, sources[join.file]),
            left_on=list(join.on),
            right_on=list(join.on.values()),
            how="left",
            maintain_order="left",
        )
    return rows


def _unambiguous(join: Join, other: pl.DataFrame) -> pl.DataFrame:
    """The columns to take, from keys that one row has; of several it cannot be known which."""
    keys = list(join.on.values())
    taken = [pl.col(theirs).alias(ours) for ours, theirs in join.take.items()]
    known = other.filter(agrees(join.where), pl.col(FAULT).is_null())
    return known.filter(pl.struct(keys).is_unique()).select(*keys, *taken)


def _values(part: Part, target: Import, mapping: Mapping, sources: Sources) -> dict[str, Value]:
    around = Surroundings(mapping.zone, lambda wanted: _table(wanted, sources))
    values = {
        name: compile_field(name, source, target.schema.field(name).type, around)
        for name, source in part.fields.items()
    }
    if target.kind in WITH_CURRENCY and "currency" not in values:
        values["currency"] = Value(pl.lit(mapping.currency), pl.lit(None, pl.String))
    return values


def _table(lookup: Lookup, sources: Sources) -> dict[str, str | None]:
    frame = sources[lookup.file]
    known = frame.drop_nulls(lookup.key)
    return dict(zip(known[lookup.key], known[lookup.value], strict=True))


def _reasons(target: Import, part: Part, values: dict[str, Value]) -> pl.Expr:
    """Everything that is wrong with a row, or null."""
    faults = [value.reason for value in values.values()]
    faults += [
        pl.when(values[name].expr.is_null() & values[name].reason.is_null()).then(
            pl.lit(f"{place(name, source)}: missing")
        )
        for name, source in part.fields.items()
        if name in target.required
    ]
    if target is EVENTS and "amount" in values:
        is_negative = values["amount"].expr < 0
        told = f"{place('amount', part.fields['amount'])}: negative"
        faults.append(pl.when(is_negative).then(pl.lit(told)))
    told = pl.concat_str(faults, separator="; ", ignore_nulls=True)
    return pl.when(told != "").then(told)


def _summed_up(part: Part, mapping: Mapping, fits: pl.DataFrame, done: Translation) -> pl.DataFrame:
    if part.totals_by:
        done.totals += _totals(part.file, fits)
        fits = fits.drop("_word")
    if part.day_end:
        fits, check = _closed(part.file, fits, mapping.zone, part.day_end)
        done.ledgers.append(check)
    return fits


def _totals(file: str, fits: pl.DataFrame) -> list[Total]:
    amount = pl.col("amount").sum() if "amount" in fits.columns else pl.lit(0, pl.Int64)
    words = fits.group_by(pl.col("_word").fill_null("")).agg(rows=pl.len(), fen=amount)
    return [
        Total(file, word, rows, Decimal(fen) / 100)
        for word, rows, fen in words.sort("_word").iter_rows()
    ]


def _closed(
    file: str, fits: pl.DataFrame, zone: str, day_end: DayEnd
) -> tuple[pl.DataFrame, LedgerCheck]:
    """The events with their order inside each day, and how well the ledgers agree."""
    signed = pl.when(pl.col("direction") == "in").then("amount").otherwise(-pl.col("amount"))
    numbers = fits.select(
        holding=pl.col("holding_id").rank("dense").cast(pl.Int64),
        day=pl.col("occurred_at").dt.convert_time_zone(zone).dt.date().cast(pl.Int64),
        moment=pl.col("occurred_at").to_physical(),
        fen=signed.fill_null(0),
        balance=pl.col("balance_after").fill_null(0),
    )
    holding, day, moment, fen, balance = (numbers[n].to_numpy() for n in numbers.columns)
    if day_end.rule == "file_order":
        ends = in_order(holding, day, moment, fen, balance)
    else:
        ends = day_ends(holding, day, fen, balance)
    within = {str(t): int((ends.off_fen <= int(t * 100)).sum()) for t in day_end.tolerances}
    worst = Decimal(int(ends.off_fen.max(initial=0))) / 100
    check = LedgerCheck(file, len(ends.off_fen), within, worst)
    return fits.with_columns(sequence=pl.Series(ends.sequence)), check


def _identity(target: Import) -> list[str]:
    """An account may belong to several customers; everything else has one id."""
    return ["account_id", "customer_id"] if target.kind == "accounts" else [target.key]


def _without_repeats(frame: pl.DataFrame, keys: list[str], done: Translation) -> pl.DataFrame:
    """Keep the first row of each id; later ones would overwrite it unseen."""
    first = pl.struct(keys).is_first_distinct()
    told = pl.concat_str(pl.lit(f"{keys[0]}: given before: "), keys[0]).alias(REASON)
    repeats = frame.filter(~first).select(FILE, LINE, told)
    done.rejects = pl.concat([done.rejects, repeats])
    return frame.filter(first)

"""Rules over one customer: many rules as one generated Python function."""

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from shared.rules.levels import Ladder
from shared.rules.rule import Expression, Rule
from shared.rules.source import Source

Truth = bool | None
Getter = Callable[[str], object]


def compile_single(
    rules: Mapping[str, Rule],
) -> Callable[[Mapping[str, object]], dict[str, Truth]]:
    """One function for all rules: attributes by name in, truth by rule out.

    An attribute that is not given is missing.
    """
    evaluate = _compile_getter(rules=list(rules.values()))
    keys = tuple(rules)

    def evaluate_named(values: Mapping[str, object]) -> dict[str, Truth]:
        return dict(zip(keys, cast("tuple[Truth, ...]", evaluate(values.get)), strict=True))

    return evaluate_named


def compile_tuple(
    rules: Sequence[Rule], attributes: Sequence[str]
) -> Callable[[Sequence[object]], tuple[Truth, ...]]:
    """One function for all rules: values in the order of `attributes` in, truths in order out."""
    places = {name: place for place, name in enumerate(attributes)}
    source = Source(lambda name, _: f"given[{places[name]}]")
    return cast("Callable[[Sequence[object]], tuple[Truth, ...]]", _build(source, rules=rules))


def compile_levels(
    ladders: Mapping[str, Ladder],
) -> Callable[[Mapping[str, object]], dict[str, str | None]]:
    """One function for all scales: attributes by name in, key of the first true level out."""
    evaluate = _compile_getter(ladders=list(ladders.values()))
    keys = tuple(ladders)

    def evaluate_named(values: Mapping[str, object]) -> dict[str, str | None]:
        return dict(zip(keys, cast("tuple[str | None, ...]", evaluate(values.get)), strict=True))

    return evaluate_named


def compile_values(
    values: Mapping[str, Expression],
) -> Callable[[Mapping[str, object]], dict[str, float | None]]:
    """One function for all numbers: attributes by name in, numbers by name out."""
    evaluate = _compile_getter(values=list(values.values()))
    keys = tuple(values)

    def evaluate_named(given: Mapping[str, object]) -> dict[str, float | None]:
        return dict(zip(keys, cast("tuple[float | None, ...]", evaluate(given.get)), strict=True))

    return evaluate_named


def _compile_getter(
    *,
    rules: Sequence[Rule] = (),
    ladders: Sequence[Ladder] = (),
    values: Sequence[Expression] = (),
) -> Callable[[Getter], tuple[object, ...]]:
    source = Source(lambda _, constant: f"given({constant})")
    function = _build(source, rules=rules, ladders=ladders, values=values)
    return cast("Callable[[Getter], tuple[object, ...]]", function)


def _build(
    source: Source,
    *,
    rules: Sequence[Rule] = (),
    ladders: Sequence[Ladder] = (),
    values: Sequence[Expression] = (),
) -> object:
    """Write, compile and fetch the function; its only names are its own and the constants."""
    results = [_write_rule(source, rule) for rule in rules]
    results += [_write_ladder(source, ladder) for ladder in ladders]
    results += [source.value(value.tree) for value in values]
    body = [*source.lines, f"return ({''.join(f'{result}, ' for result in results)})"]
    text = "def evaluate(given):\n" + "\n".join(f"    {line}" for line in body)
    namespace: dict[str, object] = {"__builtins__": {"float": float}, **source.constants}
    exec(compile(text, "<rules>", "exec"), namespace)  # noqa: S102 - written from the whitelisted tree
    return namespace["evaluate"]


def _write_rule(source: Source, rule: Rule) -> str:
    true, false = source.when_true(rule.tree), source.when_false(rule.tree)
    variable = source.variable()
    source.lines.append(f"{variable} = True if {true} else False if {false} else None")
    return variable


def _write_ladder(source: Source, ladder: Ladder) -> str:
    applies = source.when_true(ladder.applies.tree) if ladder.applies else "True"
    branches: list[str] = []
    for level in ladder.levels:
        held = source.when_true(level.rule.tree) if level.rule else "True"
        branches.append(f"{source.constant(level.key)} if {held} else")
    variable = source.variable()
    source.lines.append(f"{variable} = ({' '.join(branches)} None) if {applies} else None")
    return variable

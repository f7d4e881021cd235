"""Who is in a segment now: the rule itself, asked at the decision."""

from collections.abc import Mapping
from itertools import compress

from services.strategy.customers.domain import Customer
from shared.rules import Catalogue, Rule, RuleError, compile_single, parse


class SegmentRules:
    """Rules of segments, compiled into one function.

    A segment whose rule is known takes a customer by that rule, over what is known of the customer
    now: so an edit of the rule, or of the customer, holds from the next decision on, and not only
    when a run over everybody has told the members. Of a segment whose rule is not known here, or
    cannot be read (`unreadable` says why), what segment last said of the customer counts.

    Args:
        rules: by segment; None where it is out of use.
        vocabulary: the attributes that rules may name.
    """

    def __init__(self, rules: Mapping[str, str | None], vocabulary: Catalogue) -> None:
        parsed, self.unreadable = _parsed(rules, vocabulary)
        self._known = rules.keys() - self.unreadable.keys()
        self._evaluate = compile_single(parsed)

    def segments_of(self, customer: Customer) -> frozenset[str]:
        """Return the keys of all segments that the customer is in."""
        answers = self._evaluate(customer.attributes)
        told = customer.segments - self._known
        return told.union(compress(answers, answers.values()))


def _parsed(
    rules: Mapping[str, str | None], vocabulary: Catalogue
) -> tuple[dict[str, Rule], dict[str, str]]:
    parsed: dict[str, Rule] = {}
    faults: dict[str, str] = {}
    for key, text in rules.items():
        try:
            if text is not None:
                parsed[key] = parse(text, vocabulary)
        except RuleError as error:
            faults[key] = str(error)
    return parsed, faults

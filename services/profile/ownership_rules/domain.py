"""Who looks after whom (管户规则): ordered rules over attributes, the first that holds counts."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.profile.attributes.domain import Words
from services.profile.vocabulary import Label, OwnershipRule
from shared.errors import FieldError, Invalid, Refused
from shared.rules import Catalogue, RuleError, compile_single, fit, parse

SHIPPED_VERSION = 1
Values = Mapping[str, object]


class OwnershipRulesUnreadable(Invalid):
    code = "ownership_rules_unreadable"
    title = "The rules name what there is not"


class OwnershipRuleNeedsSeparateConsent(Refused):
    """A sensitive attribute is used only where a separate consent stands behind it (P5)."""

    code = "separate_consent_required"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """The rules in their current version; the shipped ones have neither author nor time."""

    rules: tuple[OwnershipRule, ...]
    version: int = SHIPPED_VERSION
    author: str | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The rules compiled; `reads` are the attributes that they take."""

    catalogue: Catalogue
    evaluate: Callable[[Values], Mapping[str, bool | None]]
    reads: frozenset[str]

    def first(self, values: Values) -> str | None:
        """Return the key of the first rule that holds for a customer; None: none does."""
        truths = self.evaluate(fit(values, self.catalogue))
        return next((key for key, is_true in truths.items() if is_true), None)


def compiled(rules: Sequence[OwnershipRule], catalogue: Catalogue) -> Rulebook:
    """Read the rules.

    Raises:
        RuleError: one cannot be read any more.
    """
    read = {each.key: parse(each.rule, catalogue) for each in rules}
    reads = frozenset[str]().union(*(rule.dependencies for rule in read.values()))
    return Rulebook(catalogue, compile_single(read), reads)


def check(rules: Sequence[OwnershipRule], *, words: Words, kinds: Collection[str]) -> None:
    """Refuse rules that name what there is not, or each other's keys.

    Raises:
        OwnershipRulesUnreadable: naming each place, and what may have been meant.
        OwnershipRuleNeedsSeparateConsent: one uses a sensitive attribute without the flag.
    """
    faults: list[FieldError] = []
    for place, each in enumerate(rules):
        if each.key in {earlier.key for earlier in rules[:place]}:
            faults.append(FieldError(f"/rules/{place}/key", "is an earlier rule's"))
        if each.serves not in kinds:
            known = ", ".join(sorted(kinds))
            faults.append(FieldError(f"/rules/{place}/serves", f"is none of {known}"))
        try:
            sensitive = sorted(parse(each.rule, words.catalogue).dependencies & words.sensitive)
        except RuleError as error:
            faults += [FieldError(f"/rules/{place}/rule", str(fault)) for fault in error.errors]
            continue
        if sensitive and not each.separate_consent:
            raise OwnershipRuleNeedsSeparateConsent(
                f"Set separate_consent on {each.key} to use {', '.join(sensitive)}"
            )
    if faults:
        raise OwnershipRulesUnreadable("Mend what is named in `errors`", errors=faults)


def rule_of(body: Mapping[str, Any]) -> OwnershipRule:
    """Return a rule as it was written."""
    parts: dict[str, Any] = {**body, "label": Label(**body["label"])}
    return OwnershipRule(**parts)

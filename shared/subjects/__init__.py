"""What a service holds on one subject: shown store by store, and taken out of all of them.

A column that holds a subject's id is marked with `SUBJECT` (`shared.stores`) where its table is
declared; `catalogue/retention.yaml` says what an erasure does to the rows of each such table.
"""

from shared.subjects.erasing import Eraser
from shared.subjects.holder import Holder
from shared.subjects.rules import Effect, Rule, read_rules

__all__ = ["Effect", "Eraser", "Holder", "Rule", "read_rules"]

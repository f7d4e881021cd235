"""A bank's files into the suite, described by a mapping (docs/MAPPINGS.md)."""

"""What the bank sets by environment variables, each also as the name of a file: `…_FILE`."""

import os
from collections.abc import Mapping
from pathlib import Path


def is_set(variable: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a variable, or the file that holds its value, is named."""
    return variable in environment or f"{variable}_FILE" in environment


def value_of(variable: str) -> str | None:
    """Value of a variable; None if it is not set.

    Raises:
        OSError: its file cannot be read.
    """
    if variable in os.environ:
        return os.environ[variable]
    if f"{variable}_FILE" in os.environ:
        return Path(os.environ[f"{variable}_FILE"]).read_text().strip()
    return None

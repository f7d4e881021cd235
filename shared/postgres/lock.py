"""One supervisor per folder."""

import fcntl
import os
from pathlib import Path
from typing import IO

from shared.postgres.errors import FolderBusy


class FolderLock:
    """Held until released or until its process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Take it, or keep it if we have it.

        Raises:
            FolderBusy: another process, or another part of this one, has it.
        """
        if self._file is not None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        file = (self._folder / "lock").open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read().strip()
            file.close()
            raise FolderBusy(
                f"{self._folder} is in use by process {holder or 'unknown'}: "
                "stop that one, or choose another folder"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def is_held(self) -> bool:
        """Whether somebody else has it; writes nothing."""
        try:
            file = (self._folder / "lock").open("r")
        except FileNotFoundError:
            return False
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return True
        return False

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

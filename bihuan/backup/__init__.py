"""Back the suite up while it runs, and restore it: `bihuan backup`, `bihuan restore`.

A backup is a folder: a dump of each database, the secrets and keys that no database holds, a
manifest, and `SHA256SUMS` over all of it, written last (`sha256sum --check SHA256SUMS`).
docs/OPERATIONS.md says what a restore means for facts that are in one database and not the other.
"""

from bihuan.backup.manifest import BackupRefused, Manifest
from bihuan.backup.restoring import begin_new_epochs, restore
from bihuan.backup.saving import save

__all__ = ["BackupRefused", "Manifest", "begin_new_epochs", "restore", "save"]

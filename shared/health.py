"""`python -m shared.health WHAT`: exit 0 if a process is well; for containers' health checks.

WHAT is the address of a server's `/health/ready`, or the file a worker touches while its event loop
turns (`shared.worker`).
"""

import http.client
import sys
import time
import urllib.parse
from pathlib import Path

FRESH_SECONDS = 15.0


def server_is_well(url: str) -> bool:
    """Tell whether a server says it is ready."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=3)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def worker_is_well(file: Path) -> bool:
    """Tell whether a worker touched its file a moment ago."""
    return file.exists() and time.time() - file.stat().st_mtime < FRESH_SECONDS


if __name__ == "__main__":
    what = sys.argv[1]
    is_well = server_is_well(what) if what.startswith("http") else worker_is_well(Path(what))
    sys.exit(0 if is_well else 1)

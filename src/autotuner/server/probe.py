"""Health check of a container: `python -m autotuner.server.probe` ends with 0 where the service of
this machine is ready, and else says why not.

Imports the standard library only: it runs every few seconds, in images without curl.
"""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request

_TIMEOUT_S = 4
_PORT = 8700


def main() -> int:
    """Asks the service once."""
    address = f"http://127.0.0.1:{os.environ.get('AUTOTUNER_PORT', _PORT)}/readyz"
    try:
        with urllib.request.urlopen(address, timeout=_TIMEOUT_S):
            return 0
    except urllib.error.HTTPError as refused:
        reason = refused.read().decode(errors="replace")
    except OSError as error:
        reason = str(error)
    print(f"{address}: {reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())

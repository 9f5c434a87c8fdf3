"""Reduce tests/sdk/package-lock.json to names and versions: no addresses, no hashes of whichever index was used."""

import json
import sys
from pathlib import Path

DROPPED = ("resolved", "integrity", "funding", "license")


def main(path: Path) -> None:
    """Rewrite the lock file in place."""
    lock = json.loads(path.read_text())
    for package in lock["packages"].values():
        for field in DROPPED:
            package.pop(field, None)
    path.write_text(json.dumps(lock, indent=1, sort_keys=True) + "\n")
    print(f"{path.name}: {len(lock['packages']) - 1} packages")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

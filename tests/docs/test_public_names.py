"""The public face is a decision: names appear or vanish here first."""

import subprocess
import sys

import patron
import patron.testing

PUBLIC: set[str] = set()
TESTING = {"MemoryTable"}


def test_patron_s_public_names() -> None:
    assert set(getattr(patron, "__all__", ())) == PUBLIC
    assert {name for name in vars(patron) if not name.startswith("_")} - _modules() == PUBLIC


def test_the_testing_package_s_public_names() -> None:
    assert set(patron.testing.__all__) == TESTING


def test_importing_patron_is_cheap() -> None:
    """No third-party package is imported before something asks for it."""
    script = "import sys, patron; print(*sorted(m for m in ('numpy', 'starlette', 'click', 'msgspec', 'uvicorn') if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def _modules() -> set[str]:
    """Subpackages that other tests imported become attributes."""
    return {name.split(".")[1] for name in sys.modules if name.startswith("patron.")}

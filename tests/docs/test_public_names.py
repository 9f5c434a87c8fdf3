"""The public face is a decision: names appear or vanish here first."""

import subprocess
import sys
from pathlib import Path

import patron
import patron.testing

PUBLIC = {"App", "__version__", "errors", "open"}
APP = {"batch", "close", "decide", "erase", "events", "identify", "path", "profile", "track"}
TESTING = {"MemoryTable"}


def test_patron_s_public_names() -> None:
    assert set(patron.__all__) == set(dir(patron)) == PUBLIC
    assert all(getattr(patron, name) is not None for name in PUBLIC)
    shown = {name for name in vars(patron) if not name.startswith("_")} - _modules()
    assert shown == PUBLIC - {"__version__"}


def test_an_app_s_public_names(tmp_path: Path) -> None:
    with patron.open(tmp_path / "shop", create=True) as app:
        assert type(app) is patron.App
        assert {name for name in dir(app) if not name.startswith("_")} == APP


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

"""Draw docs/screenshots/ anew: every page of a freshly built demo, light and dark, 1440 and 390 wide.

Run by `make screenshots`. It builds the demo's town in a temporary folder, signs in, visits each page in Debian's
Chromium and writes one PNG each, plus docs/screens.md, which shows them all.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser, BrowserContext, Page  # noqa: E402

from tests.flow.browsing import chromium  # noqa: E402
from tests.flow.serving import PATRON, free_port  # noqa: E402

FOLDER = ROOT / "docs" / "screenshots"
SIZES = {1440: 900, 390: 844}
THEMES = ("light", "dark")
BUILD_SECONDS = 300
ALIVE_SECONDS = 12
"""How long the town lives before the first picture, so that home has something to count."""


def pages(facts: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Name -> (address, what it shows)."""
    first = facts["stories"][0]["identifier"]
    others = {
        f"person-{n}": (f"/console/people/{story['identifier']}", story["title"])
        for n, story in enumerate(facts["stories"][1:3], 2)
    }
    return {
        "home": ("/console", "Home: does all arrive, and what waits for a person"),
        "people": ("/console/people", "People: find anybody by any identifier"),
        "person": (f"/console/people/{first}", f"One person: {facts['stories'][0]['title']}"),
        **others,
        "split": (f"/console/people/{first}/split", "Undo a wrong merge"),
        "person-data": (f"/console/people/{first}/data", "Export or erase one person"),
        "decisions": ("/console/decisions", "Decisions: what was decided, and the honest line"),
        "health": ("/console/data", "Data: health"),
        "sources": ("/console/data/sources", "Sources and their write keys"),
        "keys": ("/console/data/keys", "Secret keys of other systems"),
        "quarantine": ("/console/data/quarantine", "Dead letters: what did not fit, and why"),
        "privacy": ("/console/privacy", "Privacy: what was erased, with receipts"),
        "shop": ("/console/shop", "Be the customer: a web page, a kiosk and a till"),
        "account": ("/console/account", "One's own account"),
    }


@contextmanager
def demo(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """A running demo: its address and what `patron demo` noted about it."""
    port = free_port()
    log = folder / "demo.log"
    command = [PATRON, "demo", "--dir", str(folder / "town"), "--port", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        marker, until = folder / "town" / "demo.json", time.monotonic() + BUILD_SECONDS
        while not (marker.exists() and marker.stat().st_size):
            if process.poll() is not None or time.monotonic() > until:
                sys.exit(f"the demo did not start:\n{log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.25)
        time.sleep(ALIVE_SECONDS)
        yield f"http://127.0.0.1:{port}", json.loads(marker.read_text("utf-8"))
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()


def signed_in(browser: Browser, url: str, password: str) -> dict[str, Any]:
    """Sign in once; the cookies serve every size and theme."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{url}/console/signin")
    page.fill("input[name=name]", "demo")
    page.fill("input[name=password]", password)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(f"{url}/console")
    state: dict[str, Any] = dict(context.storage_state())
    context.close()
    return state


def visit(page: Page, address: str) -> None:
    """Open a page and let its live parts arrive."""
    answer = page.goto(address, wait_until="load")
    if answer is None or answer.status != 200:
        sys.exit(f"{address} answered {answer.status if answer else 'nothing'}")
    page.wait_for_timeout(900)


def draw(context: BrowserContext, url: str, wanted: dict[str, tuple[str, str]], suffix: str) -> None:
    """One picture of each page."""
    page = context.new_page()
    for name, (path, _) in wanted.items():
        visit(page, url + path)
        page.screenshot(path=FOLDER / f"{name}-{suffix}.png")
        print(f"{name}-{suffix}.png")
    page.close()


def index(wanted: dict[str, tuple[str, str]]) -> str:
    """docs/screens.md."""
    lines = [
        "# Every page",
        "",
        "Made by `make screenshots` from a freshly built demo. Every person is invented.",
        "",
    ]
    for name, (_, title) in wanted.items():
        lines += [f"## {title}", ""]
        for theme in THEMES:
            cells = [
                f"![{title}, {theme}, {width} wide](screenshots/{name}-{theme}-{width}.png)"
                for width in SIZES
            ]
            lines += [" ".join(cells), ""]
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Build, sign in, draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("only", nargs="*", help="only these pages, by name")
    only = parser.parse_args().only
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="patron-pictures-") as folder, demo(Path(folder)) as (url, facts):
        every = pages(facts)
        wanted = {name: page for name, page in every.items() if not only or name in only}
        with chromium() as browser:
            state = signed_in(browser, url, facts["password"])
            for width, height in SIZES.items():
                for theme in THEMES:
                    context = browser.new_context(
                        storage_state=state,
                        color_scheme=theme,
                        viewport={"width": width, "height": height},
                        locale="en-GB",
                        timezone_id="Europe/Rome",
                    )
                    draw(context, url, wanted, f"{theme}-{width}")
                    context.close()
        (ROOT / "docs" / "screens.md").write_text(index(every), "utf-8")


if __name__ == "__main__":
    main()

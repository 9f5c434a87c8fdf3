"""Debian's Chromium, a console to look at, and axe-core: shared by the browser tests."""

import contextlib
import functools
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect

from tests.browser.fake_console import PASSWORD, FakeApp, build
from tests.flow.browsing import chromium_path as chromium

ARGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]  # fmt: skip
ROOT = Path(__file__).resolve().parents[2]
THEMES = ("light", "dark")
AXE = ROOT / "tests" / "sdk" / "node_modules" / "axe-core" / "axe.min.js"


@functools.cache
def axe() -> str:
    """The source of axe-core, installed by make or here; it is never part of the product."""
    if not AXE.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("no axe-core and no npm to install it: apt-get install npm, then make test")
        command = [
            npm,
            "install",
            "--no-save",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ]
        subprocess.run(command, cwd=ROOT / "tests" / "sdk", check=True, timeout=110)
    return AXE.read_text(encoding="utf-8")


@contextlib.contextmanager
def serving(app: FakeApp) -> Iterator[str]:
    """The console over a double, on a free port of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = uvicorn.Config(
        build(app), host="127.0.0.1", port=port, log_level="error", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    assert server.started
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


class Watched:
    """A page that remembers everything that went wrong on it."""

    def __init__(self, context: BrowserContext, base: str) -> None:
        self.base = base
        self.page: Page = context.new_page()
        self.wrong: list[str] = []
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.wrong.append(f"page error: {error}"))
        self.page.on("request", self._asked)
        self.page.add_init_script(
            "addEventListener('securitypolicyviolation', e => console.error('CSP: ' + e.violatedDirective + ' ' + e.blockedURI))"
        )

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.wrong.append(f"{message.type}: {message.text}")

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.base, "data:", "blob:", "about:")):
            self.wrong.append(f"left the host: {request.url}")

    def sign_in(self) -> None:
        """Sign in by keyboard."""
        self.page.goto(f"{self.base}/console/signin")
        expect(self.page.get_by_label("Account")).to_be_focused()
        self.page.keyboard.type("giulia")
        self.page.keyboard.press("Tab")
        self.page.keyboard.type(PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(f"{self.base}/console")
        self.painted()

    def go(self, path: str) -> None:
        """Open a page and wait until it stands there."""
        self.page.goto(self.base + path)
        self.page.wait_for_selector("main")
        self.painted()

    def painted(self) -> None:
        """Wait until the page was drawn: nobody presses a key before, and Chromium drops keys that come earlier."""
        self.page.wait_for_load_state("load")
        self.page.evaluate(
            "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
        )

    def findings(self) -> list[str]:
        """What axe-core finds on the page, as `rule: selector`."""
        # evaluate() runs outside the page's policy, so axe may be injected without weakening it.
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(axe() + "; undefined")
        violations = self.page.evaluate(
            "axe.run(document, {resultTypes: ['violations']}).then((result) => result.violations)"
        )
        return [
            f"{one['id']} ({one['impact']}): {node['target']} {node.get('failureSummary', '')[:200]}"
            for one in violations
            for node in one["nodes"]
        ]

    def in_both_themes(self, check: Callable[[], list[str]]) -> list[str]:
        """What `check` finds on the page as it stands, in light and in dark: the theme is the work of styles alone."""
        found = []
        for theme in THEMES:
            self.page.emulate_media(color_scheme=theme)
            self.painted()
            found += [f"{theme}: {one}" for one in check()]
        return found

    def overflow(self) -> list[str]:
        """Elements that make the page wider than its window."""
        return list(
            self.page.evaluate(
                """() => {
                const wide = document.documentElement.scrollWidth - innerWidth;
                if (wide <= 0) return [];
                return [...document.querySelectorAll('body *')]
                    .filter((node) => node.getBoundingClientRect().right > innerWidth + 1)
                    .slice(0, 5)
                    .map((node) => node.tagName + '.' + node.className);
            }"""
            )
        )

    def small_targets(self, least: int) -> list[str]:
        """Controls smaller than `least` pixels that are no links in a sentence."""
        return list(
            self.page.evaluate(
                """(least) => [...document.querySelectorAll('button, .btn, .nav a, .bottom a, input[type=checkbox], input[type=radio], select, summary')]
                .filter((node) => node.offsetParent !== null)
                .filter((node) => { const b = (node.closest('label.check') ?? node).getBoundingClientRect(); return b.height < least || b.width < least; })
                .map((node) => node.outerHTML.slice(0, 90))""",
                least,
            )
        )


__all__ = ["ARGS", "THEMES", "Watched", "chromium", "serving"]

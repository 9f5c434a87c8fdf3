"""Documents keep their word: links resolve, commands exist, nothing of one machine leaks into a tracked file."""

import re
from pathlib import Path

import pytest

from tests.docs.documents import ROOT, anchors, code_blocks, markdown, texts, tracked, without_code

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
PACKAGES = ("testing",)
"""Packages without a page of their own in docs/rooms."""

# Built from parts, so that this file does not hold what it looks for.
HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"),
        ("deb", "debian", "org"),
        ("proxy", "golang", "org"),
    )
)
MACHINE = re.compile(r"(?<![\w.~-])/(?:root|work|home/[a-z]\w*|Users/[A-Za-z]\w*|mnt/[a-z]\w*)/[\w.-]+")


@pytest.mark.parametrize("path", markdown(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_resolve(path: Path) -> None:
    missing = []
    for target in LINK.findall(without_code(path.read_text("utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        there = (path.parent / name).resolve() if name else path
        if not there.exists() or (anchor and anchor not in anchors(there.read_text("utf-8"))):
            missing.append(target)
    assert missing == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    seen, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        for target in LINK.findall(without_code(page.read_text("utf-8"))):
            there = (page.parent / target.partition("#")[0]).resolve()
            if there.is_file():
                waiting.append(there)
    lost = {path for path in markdown() if path.is_relative_to(ROOT / "docs")} - seen
    assert sorted(str(path.relative_to(ROOT)) for path in lost) == []


def test_every_room_has_its_page() -> None:
    packages = {path.parent.name for path in (ROOT / "src" / "patron").glob("*/__init__.py")} - set(PACKAGES)
    pages = {path.stem for path in (ROOT / "docs" / "rooms").glob("*.md")}
    assert packages - pages == set(), "these packages have no page in docs/rooms"
    assert pages - packages == set(), "these pages describe no package"


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "rooms").glob("*.md")), ids=lambda page: page.stem)
def test_a_room_s_page_says_what_holds_its_source_and_its_limits(page: Path) -> None:
    text = page.read_text("utf-8")
    heads = re.findall(r"^## (.+)$", text, flags=re.MULTILINE)
    assert {"What holds", "Source", "Limits"} <= set(heads)
    assert len(text.splitlines()) <= 120, "one screenful or two, not a book"


def test_decisions_are_numbered_without_gaps_and_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    records = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert [int(name[:4]) for name in records] == list(range(1, len(records) + 1))
    listed = (folder / "README.md").read_text("utf-8")
    assert [name for name in records if f"({name})" not in listed] == []


def test_no_registry_host_in_any_tracked_file() -> None:
    found = [f"{path.relative_to(ROOT)}: {host}" for path, text in texts() for host in HOSTS if host in text]
    assert found == []


def test_no_path_of_one_machine_in_any_tracked_file() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {hit}"
        for path, text in texts()
        if not path.name.endswith(".min.js")
        for hit in MACHINE.findall(text)
    ]
    assert found == []


def test_lock_files_hold_names_and_versions_only() -> None:
    for path in ROOT.glob("requirements*.lock"):
        lines = path.read_text("utf-8").splitlines()[1:]
        odd = [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line)]
        assert odd == [], path.name
    npm = (ROOT / "tests" / "sdk" / "package-lock.json").read_text("utf-8")
    assert '"resolved"' not in npm
    assert '"integrity"' not in npm


def test_what_runs_is_locked_at_the_version_that_tests_run() -> None:
    locks = {
        path.name: set(path.read_text("utf-8").splitlines()[1:]) for path in ROOT.glob("requirements*.lock")
    }
    assert set(locks) == {"requirements.lock", "requirements-dev.lock", "requirements-demo.lock"}
    assert locks["requirements.lock"] <= locks["requirements-demo.lock"] <= locks["requirements-dev.lock"]


def test_make_targets_named_in_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), flags=re.MULTILINE))
    for path in markdown():
        text = path.read_text("utf-8")
        named = set(re.findall(r"`make ([a-z]+)", text))
        named |= {
            word
            for block in code_blocks(text)
            for word in re.findall(r"^make ([a-z]+)", block, flags=re.MULTILINE)
        }
        assert named - targets == set(), path


def test_vendored_files_are_named_in_the_notice() -> None:
    notice = (ROOT / "NOTICE").read_text("utf-8")
    vendored = [path for path in tracked() if path.name.endswith((".min.js", ".min.css", ".woff2"))]
    missing = [str(path.relative_to(ROOT)) for path in vendored if str(path.relative_to(ROOT)) not in notice]
    assert missing == []


def test_licence_is_whole() -> None:
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text

"""The files that people read, as the tests of this folder walk through them."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def tracked() -> list[Path]:
    """Every file that is, or is about to be, part of the project: known to git or new and not ignored.

    In a copy without git (`make mutants`) all files, less what .gitignore would pass over.
    """
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    if (ROOT / ".git").exists():
        listed = (
            subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
        )
        return [ROOT / name for name in listed if name and (ROOT / name).is_file()]
    passed = {
        "node_modules",
        "__pycache__",
        ".venv",
        ".hypothesis",
        ".pytest_cache",
        ".mypy_cache",
        ".ruff_cache",
    }
    return [
        path for path in ROOT.rglob("*") if path.is_file() and not passed & set(path.relative_to(ROOT).parts)
    ]


def texts() -> list[tuple[Path, str]]:
    """Tracked files that are text, with their content."""
    found = []
    for path in tracked():
        raw = path.read_bytes()
        if b"\0" not in raw[:4096]:
            found.append((path, raw.decode("utf-8", "replace")))
    return found


def markdown() -> list[Path]:
    """All documents."""
    return [path for path in tracked() if path.suffix == ".md"]


def without_code(text: str) -> str:
    """A document less its code blocks."""
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def code_blocks(text: str) -> list[str]:
    """The fenced code blocks of a document, without their fences."""
    return re.findall(r"^```[a-z]*\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def anchors(text: str) -> set[str]:
    """Anchors of a document's headings, as code hosts make them."""
    heads = re.findall(r"^#+ +(.+)$", without_code(text), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}

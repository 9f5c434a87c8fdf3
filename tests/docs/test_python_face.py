"""The Python examples of README and docs/python.md run as they are printed, each page in one directory."""

import re
from pathlib import Path

import pytest

from tests.docs.documents import ROOT

BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
PROMISED = re.compile(r"print\([^\n#]*\) +# ([^\n]+)")


@pytest.mark.parametrize("page", ["README.md", "docs/python.md"])
def test_examples_run_and_print_what_they_say(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = [text for text in BLOCK.findall((ROOT / page).read_text("utf-8")) if "patron.open" in text]
    assert blocks, "no example of patron.open"
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, page, "exec"), names)
    printed = capsys.readouterr().out.splitlines()
    for line in PROMISED.findall("\n".join(blocks)):
        assert line.strip() in printed

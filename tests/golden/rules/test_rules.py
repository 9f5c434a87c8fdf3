"""The JSON Schemas and the sentences of the ready library, byte for byte.

To accept a change: PATRON_UPDATE_GOLDEN=1 pytest tests/golden/rules, and read it.
"""

import json
import os
from pathlib import Path

import pytest

from patron.rules.schema import schema
from patron.segments import library

HERE = Path(__file__).parent


def same(name: str, text: str) -> None:
    file = HERE / name
    if os.environ.get("PATRON_UPDATE_GOLDEN"):
        file.write_text(text, "utf-8")
    assert file.read_text("utf-8") == text


@pytest.mark.parametrize("form", ["segment", "trait", "condition", "rule"])
def test_schema(form):
    same(f"{form}.schema.json", json.dumps(schema(form), indent=1) + "\n")


def test_sentences_of_the_library():
    same("library.txt", "".join(f"{one.item.id}: {one.sentence}\n" for one in library.ready(())))

"""Every example in a docstring runs."""

import doctest
import importlib
import pkgutil

import pytest

import patron

FOUND = pkgutil.walk_packages(patron.__path__, "patron.")
MODULES = sorted(found.name for found in FOUND if not found.name.endswith("__main__"))


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples_run(name: str) -> None:
    module = importlib.import_module(name)
    done = doctest.testmod(module)
    assert done.failed == 0


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    total = sum(len(test.examples) for name in MODULES for test in finder.find(importlib.import_module(name)))
    assert total > 100

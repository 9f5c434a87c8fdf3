"""Fixtures of the tests that drive a real server."""

from collections.abc import Iterator

import pytest

from tests.flow.shop import Shop, open_shop


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One server for all tests that may share it: each uses people of its own."""
    with open_shop(tmp_path_factory.mktemp("flow") / "shop") as one:
        yield one

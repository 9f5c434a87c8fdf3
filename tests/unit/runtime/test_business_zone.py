"""The zone in which days of rules begin: said, taken from the workspace, or refused."""

import pytest

from patron.model.errors import ConfigError
from patron.runtime.settings import decode


@pytest.mark.parametrize(
    ("raw", "zone"),
    [
        ({}, "UTC"),
        ({"workspace": {"zone": "Europe/Rome"}}, "Europe/Rome"),
        ({"workspace": {"zone": "Europe/Rome"}, "business": {"timezone": "UTC"}}, "UTC"),
        ({"workspace": {"zone": "Mars/Base"}}, "UTC"),
        ({"business": {"timezone": "Asia/Kolkata"}}, "Asia/Kolkata"),
    ],
)
def test_the_zone_of_the_business(raw: dict[str, dict[str, str]], zone: str) -> None:
    assert decode(raw).business.timezone == zone


@pytest.mark.parametrize("zone", ["Mars/Base", "", "../etc/passwd", "/etc/localtime", "a\0b", "x" * 5_000])
def test_a_zone_that_is_none_is_named(zone: str) -> None:
    with pytest.raises(ConfigError, match="Europe/Rome"):
        decode({"business": {"timezone": zone}})

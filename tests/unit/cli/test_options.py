"""Options that commands share say the same everywhere."""

import click
import pytest
from click.testing import CliRunner

from patron.cli.main import main
from patron.cli.options import PEOPLE
from patron.cli.sim.options import SeedRange
from patron.sim.world.sizes import SIZES

SERVERS = (["demo"], ["sim", "practice"], ["serve"])


@pytest.mark.parametrize("command", SERVERS)
@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_a_port_that_cannot_be_is_said(command: list[str], port: str) -> None:
    done = CliRunner().invoke(main, [*command, "--port", port])
    assert done.exit_code == 2
    assert "Invalid value for '--port'" in done.output


@pytest.mark.parametrize(("command", "largest"), [(["demo"], "M"), (["sim", "practice"], "S")])
def test_sizes_are_offered_up_to_what_a_command_can_show(command: list[str], largest: str) -> None:
    names = list(SIZES)
    shown = names[: names.index(largest) + 1]
    told = CliRunner().invoke(main, [*command, "--help"]).output
    assert f"[{'|'.join(shown)}]" in told
    assert CliRunner().invoke(main, [*command, "--size", "L"]).exit_code == 2


def test_what_is_said_of_sizes_is_so() -> None:
    for name, told in PEOPLE.items():
        size = SIZES[name]
        assert told.startswith(f"{size.customers + size.prospects:,}")
        assert str(size.stores) in told.replace("six", "6")


def test_seeds_are_numbers_and_ranges_each_once() -> None:
    kind = SeedRange()
    assert kind.convert("1001-1003, 7,1002", None, None) == (1001, 1002, 1003, 7)
    for bad in ("", "a", "5-3", "1-99999999", "-1"):
        with pytest.raises(click.BadParameter):
            kind.convert(bad, None, None)

"""A group of commands that are imported when they are asked for, so that `--help` is quick."""

import importlib
from collections.abc import Mapping
from typing import Any

import click


class Lazy(click.Group):
    """A click group over a table: name -> (module in `package`, one line of help).

    The command is the module's attribute of the command's name (`-` as `_`).
    """

    def __init__(
        self,
        *args: Any,
        package: str = "",
        table: Mapping[str, tuple[str, str]] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self._package = package
        self._table = table or {}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Commands in the order of the table."""
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one command."""
        if cmd_name not in self._table:
            return None
        module = importlib.import_module(f"{self._package}.{self._table[cmd_name][0]}")
        command = getattr(module, cmd_name.replace("-", "_"))
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without importing them."""
        if self._table:
            with formatter.section("Commands"):
                formatter.write_dl([(name, text) for name, (_, text) in self._table.items()])

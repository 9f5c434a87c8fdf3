"""`patron`: the entry point. Commands are imported when they are asked for, so `patron --help` is quick."""

import importlib

import click

from patron import __version__

COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("workspace", "Make a data directory with patron.toml and empty stores."),
    "serve": ("serve", "Serve tracking, profiles, decisions and the console."),
    "demo": ("demo", "Start a living town, or real data, and open the console on it."),
    "source": ("access", "Sources of events and their write keys."),
    "key": ("access", "Secret keys of systems that read profiles or ask for decisions."),
    "user": ("access", "Accounts of the console."),
    "person": ("person", "Look at one person; undo a wrong merge; export; erase."),
    "deadletter": ("deadletter", "Messages that were not accepted: list, edit, replay."),
    "catalogue": ("catalogue", "Offers that can be decided for: check, load, show."),
    "replay": ("workspace", "Rebuild everything from the log and compare."),
    "backup": ("workspace", "Copy the directory, consistent, while it serves."),
    "restore": ("workspace", "Make a directory from a backup; erased people stay out."),
    "config": ("workspace", "Every setting with its origin; a dry run of other identity rules."),
    "doctor": ("workspace", "Check the directory and the machine."),
    "clock": ("workspace", "Step the clock of `serve --clock stepped`."),
    "bench": ("bench.command", "Measure this machine against the floors and goals."),
}


class Lazy(click.Group):
    """A group whose commands are imported on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Commands in the order of the table above."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"patron.cli.{COMMANDS[cmd_name][0]}")
        command = getattr(module, cmd_name.replace("-", "_"))
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(
    cls=Lazy,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nStart here:\n  patron demo                    a living town on this machine\n"
    "  patron init shop && patron serve --data shop",
)
@click.version_option(__version__, prog_name="patron")
def main() -> None:
    """Patron: one customer over every channel, decided in milliseconds, measured honestly."""

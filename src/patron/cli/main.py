"""`patron`: the entry point. Commands are imported when they are asked for, so `patron --help` is quick."""

import os

# before numpy is loaded: the products of a decision are small, and threads cost more than they bring
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import click

from patron import __version__
from patron.cli.lazy import Lazy

COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("workspace", "Make a data directory with patron.toml and empty stores."),
    "serve": ("serve", "Serve tracking, profiles, decisions and the console."),
    "demo": ("demo", "Start a living town, or real data, and open the console on it."),
    "source": ("access", "Sources of events and their write keys."),
    "key": ("access", "Secret keys of systems that read profiles or ask for decisions."),
    "user": ("access", "Accounts of the console."),
    "person": ("person", "Look at one person; undo a wrong merge; export; erase."),
    "deadletter": ("deadletter", "Messages that were not accepted: list, edit, replay."),
    "catalogue": ("catalogue", "What can be decided for: check, load, show, every version."),
    "policy": ("policy", "How placements are decided, and how another policy would have done."),
    "send": ("send", "Sends: decisions for many people at once, with a dry run first."),
    "placement": ("placement", "Where something may be shown or sent."),
    "fallback": ("fallback", "What a touchpoint shows while Patron is away."),
    "lake": ("lake", "The event lake: SQL over it, its files, how it is."),
    "log": ("lake", "The durable log: take out of its old part what the lake has."),
    "feed": ("feed", "Reference feeds: load stock, prices, stores, weather; show what held when."),
    "segment": ("segment", "Segments: define, list, explain, who came and who left."),
    "condition": ("condition", "Named conditions that several rules use: define, list."),
    "trait": ("trait", "Computed traits: define, list, values."),
    "insight": ("insight", "Ask the lake: funnel, retention, sessions, paths, baskets, RFM."),
    "export": ("export", "Exports: segments and facts to files, webhooks and PostgreSQL."),
    "library": ("library", "Ready segments and computed traits: list, use."),
    "replay": ("workspace", "Rebuild everything from the log and compare."),
    "backup": ("workspace", "Copy the directory, consistent, while it serves."),
    "restore": ("workspace", "Make a directory from a backup; erased people stay out."),
    "config": ("workspace", "Every setting with its origin; a dry run of other identity rules."),
    "doctor": ("workspace", "Check the directory and the machine."),
    "clock": ("workspace", "Step the clock of `serve --clock stepped`."),
    "sim": ("sim", "A retailer whose truth is known: generate, run, score."),
    "bench": ("bench.command", "Measure this machine against the floors and goals."),
}


@click.group(
    cls=Lazy,
    package="patron.cli",
    table=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nStart here:\n  patron demo                    a living town on this machine\n"
    "  patron init shop && patron serve --data shop",
)
@click.version_option(__version__, prog_name="patron")
def main() -> None:
    """Patron: one customer over every channel, decided in milliseconds, measured honestly."""

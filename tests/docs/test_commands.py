"""The command line explains itself: every command has a help text and an example, and documents name real ones."""

import re
import shlex
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from patron.cli.main import main
from tests.docs.documents import ROOT, code_blocks, markdown


def commands(
    group: click.Group, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with its words, groups included."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


ALL = dict(commands(main))


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_help_has_a_sentence_and_an_example(words: tuple[str, ...]) -> None:
    done = CliRunner().invoke(main, [*words, "--help"])
    assert done.exit_code == 0, done.output
    assert ALL[words].help, "the command has no docstring"
    line = f"patron {words[0]}" if isinstance(ALL[words], click.Group) else f"patron {' '.join(words)}"
    examples = [found.strip() for found in done.output.splitlines() if found.strip().startswith(line)]
    assert examples, f"no example that starts with `{line}` in\n{done.output}"


def asked(line: str) -> list[str]:
    """The words after `patron` in a line of a shell, up to a comment, pipe or `&&`."""
    words = shlex.split(line, comments=True)
    stops = [n for n, word in enumerate(words) if word in {"|", "&&", ";", ">", "2>"}]
    return words[1 : stops[0]] if stops else words[1:]


def lines() -> list[tuple[str, str]]:
    """Command lines of documents and of the examples in help texts."""
    found = []
    for path in markdown():
        text = path.read_text("utf-8")
        for block in [*code_blocks(text), *re.findall(r"(?:^    .+\n)+", text, flags=re.MULTILINE)]:
            found += [
                (str(path.relative_to(ROOT)), line.strip().removeprefix("$ "))
                for line in block.splitlines()
                if line.strip().removeprefix("$ ").startswith("patron ")
            ]
        found += [(str(path.relative_to(ROOT)), line) for line in re.findall(r"`(patron [a-z][^`]*)`", text)]
    for words, command in ALL.items():
        help_text = command.epilog or ""
        found += [
            (" ".join(words), line.strip())
            for line in help_text.splitlines()
            if line.strip().startswith("patron ")
        ]
    return found


@pytest.mark.parametrize(("place", "line"), lines())
def test_commands_and_options_named_anywhere_exist(place: str, line: str) -> None:
    words = asked(re.sub(r"\b[A-Z][A-Z0-9_]*\b|\.\.\.", "x", line) if place.endswith(".md") else line)
    command: click.Command = main
    path: tuple[str, ...] = ()
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        path = (*path, words[0])
        assert path in ALL, f"{place}: there is no `patron {' '.join(path)}`"
        command, words = ALL[path], words[1:]
    known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
    known |= {"--help", "-h", "--version"}
    given = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert given - known == set(), f"{place}: {line}"

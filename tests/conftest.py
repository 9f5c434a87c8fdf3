"""What every test may rely on: Hypothesis profiles, a real server, and no quiet skips in CI."""

import gc
import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.flow.serving import PatronServer

settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile(
    "ci", max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile(
    "mutants",
    max_examples=150,
    deadline=None,
    derandomize=True,  # the same examples each time: what is killed today is killed tomorrow
    database=None,
    phases=[Phase.explicit, Phase.generate],  # that a test fails is enough; nobody reads the smallest example
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))

IN_CI = os.environ.get("CI", "").lower() == "true"
DATA_SKIP = "data:"
"""Reason prefix of the one skip that CI allows: a data set that a clone of the project does not carry."""


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")


def _forbid_quiet_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not IN_CI or not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = _reason(report)
    if not reason.startswith(DATA_SKIP):
        report.outcome = "failed"
        report.longrepr = (
            f"skipped in CI: {reason}\n"
            f"A skip there hides a missing tool. Install the tool in scripts/tools.sh, or start the reason "
            f"with '{DATA_SKIP}' when a data set is absent."
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skip whose reason does not start with `data:` fails the test."""
    report = yield
    _forbid_quiet_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a module that skips itself while it is collected."""
    report = yield
    _forbid_quiet_skip(report)
    return report


def pytest_collection_finish() -> None:
    """What thousands of collected tests consist of lasts to the end: the collector need not look at it again and again."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the number of skips with their reasons, before pytest's own closing line."""
    reasons: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = _reason(report)
        reasons[reason] = reasons.get(reason, 0) + 1
    terminalreporter.write_line(f"skips: {sum(reasons.values())}")
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"  {count} x {reason}")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Callable[..., PatronServer]]:
    """A factory of real servers: `server()` is a `patron serve` subprocess on a free port, ready for traffic.

    Each one is stopped when the test ends. A server that died by itself fails the test with its stderr.
    """
    started: list[PatronServer] = []

    def start(*arguments: str, **options: object) -> PatronServer:
        one = PatronServer(tmp_path / f"patron-{len(started)}", arguments=arguments, **options)  # type: ignore[arg-type]
        started.append(one)
        one.init()
        one.start()
        return one

    yield start
    deaths = [message for one in started if (message := one.close())]
    if deaths:
        pytest.fail("\n".join(deaths), pytrace=False)

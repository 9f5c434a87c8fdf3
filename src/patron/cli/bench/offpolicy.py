"""`python -m patron.cli.bench.offpolicy`: off-policy evaluation against known truths, on real and on simulated logs.

Open Bandit (Saito, Aihara, Matsutani, Narita, NeurIPS 2021): a fashion shop showed items by two policies side by side, at
random and by Bernoulli Thompson sampling (bts). Each policy is judged from the other's log and set against the click rate
of its own log. A row is one item at one of three positions of the page and `propensity_score` is the item's chance at that
position, so rows of a page stand beside each other as they are. With about 40 clicks a log, the truth itself is only
known to 15 %.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
from msgspec import Struct, structs
from numpy.typing import NDArray

from patron.cli.bench import machine
from patron.cli.bench.offpolicy_worlds import WORLDS, Coverage, cover
from patron.cli.output import table
from patron.decide.offpolicy.evaluate import Evaluation, evaluate
from patron.decide.offpolicy.logged import Logged
from patron.decide.offpolicy.regress import cross_fit, folds

DATA = Path("../shared/data/open_bandit")
POLICIES = ("random", "bts")
GOAL = 0.27
"""Mean relative error over what is accepted, at most: that of DRos as published tools compute it."""
COVERED = (0.93, 0.98)
WIDE = 1.25
FIRST = 100_000
"""Seed of the first simulated log; none from here on has set anything."""
_NARROW = (0.5, 0.25, 0.1, 0.05, 0.0)
"""Shares of the items that narrow policies keep to; 0 = a single one."""


class Impressions(Struct, frozen=True, eq=False):
    """One log: an item shown at a position, whether it was clicked, and its chance to be there."""

    item: NDArray[np.int64]
    position: NDArray[np.int64]
    """0 to 2."""
    click: NDArray[np.float64]
    propensity: NDArray[np.float64]


class Case(Struct, frozen=True):
    """A policy judged from a log it did not write."""

    name: str
    evaluation: Evaluation
    truth: float
    """Click rate in the policy's own log."""
    clicks: int
    """On which the truth rests."""

    def error(self, estimator: str) -> float | None:
        """Relative error of an estimator; None where nothing was said."""
        for one in self.evaluation.estimates:
            if one.name == estimator:
                return abs(one.value / self.truth - 1)
        return None


def campaigns(data: Path) -> list[str]:
    """Campaigns of which both logs are there.

    >>> campaigns(Path("nowhere"))
    []
    """
    found = {path.name.removesuffix("_random.parquet") for path in data.glob("*_random.parquet")}
    return sorted(name for name in found if (data / f"{name}_bts.parquet").exists())


def read(data: Path, campaign: str, policy: str) -> Impressions:
    """One log."""
    import pyarrow.parquet as pq

    names = ["item_id", "position", "click", "propensity_score"]
    columns = pq.read_table(data / f"{campaign}_{policy}.parquet", columns=names)
    item, position, clicked, propensity = (columns[name].to_numpy() for name in names)
    return Impressions(item, position - 1, clicked.astype(np.float64), propensity)


def shown_by(log: Impressions, items: int) -> NDArray[np.float64]:
    """A policy's mean probability of each item at each position (positions x items), from its own draws.

    A row with propensity p stands for 1 / p rows of the log, so rows / sum(1 / p) is the mean of p over the time in which
    an item could be drawn. Its rewards are not looked at.
    """
    cell = log.position * items + log.item
    count = np.bincount(cell, minlength=3 * items)
    stands = np.bincount(cell, 1 / log.propensity, 3 * items)
    chance = np.divide(count, stands, out=np.zeros(3 * items), where=count > 0).reshape(3, items)
    found: NDArray[np.float64] = chance / chance.sum(axis=1, keepdims=True)
    return found


def judged(log: Impressions, policy: NDArray[np.float64]) -> Evaluation:
    """A policy (positions x items) judged from a log; the model knows item and position."""
    target = policy[log.position]
    places = np.eye(3)[log.position][:, 1:]
    fold = folds([str(row) for row in range(len(log.item))])
    fit = cross_fit(places, log.item, log.click, target, fold)
    here = target[np.arange(len(log.item)), log.item]
    rows = Logged.of(log.click, log.propensity, here, predicted=fit.predicted, expected=fit.expected)
    return evaluate(rows)


def both_ways(data: Path) -> Iterator[Case]:
    """Each policy of each campaign from the other's log."""
    for campaign in campaigns(data):
        logs = {policy: read(data, campaign, policy) for policy in POLICIES}
        items = int(max(log.item.max() for log in logs.values())) + 1
        policies = {"random": np.full((3, items), 1 / items), "bts": shown_by(logs["bts"], items)}
        for source, target in (("random", "bts"), ("bts", "random")):
            own = logs[target].click
            found = judged(logs[source], policies[target])
            yield Case(f"{campaign}: {target} from {source}", found, float(own.mean()), int(own.sum()))


def narrow(data: Path) -> Iterator[Case]:
    """Policies that keep to the items which bts showed least, from its log: less and less of it speaks about them."""
    for campaign in campaigns(data):
        log, own = read(data, campaign, "bts"), read(data, campaign, "random")
        items = int(max(log.item.max(), own.item.max())) + 1
        rare = np.argsort(shown_by(log, items).mean(axis=0), kind="stable")
        for share in _NARROW:
            kept = rare[: max(1, round(share * items))]
            policy = np.zeros((3, items))
            policy[:, kept] = 1 / len(kept)
            clicks = own.click[np.isin(own.item, kept)]
            name = f"{campaign}: the {len(kept)} least shown of {items}, from bts"
            yield Case(name, judged(log, policy), float(clicks.mean()), int(clicks.sum()))


def mean_error(cases: list[Case], estimator: str) -> float:
    """Mean relative error over the accepted cases; NaN when there are none."""
    errors = [case.error(estimator) for case in cases if case.evaluation.verdict.name == "accepted"]
    found = [error for error in errors if error is not None]
    return sum(found) / len(found) if found else float("nan")


_ESTIMATORS = ("dr", "snips", "ips", "dros", "switch", "dm")


@click.command()
@click.option(
    "--data", type=click.Path(path_type=Path), default=DATA, show_default=True, help="Open Bandit's logs."
)
@click.option("--seeds", default=400, show_default=True, help="Simulated logs of each world; 0 = none.")
@click.option("--check", is_flag=True, help="Exit code 1 when a goal is missed.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(data: Path, seeds: int, check: bool, as_json: bool) -> None:
    """Judge policies whose truth is known, and count what was accepted and refused."""
    cases, narrower = list(both_ways(data)), list(narrow(data))
    simulated = (
        [row for world in WORLDS for row in cover(world, range(FIRST, FIRST + seeds))] if seeds else []
    )
    missed = _missed(cases, simulated)
    if as_json:
        print(json.dumps(_plain(cases + narrower, simulated, missed), indent=2))
    else:
        print(machine.describe())
        _print_real(cases, narrower, data)
        _print_simulated(simulated)
        print("\n".join(f"MISSED: {one}" for one in missed) or "all goals met")
    if check and missed:
        sys.exit(1)


def _print_real(cases: list[Case], narrower: list[Case], data: Path) -> None:
    if not cases:
        print(f"no Open Bandit logs in {data}: give --data DIR, the folder with all_random.parquet")
        return
    print("\nOpen Bandit: headline DR, its 95 % interval, truth, and the relative error of each estimator\n")
    heads = ("policy", "effective", "verdict", "DR", "interval", "truth", "clicks", *_ESTIMATORS)
    print(table(heads, [_cells(case) for case in cases]))
    means = ", ".join(f"{name} {mean_error(cases, name):.3f}" for name in _ESTIMATORS)
    print(f"\nmean relative error over the accepted (goal DR <= {GOAL}): {means}")
    print("\nnarrower policies, for what is refused; their truth rests on a few clicks\n")
    print(table(heads, [_cells(case) for case in narrower]))
    counts = Counter(case.evaluation.verdict.name for case in cases + narrower)
    print("\n" + ", ".join(f"{counts[name]} {name}" for name in ("accepted", "caution", "refused")))
    for case in cases + narrower:
        if case.evaluation.verdict.name != "accepted":
            print(f"  {case.name}: {case.evaluation.verdict.sentence}")


def _cells(case: Case) -> list[str]:
    found = case.evaluation
    size = "" if found.diagnostics is None else f"{found.diagnostics.effective:,.1f}"
    best, span = "", ""
    if found.headline:
        best = f"{found.headline.value:.5f}"
        span = f"{found.headline.interval.low:.5f} to {found.headline.interval.high:.5f}"
    errors = [case.error(name) for name in _ESTIMATORS]
    shown = ["" if error is None else f"{error:.3f}" for error in errors]
    return [case.name, size, found.verdict.name, best, span, f"{case.truth:.5f}", str(case.clicks), *shown]


def _print_simulated(rows: list[Coverage]) -> None:
    if not rows:
        return
    print("\nsimulated logs: share of 95 % intervals that contain the truth, and width over the oracle's\n")
    heads = ("world", "estimator", "logs", "effective", "covered", "width", "verdicts")
    print(table(heads, [_line(row) for row in rows]))
    print()


def _line(row: Coverage) -> list[str]:
    verdicts = ", ".join(f"{count} {name}" for name, count in row.verdicts.items())
    size = f"{row.effective:,.0f}"
    return [
        row.world,
        row.estimator,
        str(row.seeds),
        size,
        f"{row.covered:.3f}",
        f"{row.width:.2f}",
        verdicts,
    ]


def _missed(cases: list[Case], simulated: list[Coverage]) -> list[str]:
    """What lies on the wrong side of a goal: the headline estimators only."""
    missed = []
    error = mean_error(cases, "dr")
    if error > GOAL:
        missed.append(f"mean relative error {error:.3f} above {GOAL}")
    for row in simulated:
        if row.estimator not in ("dr", "snips"):
            continue
        if not COVERED[0] <= row.covered <= COVERED[1] or row.width > WIDE:
            missed.append(f"{row.world}, {row.estimator}: {row.covered:.3f} covered, width {row.width:.2f}")
    return missed


def _plain(cases: list[Case], simulated: list[Coverage], missed: list[str]) -> dict[str, object]:
    return {
        "machine": machine.describe(),
        "open_bandit": [
            {
                "policy": case.name,
                "truth": case.truth,
                "verdict": case.evaluation.verdict.name,
                "why": case.evaluation.verdict.sentence,
                "effective": case.evaluation.diagnostics and case.evaluation.diagnostics.effective,
                "errors": {name: case.error(name) for name in _ESTIMATORS},
            }
            for case in cases
        ],
        "simulated": [structs.asdict(row) for row in simulated],
        "missed": missed,
    }


if __name__ == "__main__":
    main()

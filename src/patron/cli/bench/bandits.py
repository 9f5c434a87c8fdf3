"""`python -m patron.cli.bench.bandits`: the bandit bake-off with one default configuration, and what a choice costs.

Loss is progressive: the share of wrong choices over one pass, exploration included. CPU times are of the process, per
call, on 50 features; "act" is score, the chance of every action, the draw, and the packed record of it.
"""

import time
from collections.abc import Callable, Iterable
from typing import Final

import click
import msgspec
import numpy as np

from patron.cli.bench.bandits_players import Patron, Player, installed_peers
from patron.cli.bench.bandits_sets import TUNED, UNTOUCHED, Problem, load
from patron.cli.output import table
from patron.decide.learn.choose import Choosing, draw
from patron.decide.learn.grid import snap
from patron.decide.learn.learner import Learner, Learning
from patron.decide.learn.packing import pack

GOALS: Final = {"digits": 0.20, "letter": 0.60, "satimage": 0.19, "penbased": 0.15}
ACT_GOALS: Final = {10: 60.0, 100: 150.0, 1000: 1000.0}
LEARN_GOAL: Final = 50.0
SEEDS: Final = (0, 1, 2)
_FEATURES: Final = 50

Maker = Callable[[int, int, float], Player]


def loss(problem: Problem, make: Maker, seed: int, rows: int | None = None) -> tuple[float, float]:
    """The share of wrong choices in one pass over `problem`, and the smallest chance that a chosen action had."""
    asks, right, actions = problem
    player = make(asks.shape[1], actions, float(asks[0, 0]))
    order = np.random.default_rng(100 + seed).permutation(len(asks))[:rows]
    numbers = np.random.default_rng(1000 + seed).random(len(order))
    wrong, least = 0, 1.0
    for place, u in zip(order, numbers, strict=True):
        action, chance = player.act(asks[place], float(u))
        reward = float(action == right[place])
        player.learn(asks[place], action, chance, reward)
        wrong += 1 - int(reward)
        least = min(least, chance)
    return wrong / len(order), least


def act_cost(actions: int, calls: int) -> tuple[list[float], list[float]]:
    """CPU microseconds of each act and each update of Patron's default learner, over `calls` asks of 50 features."""
    draws = np.random.default_rng(actions)
    learner = Learner(Learning(features=_FEATURES, constant=_FEATURES**-0.5))
    names = [f"offer_{action:04d}" for action in range(actions)]
    for name in names:
        learner.add(name)
    rows, choosing, encode = learner.rows(names), Choosing(), msgspec.msgpack.encode
    asks = draws.standard_normal((calls, _FEATURES)) * _FEATURES**-0.5
    asks[:, 0] = _FEATURES**-0.5
    acts, updates = [], []
    for ask, u in zip(asks, draws.random(calls).tolist(), strict=True):
        start = time.process_time_ns()
        row = snap(ask)
        scores = learner.score(row, rows)
        chances = choosing.propensities(scores.means, scores.widths, learner.seen())
        action = draw(chances, u)
        encode((pack(row), action, float(chances[action]), u, scores.means.astype("<f4").tobytes()))
        middle = time.process_time_ns()
        learned = learner.basis(row)
        learner.observe(names[action], learned)
        learner.reward(names[action], learned, 1.0)
        end = time.process_time_ns()
        acts.append((middle - start) / 1e3)
        updates.append((end - middle) / 1e3)
    return acts, updates


def peer_cost(make: Maker, actions: int, calls: int) -> list[float]:
    """CPU microseconds of each act of a peer, on the same asks."""
    draws = np.random.default_rng(actions)
    player = make(_FEATURES, actions, _FEATURES**-0.5)
    found = []
    for ask in draws.standard_normal((calls, _FEATURES)) * _FEATURES**-0.5:
        start = time.process_time_ns()
        action, chance = player.act(ask, 0.5)
        found.append((time.process_time_ns() - start) / 1e3)
        player.learn(ask, action, chance, 1.0)
    return found


@click.command()
@click.option("--set", "names", multiple=True, help="Only these sets; may be repeated.")
@click.option(
    "--rows", type=int, default=None, help="Only the first rows of each pass: quicker, and worse losses."
)
@click.option("--peers", is_flag=True, help="Let VW and MABWiser play too, where they are installed.")
@click.option("--cost/--no-cost", default=True, help="Measure CPU times.")
def main(names: tuple[str, ...], rows: int | None, peers: bool, cost: bool) -> None:
    """Play the bake-off over three row orders and print losses beside their goals, then CPU times."""
    makers: dict[str, Maker] = {"Patron": Patron, **(installed_peers() if peers else {})}
    if peers and len(makers) == 1:
        click.echo("no peer is installed here: pip install vowpalwabbit mabwiser", err=True)
    heads = ("set", "rows", "actions", "goal", *makers, "least propensity", "CPU s")
    click.echo(table(heads, [_played(name, makers, rows) for name in names or (*TUNED, *UNTOUCHED)]))
    click.echo(f"{', '.join(UNTOUCHED)}: never used to choose the defaults")
    if cost:
        heads = ("CPU us a call", "p50", "p99", "mean", "goal")
        click.echo("\n" + table(heads, list(_costs(makers))))


def _played(name: str, makers: dict[str, Maker], rows: int | None) -> list[str]:
    click.echo(f"playing {name} ...", err=True)
    problem = load(name)
    if problem is None:
        return [name, "", "", "", *("its package is not installed" for _ in makers), "", ""]
    start = time.process_time()
    found = {maker: [loss(problem, make, seed, rows) for seed in SEEDS] for maker, make in makers.items()}
    goal = f"{GOALS[name]:.2f}" if name in GOALS else ""
    losses = [f"{np.mean([one for one, _ in of]):.3f}" for of in found.values()]
    least = min(chance for _, chance in found["Patron"])
    size = len(problem.asks) if rows is None else min(rows, len(problem.asks))
    spent = f"{time.process_time() - start:.0f}"
    return [name, f"{size:,}", str(problem.actions), goal, *losses, f"{least:.1e}", spent]


def _costs(makers: dict[str, Maker]) -> Iterable[list[str]]:
    for actions, goal in ACT_GOALS.items():
        acts, updates = act_cost(actions, 2000)
        yield _cost_row(f"act, {actions} actions", acts, goal)
        yield _cost_row(f"learn, {actions} actions", updates, LEARN_GOAL)
        for name, make in makers.items():
            if name != "Patron":
                yield _cost_row(f"act, {actions} actions, {name}", peer_cost(make, actions, 100), None)


def _cost_row(name: str, times: list[float], goal: float | None) -> list[str]:
    warm = np.array(times[len(times) // 10 :])
    figures = [f"{value:,.0f}" for value in (*np.quantile(warm, (0.5, 0.99)), warm.mean())]
    return [name, *figures, "" if goal is None else f"{goal:,.0f}"]


if __name__ == "__main__":
    main()

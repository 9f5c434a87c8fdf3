"""Parameters: every world is valid, a file goes over it, and what cannot be is refused with its key and range."""

from pathlib import Path

import msgspec
import pytest

from patron.sim.world.worlds import BadParameters, jittered, parameters, worlds


def test_every_world_is_valid_and_only_its_overlay_differs() -> None:
    default = parameters()
    assert parameters("messy").identity.noise == 2.0
    assert parameters("messy").needs == default.needs
    for world in worlds():
        assert parameters(world).buying == default.buying


def test_a_file_goes_over_the_world(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text("[needs]\nleak = 0.2\n[identity]\ncookies = 1.0\n")
    found = parameters("messy", file)
    assert (found.needs.leak, found.identity.cookies, found.identity.noise) == (0.2, 1.0, 2.0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[needs]\nleak = -0.1", "needs.leak = -0.1 is not possible: a number from 0 to 1 is allowed"),
        ("[needs]\nleek = 0.1", "there is no parameter needs.leek"),
        (
            "[visits]\nweekday = [0, 0, 0, 0, 0, 0, 99]",
            "visits.weekday.6 = 99 is not possible: a number from -20 to 20",
        ),
        ('[consent]\nemail = "many"', "consent.email = 'many' is not possible: a number from 0 to 1"),
        ("[life]\nbeta = 0", "life.beta = 0 is not possible: a number above 0 to 1,000,000"),
        ("[messages]\nclasses = [0.5, 0.5, 0.5, 0.0]", "messages.classes adds up to more than 1"),
        ("[returns]\ndays = [9, 3]", "returns.days = [9, 3]"),
        ("[touchpoints]\nbenefit_costs = { ice = 1.0 }", "must name the same benefits"),
        ('[pain]\ncoupon_country = "FR"', "pain.coupon_country = 'FR'"),
        (
            "[messages]\ncreatives = 2.5",
            "messages.creatives = 2.5 is not possible: a whole number from 1 to 100",
        ),
        ("[nowhere]\nx = 1", "there is no parameter nowhere"),
        ("needs = 3", "needs = 3 is not possible"),
        ("[needs", "is no TOML"),
    ],
)
def test_what_cannot_be_is_refused_with_its_key_and_range(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "own.toml"
    file.write_text(text)
    with pytest.raises(BadParameters) as refused:
        parameters("default", file)
    assert says in str(refused.value)


def test_an_unknown_world_and_a_missing_file_say_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(BadParameters, match="choose one of default, null"):
        parameters("nice")
    with pytest.raises(BadParameters, match="cannot be read"):
        parameters("default", tmp_path / "none.toml")


def test_jitter_moves_every_measure_within_its_range_and_nothing_else() -> None:
    plain, moved = (msgspec.to_builtins(jittered(parameters(), share, 1_001)) for share in (0.0, 0.2))
    assert plain == msgspec.to_builtins(parameters())
    assert moved["world"] == plain["world"]
    measures = 0

    def compare(one: object, other: object) -> None:
        nonlocal measures
        if isinstance(one, dict) and isinstance(other, dict):
            assert one.keys() == other.keys()
            for name in one:
                compare(one[name], other[name])
        elif isinstance(one, list | tuple) and isinstance(other, list | tuple):
            for a, b in zip(one, other, strict=True):
                compare(a, b)
        elif isinstance(one, float) and isinstance(other, float):
            measures += one != other
            assert abs(other - one) <= 0.2 * abs(one) + 1e-12
        else:
            assert one == other

    compare(plain, moved)
    assert measures > 100
    with pytest.raises(BadParameters, match=r"jitter = 0.9 is not possible: a number from 0 to 0.5"):
        jittered(parameters(), 0.9, 1)

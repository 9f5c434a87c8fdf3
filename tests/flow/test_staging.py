"""What the demo puts on stage, against a real server."""

from collections.abc import Callable

from patron.cli import staging
from patron.cli.demo import LIVE_CHANNELS
from patron.sim.server.api import Api
from patron.sim.server.sources import assurance, write_keys
from tests.flow.serving import PatronServer


def test_the_past_and_the_present_are_believed_as_far_as_a_loaded_world(
    server: Callable[..., PatronServer],
) -> None:
    patron = server()
    channels = (*LIVE_CHANNELS, "crm")
    keys = staging.sources(patron.data, channels)
    assert set(keys) == {*channels, *(f"{channel}-history" for channel in channels)}
    assert len(set(keys.values())) == 2 * len(channels)
    api = Api(patron.url, patron.admin)
    with write_keys(api, "import", {f"{channel}-loaded": channel for channel in channels}):
        made = {one["name"]: one for one in api.get("/v1/admin/sources")}
    for channel in channels:
        loaded = made[f"{channel}-loaded"]["assurance"]
        assert loaded == assurance(channel)
        assert made[channel]["assurance"] == loaded
        assert made[f"{channel}-history"]["assurance"] == loaded
        assert (made[channel]["kind"], made[f"{channel}-history"]["kind"]) == ("live", "import")
    assert {made[c]["assurance"] for c in ("web", "app", "kiosk")} == {"asserted"}
    api.close()

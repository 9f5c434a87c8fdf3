"""`patron serve`: one process that takes traffic until it is told to stop."""

import asyncio
import logging
import sys
from pathlib import Path

import click

from patron.cli.client import Failed
from patron.cli.options import PORT, data_option, example, port_option
from patron.model.errors import PatronError


@click.command(
    epilog=example(
        "patron serve --data shop\npatron serve --data shop --host 0.0.0.0 --port 8080   # console and profile API on 127.0.0.1:8081\n"
        "patron serve --data shop --clock stepped          # time from `patron clock step`"
    )
)
@data_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address of the public door.")
@port_option(8700, "Its port.")
@click.option(
    "--admin-host",
    default="127.0.0.1",
    show_default=True,
    help="Address of console, admin and profile API when the public door is not on loopback.",
)
@click.option("--admin-port", default=None, type=PORT, help="Their port [default: port + 1].")
@click.option(
    "--clock",
    type=click.Choice(["system", "stepped"]),
    default="system",
    show_default=True,
    help="Where time comes from.",
)
def serve(data: Path, host: str, port: int, admin_host: str, admin_port: int | None, clock: str) -> None:
    """Serve tracking, profiles, decisions and the console until SIGINT or SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    try:
        import uvloop

        uvloop.run(run(data, host, port, admin_host, admin_port or port + 1, clock))
    except PatronError as error:
        raise Failed(str(error)) from error
    except Exception as error:
        logging.getLogger("patron").exception("patron serve ends")
        raise Failed(
            f"The server ends: {type(error).__name__}: {error}. Nothing acknowledged is lost; mend what stands above and "
            "start again."
        ) from error


async def run(data: Path, host: str, port: int, admin_host: str, admin_port: int, clock: str) -> None:
    """Open the workspace, listen, say so, and serve until told to stop."""
    from patron.console.live import console_for
    from patron.runtime import settings
    from patron.runtime.backend import LocalBackend
    from patron.runtime.serving import doors, server
    from patron.runtime.workspace import crash_at
    from patron.storage.embedded import directory

    one = server.is_loopback(host)
    public = server.bind(host, port)
    private = public if one else server.bind(admin_host, admin_port)
    backend = await LocalBackend.start(
        data, clock, crash_at(settings.environment("PATRON_CRASH_AT")), jobs=True, lasting=True
    )
    address = f"http://{host if one else admin_host}:{port if one else admin_port}"
    tracking = "" if one else f"http://{host}:{port}"

    def ready() -> None:
        click.echo(
            f"Patron serves {data} on http://{host}:{port}"
            + ("" if one else f", console and API on {address}"),
            err=True,
        )
        click.echo(
            f"Console: {address}/console" + (f"  First sign-in code: {first_code}" if first_code else ""),
            err=True,
        )

    try:
        backend.workspace.state.prove_writer()
        console, first_code = console_for(backend, address, tracking)
        apps = [(doors.whole_door(backend, console), public)]
        if not one:
            apps = [(doors.public_door(backend), public), (doors.private_door(backend, console), private)]
        # before anybody can hear that it is ready: whoever does may look for the announcement at once
        directory.announce(data, address, backend.token)
        await server.serve(apps, ready, asyncio.Event(), backend.app.faulted)
        if backend.app.fault is not None:
            raise backend.app.fault
    except BaseException:
        directory.withdraw(data)
        await backend.app.stop(
            checkpoint=False
        )  # the log holds it all; what failed may be what checkpoints need
        raise
    directory.withdraw(data)
    await backend.app.stop()

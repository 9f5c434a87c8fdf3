"""Commands about who may talk to Patron: source, key, user."""

from pathlib import Path

import click

from patron.cli.client import call, part
from patron.cli.options import data_option, example, json_option
from patron.cli.output import emit, moment, table
from patron.model.access import ASSURANCES, CHANNELS, SCOPES, SOURCE_KINDS


@click.group(
    epilog=example("patron source add web --channel web --data shop\npatron source list --data shop")
)
def source() -> None:
    """Sources of events and their write keys."""


@source.command(
    "add",
    epilog=example(
        "patron source add web --channel web --data shop\npatron source add tills --channel pos --assurance verified --data shop"
    ),
)
@click.argument("name")
@click.option("--channel", type=click.Choice(CHANNELS), required=True, help="Where its events come from.")
@click.option(
    "--kind",
    type=click.Choice(SOURCE_KINDS),
    default="live",
    show_default=True,
    help="`import` may give receivedAt.",
)
@click.option(
    "--assurance",
    type=click.Choice(ASSURANCES),
    default="asserted",
    show_default=True,
    help="The most its links can prove; `verified` for secret keys on your own servers.",
)
@click.option(
    "--rate", type=int, default=0, show_default=True, help="Messages a second per key; 0 = no limit."
)
@data_option
def source_add(name: str, channel: str, kind: str, assurance: str, rate: int, data: Path) -> None:
    """Make a source. Prints its write key alone; it is shown only now."""
    body = {"name": name, "channel": channel, "kind": kind, "assurance": assurance, "rate": rate}
    click.echo(call(data, "POST", "/v1/admin/sources", body)["writeKey"])


@source.command("list", epilog=example("patron source list --data shop"))
@data_option
@json_option
def source_list(data: Path, as_json: bool) -> None:
    """List sources with the hints of their keys."""
    rows = call(data, "GET", "/v1/admin/sources")
    cells = [
        [
            r["name"],
            r["channel"],
            r["kind"],
            r["assurance"],
            " ".join(k["hint"] for k in r["keys"] if k["revoked"] is None),
        ]
        for r in rows
    ]
    emit(rows, as_json=as_json, text=table(["name", "channel", "kind", "assurance", "keys"], cells))


@source.command("rotate", epilog=example("patron source rotate web --data shop"))
@click.argument("name")
@data_option
def source_rotate(name: str, data: Path) -> None:
    """Add a write key and print it; the older keys live on until they are revoked."""
    click.echo(call(data, "POST", f"/v1/admin/sources/{part(name)}/rotate")["writeKey"])


@source.command("secret", epilog=example("patron source secret web --data shop"))
@click.argument("name")
@data_option
def source_secret(name: str, data: Path) -> None:
    """Print what your own server signs user ids with: userHash = hex HMAC-SHA256 of the user id. Keep it off pages."""
    click.echo(call(data, "GET", f"/v1/admin/sources/{part(name)}/secret")["secret"])


@source.command("revoke", epilog=example("patron source revoke web wk_3f2a91c --data shop"))
@click.argument("name")
@click.argument("hint")
@data_option
def source_revoke(name: str, hint: str, data: Path) -> None:
    """Revoke the write key that begins with HINT."""
    call(data, "DELETE", f"/v1/admin/sources/{part(name)}/keys/{part(hint)}")


@click.group(epilog=example("patron key add crm --scope profiles:read --data shop"))
def key() -> None:
    """Secret keys of systems that read profiles or ask for decisions."""


@key.command(
    "add",
    epilog=example(
        "patron key add crm --scope profiles:read --data shop\npatron key add till --scope decide --scope profiles:read --field first_name --mask email --data shop"
    ),
)
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(SCOPES),
    multiple=True,
    required=True,
    help="What it may do; repeat for more.",
)
@click.option("--field", "fields", multiple=True, help="A trait it may read; repeat. All when left out.")
@click.option("--mask", "masked", multiple=True, help="A trait it sees masked; repeat.")
@click.option(
    "--source", "sources", multiple=True, help="A source whose events it may see; repeat. All when left out."
)
@data_option
def key_add(
    name: str,
    scopes: tuple[str, ...],
    fields: tuple[str, ...],
    masked: tuple[str, ...],
    sources: tuple[str, ...],
    data: Path,
) -> None:
    """Make a secret key. Prints it alone; it is shown only now."""
    body = {"name": name, "scopes": scopes, "fields": fields or ["*"], "masked": masked, "sources": sources}
    click.echo(call(data, "POST", "/v1/admin/keys", body)["key"])


@key.command("list", epilog=example("patron key list --data shop"))
@data_option
@json_option
def key_list(data: Path, as_json: bool) -> None:
    """List secret keys: hint, scopes, since when."""
    rows = call(data, "GET", "/v1/admin/keys")
    cells = [
        [r["name"], r["hint"], " ".join(r["scopes"]), moment(r["created"]), moment(r["revoked"])]
        for r in rows
    ]
    emit(rows, as_json=as_json, text=table(["name", "begins", "scopes", "made", "revoked"], cells))


@key.command("revoke", epilog=example("patron key revoke crm --data shop"))
@click.argument("name")
@data_option
def key_revoke(name: str, data: Path) -> None:
    """Revoke a secret key at once."""
    call(data, "DELETE", f"/v1/admin/keys/{part(name)}")


@click.group(epilog=example("patron user add giulia --role admin --data shop"))
def user() -> None:
    """Accounts of the console."""


@user.command(
    "add", epilog=example("patron user add giulia --full-name 'Giulia Serra' --role marketer --data shop")
)
@click.argument("name")
@click.option("--full-name", default="", help="As people say it.")
@click.option(
    "--role", default="admin", show_default=True, help="admin, marketer, privacy, developer or viewer."
)
@click.password_option(envvar="PATRON_PASSWORD", help="Asked for when left out.")
@data_option
def user_add(name: str, full_name: str, role: str, password: str, data: Path) -> None:
    """Make an account, or give an existing one a new password and role."""
    body = {"name": name, "full_name": full_name, "role": role, "password": password}
    call(data, "POST", "/v1/admin/users", body)
    click.echo(f"{name} may sign in.")

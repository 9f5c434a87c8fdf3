"""Configuration: one `patron.toml` decoded into frozen structs, `PATRON_SECTION_KEY` overrides, every value with its origin.

This is the only module that reads the environment.
"""

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Struct

from patron.identity.rules import IdentityRules
from patron.model.errors import BadRequest, ConfigError
from patron.profiles.rules import ProfileRules

FILE = "patron.toml"


class WorkspaceSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Name and place of the business this directory belongs to."""

    name: str = "My shop"
    zone: str = "UTC"
    """IANA time zone of the business; stores may differ."""


class BusinessSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What the whole business goes by."""

    timezone: str = "UTC"
    """IANA time zone in which days of rules begin; `workspace.zone` where only that is set."""


class CollectSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How messages are read."""

    skew_hours: int = 24
    """Clock skew of a client beyond which its own timestamp stands."""
    collection_purposes: tuple[str, ...] = ("collection", "analytics", "profiling")
    """A message that refuses one of these keeps only what operations need."""
    queue: int = 5_000
    """Messages that may wait to be applied before the door answers 503."""


class DecideSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The decision loop."""

    holdout: float = 0.5
    """Share of people held out from every offer (the control group)."""
    window_days: int = 7
    """Days after a decision in which an order is credited to it."""
    trial: str = "programme"
    """Name of the always-on trial; another name draws the groups anew."""
    minimum_effect: float = 0.2
    """Smallest relative change worth knowing; sets the planned size."""
    opt_in: tuple[str, ...] = ()
    """Purposes that need an explicit yes; all others need the absence of a no."""
    policy: Literal["learned", "uniform"] = "learned"
    """How what may be shown is ranked: by what was learned, or all alike."""


class StorageSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The data directory."""

    checkpoint_seconds: int = 30
    """A checkpoint at least so often, while events come."""
    checkpoint_rows: int = 500_000
    """Changed rows after which one is written earlier: they wait in memory until it is on disk."""
    checkpoint_events: int = 1_000_000
    """Messages after which one is written earlier: a start after a crash replays at most so many."""
    segment_mb: int = 32
    log_days: int = 0
    """Days after which messages stay in the lake only, and their text goes from the log; 0 = the log keeps all."""
    resident_people: int = 100_000
    """Decoded node profiles kept in memory (at least so many, at most twice); the others stay encoded."""
    min_free_mb: int = 64
    """Free disk space below which nothing more is taken (503)."""
    backups: str = ""
    """Folder of the backups that admin keys ask for by name; empty = `NAME-backups` beside the data directory."""


class RetentionSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Days that each class of data is kept; 0 = for ever."""

    events_days: int = 0
    dead_letters_days: int = 90
    audit_days: int = 730


class LakeRetention(Struct, frozen=True, forbid_unknown_fields=True):
    """Days that each class of rows stays in the lake, by the day of receipt; 0 = for ever."""

    events: int = 0
    """Every event."""
    behaviour: int = 0
    """Events that are neither about orders nor about consent."""
    orders: int = 0
    decisions: int = 0
    profiles: int = 0
    """Snapshots of profiles, by the day they were taken."""


class LakeSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The event lake for analysts, and the process that keeps it."""

    enabled: bool = True
    url: str = ""
    """Folder or address of object storage (s3://bucket/lake); empty = `lake` in the data directory."""
    options: dict[str, str] = {}
    """Of the object storage, such as AWS_REGION; secrets are better left to the environment."""
    flush_seconds: float = 5.0
    """Events are in the lake after so many seconds."""
    flush_events: int = 50_000
    """Most events of one file."""
    profile_seconds: float = 86_400.0
    """Who changed gets a snapshot in the lake once in so many seconds, from midnight UTC; 0 = never."""
    retention: LakeRetention = LakeRetention()
    query_memory_mb: int = 1024
    """Memory of one query."""
    query_seconds: float = 60.0
    """Longest time of one query."""
    query_rows: int = 100_000
    """Most rows that the API answers with; export more with the files themselves."""


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """All sections of `patron.toml`.

    >>> decode({"workspace": {"name": "Alder & Rosso"}}).workspace.name
    'Alder & Rosso'
    """

    workspace: WorkspaceSettings = WorkspaceSettings()
    business: BusinessSettings = BusinessSettings()
    collect: CollectSettings = CollectSettings()
    identity: IdentityRules = IdentityRules()
    profiles: ProfileRules = ProfileRules()
    decide: DecideSettings = DecideSettings()
    storage: StorageSettings = StorageSettings()
    retention: RetentionSettings = RetentionSettings()
    lake: LakeSettings = LakeSettings()


def decode(raw: Mapping[str, Any]) -> Settings:
    """Turn plain data into settings. Raises ConfigError naming the key that is wrong."""
    try:
        settings = msgspec.convert(raw, Settings)
    except msgspec.ValidationError as error:
        raise ConfigError(f"patron.toml: {error}. See `patron config show` for every key.") from error
    zone, own = settings.business.timezone, "timezone" in raw.get("business", {})
    if not own and _is_zone(settings.workspace.zone):
        return msgspec.structs.replace(settings, business=BusinessSettings(settings.workspace.zone))
    if not _is_zone(zone):
        raise ConfigError(
            f"patron.toml: business.timezone `{zone}` is no time zone here. Write an IANA name, such as Europe/Rome."
        )
    return settings


def _is_zone(name: str) -> bool:
    try:
        return bool(ZoneInfo(name).key)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False


def load(folder: Path, environ: Mapping[str, str] | None = None) -> tuple[Settings, dict[str, str]]:
    """Read the settings of a data directory, and where each value that is not a default came from."""
    raw = _read_file(folder / FILE)
    origins = {f"{s}.{k}": FILE for s, table in raw.items() for k in table}
    for name, text in (os.environ if environ is None else environ).items():
        place = _place(name)
        if place:
            section, key = place
            raw.setdefault(section, {})[key] = _value(text)
            origins[f"{section}.{key}"] = name
    return decode(raw), origins


def tried_rules(text: str) -> dict[str, Any]:
    r"""The [identity] table of a text written as patron.toml, for a dry run. Raises BadRequest when there is none.

    >>> tried_rules("[identity]\ntotal_limit = 50")
    {'total_limit': 50}
    """
    try:
        table = tomllib.loads(text).get("identity")
    except tomllib.TOMLDecodeError as error:
        raise BadRequest("bad_rules", f"This is not valid TOML: {error}.") from error
    if not isinstance(table, dict):
        raise BadRequest("bad_rules", "There is no [identity] table; write that line above the rules to try.")
    value: dict[str, Any] = json.loads(json.dumps(table, default=str))  # TOML has dates, rules have none
    return value


def show(settings: Settings, origins: Mapping[str, str]) -> list[tuple[str, Any, str]]:
    """Every key with its value and origin (`default`, the file or the variable), for `patron config show`."""
    plain = msgspec.to_builtins(settings)
    return [
        (f"{section}.{key}", value, origins.get(f"{section}.{key}", "default"))
        for section, table in plain.items()
        for key, value in table.items()
    ]


def environment(name: str) -> str | None:
    """One variable of the environment that is no setting (crash points, where the browser is)."""
    return os.environ.get(name)


def _read_file(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}. Mend that line and start again.") from error
    for section, table in raw.items():
        if not isinstance(table, dict):
            raise ConfigError(f"{path}: `{section}` must be a table: write [{section}] above its keys.")
    return raw


def _place(name: str) -> tuple[str, str] | None:
    for section in Settings.__struct_fields__:
        prefix = f"PATRON_{section.upper()}_"
        if name.startswith(prefix):
            return section, name[len(prefix) :].lower()
    return None


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"v = {text}")["v"]
    except tomllib.TOMLDecodeError:
        return text

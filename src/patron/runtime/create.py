"""Making a data directory: from nothing, or from a backup."""

import json
from pathlib import Path

from patron.decide.example import CATALOGUE_TOML
from patron.model.errors import ConfigError
from patron.runtime.settings import FILE
from patron.storage.embedded import backup, directory

CATALOGUE_FILE = "catalogue.toml"

_TOML = """# Settings of this workspace. Every key with its default: patron config show --data {folder}

[workspace]
name = {name}
zone = {zone}

[identity]
phone_region = "IT"        # country of phone numbers written without +39, +44, ...

[decide]
holdout = 0.5              # share of people who see no offers, so that the effect can be measured
window_days = 7            # days in which an order is credited to a decision
"""


def create(folder: Path, name: str = "My shop", zone: str = "UTC") -> None:
    """Make `folder` with patron.toml, an example catalogue and empty stores. Raises ConfigError when it holds something."""
    _check_zone(zone)
    if folder.exists() and any(folder.iterdir()):
        raise ConfigError(f"{folder} is not empty. Choose another folder, or remove that one.")
    directory.create(folder)
    text = _TOML.format(folder=folder.name, name=json.dumps(name, ensure_ascii=False), zone=json.dumps(zone))
    (folder / FILE).write_text(text, "utf-8")
    (folder / CATALOGUE_FILE).write_text(CATALOGUE_TOML, "utf-8")


def restore_backup(source: Path, folder: Path, erasures: Path | None) -> int:
    """Make `folder` from a backup; gives the number of erasures that will be applied when it starts."""
    given = backup.tombstones(erasures) if erasures is not None else []
    return backup.restore(source, folder, given)


def _check_zone(zone: str) -> None:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigError(f"{zone} is no time zone; write for example Europe/Rome.") from error

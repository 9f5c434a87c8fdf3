"""Patron: open-source omnichannel personalization. One customer, every channel, measured honestly.

>>> import patron, tempfile
>>> with patron.open(tempfile.mkdtemp(), create=True) as app:
...     app.identify("ana", {"email": "Ana@mail.example"})
...     app.track("ana", "Order Completed", {"order_id": "1007", "revenue": 41.30, "currency": "EUR"})
...     app.profile("email:ana@mail.example")["totals"]["revenue"]
{'EUR': '41.30'}

The names in `__all__` stay; everything else is internal. Nothing heavy is imported before it is used.
"""

import typing as _typing

if _typing.TYPE_CHECKING:
    import os

    from patron.model import errors
    from patron.runtime.embed import App

__version__ = "0.1.0"
__all__ = ["App", "__version__", "errors", "open"]


def open(path: "str | os.PathLike[str]", *, source: str = "python", create: bool = False) -> "App":  # noqa: A001
    """Open the workspace in a directory inside this process, for scripts and notebooks; use it in a `with`.

    Parameters
    ----------
    path
        The data directory, as `patron init` makes it; with `create` it is made when it is none yet.
    source
        The source that events come from: one that exists (its channel, kind and assurance hold), or `python`, which is
        made when it is needed, with the channel `backend`.

    Raises
    ------
    errors.ConfigError
        It is no data directory, or its patron.toml cannot be used.
    errors.DirectoryLocked
        A server, or another process, holds the directory; says where it answers.
    errors.NotFound
        There is no such source.
    """
    from pathlib import Path

    from patron.runtime.embed import open_app

    return open_app(Path(path), source, make=create)


def __getattr__(name: str) -> object:
    """`App` and `errors`, imported when they are first asked for."""
    import importlib

    places = {"App": ("patron.runtime.embed", "App"), "errors": ("patron.model.errors", "")}
    if name not in places:
        raise AttributeError(f"module 'patron' has no attribute {name!r}")
    module, attribute = places[name]
    found = importlib.import_module(module)
    value: object = getattr(found, attribute) if attribute else found
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, also those not imported yet."""
    return __all__

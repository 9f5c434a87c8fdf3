"""The console: what people look at. Pages ask a `ConsoleApp` for frozen views and draw them as HTML."""

from patron.console.app import create_console
from patron.console.port import ConsoleApp

__all__ = ["ConsoleApp", "create_console"]

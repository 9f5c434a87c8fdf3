"""Where files of the lake lie: folders of a disk, or object storage by its address (`s3://bucket/lake`)."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.fs as pafs
from deltalake.fs import DeltaStorageHandler


def files_of(address: str, options: Mapping[str, str] | None = None) -> pafs.FileSystem:
    """The file system whose root is a table's folder."""
    if "://" not in address:
        return pafs.SubTreeFileSystem(str(Path(address).absolute()), pafs.LocalFileSystem())
    return pafs.PyFileSystem(_Remote(address, dict(options or {}) or None))


def said(error: BaseException) -> str:
    r"""What an engine says of a fault, on one line: object storage tells its whole chain of causes, in colours.

    >>> said(OSError("Generic S3 error\n  \x1b[31m->\x1b[0m HTTP error\n  Connection refused\n"))
    'Generic S3 error: Connection refused'
    """
    lines = [line.strip() for line in _COLOURS.sub("", str(error)).splitlines() if line.strip()]
    told = ": ".join(dict.fromkeys([*lines[:1], *lines[-1:]]))
    message = _XML.search(told)
    return (f"{lines[0]}: {message[1]}" if message else told)[:300]


_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_XML = re.compile("<Message>(.*?)</Message>")


class _Remote(DeltaStorageHandler):
    """Object storage as `deltalake` reaches it; its streams take bytes alone, where Arrow hands over its buffers."""

    def open_output_stream(self, path: str, metadata: dict[str, str] | None = None) -> pa.PythonFile:
        """A stream that writes an object; it is there when the stream is closed."""
        return pa.PythonFile(_Bytes(self._handler.open_output_stream(path, metadata)), mode="w")


class _Bytes:
    """A stream that is given buffers, over one that takes bytes."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, data: Any) -> int:
        return int(self._stream.write(bytes(data)))

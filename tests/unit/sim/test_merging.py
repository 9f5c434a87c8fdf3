"""Files of chunks become one in order, whoever has most lines, and without their keys."""

import heapq
import io
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from patron.sim.generation.merging import merge_as_written, merge_sorted

KEYS = st.lists(st.integers(0, 400), max_size=300)


def write(folder: Path, files: list[list[bytes]]) -> list[Path]:
    paths = [folder / f"{n}" for n in range(len(files))]
    for path, lines in zip(paths, files, strict=True):
        path.write_bytes(b"".join(lines))
    return paths


@given(st.lists(KEYS, max_size=4))
def test_blocks_give_what_a_heap_gives(tmp_path_factory, keys):
    files = [
        sorted(b"%03d\t%d of %d\twith a tab\n" % (key, at, n) for at, key in enumerate(some))
        for n, some in enumerate(keys)
    ]
    found = io.BytesIO()
    merge_sorted(write(tmp_path_factory.mktemp("parts"), files), found)
    assert found.getvalue() == b"".join(line.partition(b"\t")[2] for line in heapq.merge(*files))


def test_lines_of_one_moment_keep_the_order_of_their_file(tmp_path):
    paths = write(tmp_path, [[b"2 b\tfirst\n", b"2 a\tsecond\n"], [b"1 c\tbefore\n", b"3 a\tafter\n"]])
    found = io.BytesIO()
    merge_as_written(paths, found)
    assert found.getvalue() == b"before\nfirst\nsecond\nafter\n"

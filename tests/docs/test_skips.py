"""In CI a skipped test is a failure, unless a data set is absent: the rule of tests/conftest.py, tried on itself."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.documents import ROOT

CONFTEST = "from tests.conftest import pytest_make_collect_report, pytest_runtest_makereport, pytest_terminal_summary\n"
HEAD = "import pytest\n\n"


def run(folder: Path, test: str, ci: str) -> subprocess.CompletedProcess[str]:
    """Run one test file under the project's hooks."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_it.py").write_text(HEAD + test)
    environment = {
        **os.environ,
        "CI": ci,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}",
    }
    environment.pop("PYTEST_ADDOPTS", None)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "test",
    [
        "def test_it():\n    pytest.skip('no chromium')\n",
        "@pytest.mark.skip(reason='no chromium')\ndef test_it():\n    pass\n",
        "@pytest.fixture\ndef tool():\n    pytest.skip('no chromium')\n\ndef test_it(tool):\n    pass\n",
        "pytest.skip('no chromium', allow_module_level=True)\n",
        "pytest.importorskip('no_such_module')\n",
    ],
    ids=["call", "mark", "fixture", "module", "import"],
)
def test_a_missing_tool_fails_the_run_in_ci_only(tmp_path: Path, test: str) -> None:
    assert run(tmp_path, test, ci="true").returncode not in {0, 5}
    assert run(tmp_path, test, ci="").returncode in {0, 5}


def test_an_absent_data_set_is_told_and_counted(tmp_path: Path) -> None:
    test = "def test_it():\n    pytest.skip('data: no shared folder')\n\ndef test_other():\n    pass\n"
    done = run(tmp_path, test, ci="true")
    assert done.returncode == 0
    assert "skips: 1" in done.stdout
    assert "1 x data: no shared folder" in done.stdout
    assert done.stdout.strip().splitlines()[-1].startswith("1 passed, 1 skipped")


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    test = "@pytest.mark.xfail(reason='known')\ndef test_it():\n    raise AssertionError\n"
    assert run(tmp_path, test, ci="true").returncode == 0

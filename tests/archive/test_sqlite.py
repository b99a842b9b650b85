from __future__ import annotations

import subprocess
import sys

import pytest


def test_no_process_waits_for_what_sqlite_utils_would_import_which_stays_there_for_others() -> None:
    pytest.importorskip("pandas")
    program = """
import sys
import archive.catalogue.migrations, pipelines.cli
assert not {"numpy", "pandas"} & set(sys.modules)
import archive.site.app
assert "pandas" not in sys.modules
import pandas
assert pandas.DataFrame
"""
    subprocess.run([sys.executable, "-c", program], check=True)

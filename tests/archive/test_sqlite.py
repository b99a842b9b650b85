from __future__ import annotations

import subprocess
import sys

import pytest


def test_no_process_waits_for_pandas_which_stays_there_for_others() -> None:
    pytest.importorskip("pandas")
    program = """
import sys
import archive.catalogue.migrations, archive.site.app, pipelines.cli
assert "pandas" not in sys.modules
import pandas
assert pandas.DataFrame
"""
    subprocess.run([sys.executable, "-c", program], check=True)

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("name", ["pandas", "scipy", "dask"])
def test_no_process_waits_for_what_nothing_needs_and_others_may_have_it(name: str) -> None:
    pytest.importorskip(name)
    program = f"""
import sys
import pipelines.cli, archive.site.app
assert {name!r} not in sys.modules
import {name}
assert {name}.__file__
"""
    subprocess.run([sys.executable, "-c", program], check=True)

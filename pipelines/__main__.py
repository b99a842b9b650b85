"""Lets ``python -m pipelines`` be ``rostra``."""

from pipelines.cli import main

main()

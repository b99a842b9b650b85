"""Notebooks in plain Python: what a researcher asks, from files and from the site alone."""

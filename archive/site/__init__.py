"""The published site: one Datasette plugin."""

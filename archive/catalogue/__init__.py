"""The database of record: its schema, and what is written to it and read from it."""

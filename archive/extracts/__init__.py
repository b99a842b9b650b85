"""A part of the catalogue as rows: out into files that need no SQLite, and back into a catalogue that may hold more."""

"""Words of a moment, found again in another version of a transcript: pure functions, without a database."""

"""Which session a recording is of, and where the sessions of a long recording begin and end."""

"""Which session a recording belongs to, and where the sessions of a long recording begin and end."""

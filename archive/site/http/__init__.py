"""How the site answers: bodies, headers and policies, what is negotiated, errors, and guards against too much."""

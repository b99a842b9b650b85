"""How stages are run: the runner, its worker processes, clusters, and who is told."""

"""How stages are run: the runner, its worker processes, clusters, and the observers of a run."""

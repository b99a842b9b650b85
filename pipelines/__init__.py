"""From recordings to the published site: stages, engines and the command line."""

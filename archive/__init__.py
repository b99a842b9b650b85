"""The catalogue, its search, and the published site. Imports ``metadata`` alone."""

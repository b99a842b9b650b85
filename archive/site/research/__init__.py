"""What researchers find on the site: counts, comparisons, parts of the archive, the schema, and files to take away."""

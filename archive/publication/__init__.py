"""What may be published, and the database that is built from it."""

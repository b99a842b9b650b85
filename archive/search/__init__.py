"""What is asked of the indexes: queries, results by moment and by session, concordances."""

"""Where an archive keeps its files: the folder, the store by content, buckets."""

"""What is written for search: words, stems, passages and the full-text indexes."""

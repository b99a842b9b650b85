"""What search engines, social networks and reference managers read of a page: tags, linked data, and lists of pages."""

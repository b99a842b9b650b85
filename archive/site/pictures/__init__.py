"""Pictures that the site makes or shows as its own: quotes to post, and the archive's logo and colour."""

"""Captions and transcripts as files: one module a format, one registry."""

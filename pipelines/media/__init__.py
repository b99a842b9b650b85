"""Recordings as files: what is in them, their sound, and what is made of them."""

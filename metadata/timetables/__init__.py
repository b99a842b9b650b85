"""Timetables as files: one module a format, one registry."""

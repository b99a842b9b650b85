"""Timetables, captions and corrections, in and out."""

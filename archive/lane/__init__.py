"""Visitors' SQL runs in processes of its own, with limits of time and memory, so that pages stay fast.

`pool` runs in the site and sends statements to the processes. `child` runs in each process, which has little memory,
low priority, and read-only access to one published file.
"""

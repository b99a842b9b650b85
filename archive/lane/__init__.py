"""SQL of strangers, in a lane of its own: in processes with limits of time and memory, apart from the site's pages.

`pool` runs in the site and hands statements over; `child` runs each in a process that has little memory, low priority
and one published file that it may only read.
"""

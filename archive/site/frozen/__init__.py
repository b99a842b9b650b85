"""The site as files that any web server can hand out: the same pages, at the same addresses.

`walk` asks the site itself for its pages, in this process, and follows their links: what the site does not answer is
in no file. `places` says in which file an address lies, `search` makes the index that browsers search, and `hosting`
what hosts can be told: what was withdrawn, and which headers a page carries.
"""

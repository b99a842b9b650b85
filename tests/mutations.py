"""Files spoilt at random, as a download, an editor or somebody hostile might leave them."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

SPLICES = (
    b"<",
    b">",
    b"&",
    b"&x;",
    b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>",
    b"<![CDATA[",
    b"\xff\xfe",
    b"\x00",
    b"\xed\xa0\x80",
    b"\\ud800",
    b"\r\n",
    b'"',
    b"'",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b";",
    b"null",
    b"-1",
    b"0",
    b"1e999",
    b"99999999999999999999",
    b"0001-01-01T00:00:00+14:00",
    b"9999-12-31T23:59:59-12:00",
    b"2024-02-30",
    b"25:61",
    b"BEGIN:VEVENT\r\n",
    b"END:VEVENT\r\n",
    b"TZID=Nowhere/Else",
    b"DTSTART:",
    b"\xe2\x80\xae",
    b"../../x",
    b"=cmd|' /C'!A0",
    b"javascript:alert(1)",
    b"http://[::",
    b"%00",
    b"\xf0\x9f\x98\x80",
    b"true",
    b"*a",
    b"&a ",
    b"!!python/name:os.system ",
)


VALUES = re.compile(rb"""(?<=[>":;,= ])[^<>":;,=\r\n]{1,80}(?=[<";,\r\n])""")
"""What stands where a file has values: spoiling only those gets past the parser of its format."""

ODD = (
    b"",
    b" ",
    b"0",
    b"-1",
    b"1e999",
    b"1e-9",
    b"99999999999999999999",
    b"00:00",
    b"99:99",
    b"24:00:00",
    b"P1D",
    b"\xe2\x80\xae\xd7\x90",
    b"0001-01-01T00:00:00+14:00",
    b"9999-12-31T23:59:59-12:00",
    b"2024-03-31T02:30:00",
    b"2024-10-27T02:30",
    b"0001-01-01",
    b"9999-12-31",
    b"20240230T000000Z",
    b"00010101T000000Z",
    b"99991231T235959Z",
    b"Europe/Nowhere",
    b"../../etc/passwd",
    b"Factory",
    b"x" * 5000,
    b"\xf0\x9f\x98\x80" * 30,
    b"null",
    b"true",
    b"javascript:alert(1)",
    b"https://[::1",
    b"a\xcc\x81" * 50,
    b"https://a.example:99999/",
    b"zh-Hant-x-private",
    b"en-" + b"x" * 90,
    b"noor-okafor",
    b"One",
    b"\xc2\x85",
    b"\xef\xbf\xbe",
)


def mutations(data: bytes, count: int, seed: int) -> Iterator[bytes]:
    """Yield spoilt copies of a file: bytes flipped, parts cut out, doubled, moved, replaced by what is awkward."""
    chance = random.Random(seed)  # noqa: S311 - it only has to be the same every time
    for _ in range(count):
        spoilt = bytearray(data)
        for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
            at = chance.randrange(len(spoilt) + 1)
            end = min(len(spoilt), at + chance.choice((1, 1, 2, 5, 20, 100)))
            match chance.randrange(9):
                case 0:
                    spoilt[at:end] = b""
                case 1:
                    spoilt[at:at] = chance.choice(SPLICES)
                case 2:
                    spoilt[at:end] = chance.choice(SPLICES)
                case 3:
                    spoilt[at:end] = spoilt[at:end] * 2
                case 4:
                    there = chance.randrange(len(spoilt) + 1)
                    spoilt[at:at] = spoilt[there : there + 30]
                case 5:
                    spoilt[at:end] = bytes(chance.randrange(256) for _ in range(end - at))
                case _:
                    if values := [match.span() for match in VALUES.finditer(spoilt)]:
                        start, stop = chance.choice(values)
                        spoilt[start:stop] = chance.choice(ODD)
        yield bytes(spoilt)

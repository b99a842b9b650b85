"""Files spoilt at random, as a download, an editor or somebody hostile might leave them."""

from __future__ import annotations

import random
from collections.abc import Iterator

SPLICES = (
    b"<", b">", b"&", b"&x;", b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>", b"<![CDATA[", b"\xff\xfe",
    b"\x00",
    b"\xed\xa0\x80", b"\\ud800", b"\r\n", b'"', b"'", b"{", b"}", b"[", b"]", b":", b",", b";", b"null", b"-1", b"0",
    b"1e999",
    b"99999999999999999999", b"0001-01-01T00:00:00+14:00", b"9999-12-31T23:59:59-12:00", b"2024-02-30", b"25:61",
    b"BEGIN:VEVENT\r\n", b"END:VEVENT\r\n", b"TZID=Nowhere/Else", b"DTSTART:", b"\xe2\x80\xae", b"../../x",
    b"=cmd|' /C'!A0",
    b"javascript:alert(1)", b"http://[::", b"%00", b"\xf0\x9f\x98\x80", b"true", b"*a", b"&a ",
    b"!!python/name:os.system ",
)  # fmt: skip


def mutations(data: bytes, count: int, seed: int) -> Iterator[bytes]:
    """Yield spoilt copies of a file: bytes flipped, parts cut out, doubled, moved, replaced by what is awkward."""
    chance = random.Random(seed)  # noqa: S311 - it only has to be the same every time
    for _ in range(count):
        spoilt = bytearray(data)
        for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
            at = chance.randrange(len(spoilt) + 1)
            end = min(len(spoilt), at + chance.choice((1, 1, 2, 5, 20, 100)))
            match chance.randrange(6):
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
                case _:
                    spoilt[at:end] = bytes(chance.randrange(256) for _ in range(end - at))
        yield bytes(spoilt)

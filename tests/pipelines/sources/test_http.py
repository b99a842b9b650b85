from __future__ import annotations

import base64
import hashlib
import itertools
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from pipelines.config import PullSettings as Settings
from pipelines.errors import AddressError, FetchError, ItemError, LimitError
from pipelines.sources import http
from pipelines.sources.http import Guard, Look, addresses, download, is_public, look
from tests.pipelines.sources.server import Behaviour, Handler, Site, file, redirect, serving

BODY = bytes(itertools.islice(itertools.cycle(range(251)), 3_000_000))
HERE = Settings(private_hosts=("127.0.0.1",), retry_seconds=0)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        yield site


def fetched(site: Site, folder: Path, path: str = "/talk.mp4", settings: Settings = HERE) -> bytes:
    download(site.url + path, folder / "file", settings)
    assert [each.name for each in folder.iterdir()] == ["file"]
    return (folder / "file").read_bytes()


def refusal(site: Site, folder: Path, path: str = "/talk.mp4", settings: Settings = HERE) -> ItemError:
    with pytest.raises(ItemError) as caught:
        download(site.url + path, folder / "file", settings)
    assert not (folder / "file").exists()
    return caught.value


def test_file_is_brought_whole(site: Site, tmp_path: Path) -> None:
    site.answers["/talk.mp4"] = file(BODY)
    assert fetched(site, tmp_path) == BODY
    assert site.asked == [("/talk.mp4", None)]


def test_transfer_that_breaks_goes_on_where_it_broke(site: Site, tmp_path: Path) -> None:
    site.answers["/talk.mp4"] = file(BODY, resets_after=[1_000_000, 500_000])
    assert fetched(site, tmp_path) == BODY
    first, *further = site.at("/talk.mp4")
    assert first is None
    assert [each and each != "bytes=0-" for each in further] == [True, True]


def test_half_of_a_file_is_gone_on_with_by_the_next_run(site: Site, tmp_path: Path) -> None:
    site.answers["/talk.mp4"] = file(BODY, resets_after=[700_000] + [0] * (HERE.tries - 1))
    assert "given up after" in str(refusal(site, tmp_path))
    here = (tmp_path / "file.part").stat().st_size
    assert 0 < here <= 700_000
    assert fetched(site, tmp_path) == BODY
    assert site.at("/talk.mp4")[-1] == f"bytes={here}-"


def test_server_that_names_no_version_is_asked_for_everything_again(site: Site, tmp_path: Path) -> None:
    site.answers["/talk.mp4"] = file(BODY, etag=None, resets_after=[1_000_000])
    assert fetched(site, tmp_path) == BODY
    assert site.at("/talk.mp4") == [None, None]


def test_file_that_changes_in_between_is_begun_anew(site: Site, tmp_path: Path) -> None:
    site.answers["/talk.mp4"] = file(BODY, etag='"old"', resets_after=[700_000] + [0] * (HERE.tries - 1))
    refusal(site, tmp_path)
    site.answers["/talk.mp4"] = file(BODY[::-1], etag='"new"')
    assert fetched(site, tmp_path) == BODY[::-1]


def wrong_part(handler: Handler) -> None:
    """Send, whatever is asked, a middle that nobody wanted."""
    if handler.headers.get("range"):
        handler.send(206, BODY[5:], etag='"one"', content_range=f"bytes 5-{len(BODY) - 1}/{len(BODY)}")
    else:
        handler.start(200, len(BODY), etag='"one"')
        handler.wfile.write(BODY[:1000])
        handler.reset()


def promises_more(handler: Handler) -> None:
    handler.start(200, len(BODY) + 1, etag='"one"')
    handler.wfile.write(BODY)
    handler.close_connection = True


def compressed(handler: Handler) -> None:
    handler.send(200, b"\x1f\x8b", content_encoding="gzip")


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        (promises_more, "given up after"),
        (wrong_part, "given up after"),
        (compressed, "the server sends it compressed, unasked"),
        (lambda handler: handler.send(404, b""), "the server answers 404"),
        (lambda handler: handler.send(503, b""), "the server answers 503; given up after 5 tries"),
        (lambda handler: handler.send(304, b""), "the server answers 304"),
        (lambda handler: handler.reset(), "the connection failed"),
        (lambda handler: handler.wfile.write(b"SSH-2.0-OpenSSH\r\n\r\n"), "the connection failed"),
    ],
    ids=["promises-more", "wrong-part", "compressed", "missing", "busy", "unchanged", "reset", "not-http"],
)
def test_server_that_misbehaves_is_given_up_with_the_reason(
    site: Site, tmp_path: Path, behaviour: Behaviour, message: str
) -> None:
    site.answers["/talk.mp4"] = behaviour
    error = refusal(site, tmp_path)
    assert isinstance(error, FetchError)
    assert message in str(error)


def endless(handler: Handler) -> None:
    handler.start(200, None)
    while True:
        handler.wfile.write(bytes(100_000))


@pytest.mark.parametrize("behaviour", [endless, file(BODY)], ids=["endless", "promised"])
def test_file_above_the_limit_is_refused_and_nothing_stays(site: Site, tmp_path: Path, behaviour: Behaviour) -> None:
    site.answers["/talk.mp4"] = behaviour
    small = Settings(private_hosts=("127.0.0.1",), max_gigabytes=0.001)
    assert isinstance(refusal(site, tmp_path, settings=small), LimitError)
    assert list(tmp_path.iterdir()) == []


def trickle(handler: Handler) -> None:
    handler.start(200, len(BODY))
    for byte in BODY:
        handler.wfile.write(bytes([byte]))
        time.sleep(0.05)


def silent(handler: Handler) -> None:
    handler.start(200, len(BODY))
    handler.connection.recv(1)  # which returns when the other side has given up


@pytest.mark.parametrize(("behaviour", "message"), [(trickle, "bytes a second"), (silent, "silent for too long")])
def test_slow_server_is_given_up(site: Site, tmp_path: Path, behaviour: Behaviour, message: str) -> None:
    site.answers["/talk.mp4"] = behaviour
    hurried = msgspec.structs.replace(HERE, silent_seconds=0.3, tries=2)
    assert message in str(refusal(site, tmp_path, settings=hurried))


def slow_headers(handler: Handler) -> None:
    for byte in b"HTTP/1.1 200 OK\r\nx-filler: " + bytes([120]) * 200:
        handler.wfile.write(bytes([byte]))
        time.sleep(0.05)


@pytest.mark.parametrize("behaviour", [slow_headers, trickle], ids=["headers", "body"])
@pytest.mark.parametrize("ask", [look, lambda url, settings: http.request(url, settings, {}, limit=1_000_000)])
def test_server_that_sends_a_byte_now_and_then_is_not_waited_for(
    site: Site, behaviour: Behaviour, ask: Callable[[str, Settings], object]
) -> None:
    site.answers["/talk.mp4"] = behaviour
    with pytest.raises(FetchError, match=r"the server took more than 0\.3 s to answer"):
        ask(f"{site.url}/talk.mp4", msgspec.structs.replace(HERE, answer_seconds=0.3))


@pytest.mark.parametrize(
    "target",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/talk.mp4",
        "gopher://127.0.0.1/",
        "http://10.0.0.1/talk.mp4",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/talk.mp4",
        "http://[::ffff:127.0.0.1]/talk.mp4",
        "http://0.0.0.0/talk.mp4",
        "http://2130706433/talk.mp4",
        "http://localhost:{port}/inside",
    ],
)
def test_redirect_to_what_is_not_asked_is_refused(site: Site, tmp_path: Path, target: str) -> None:
    site.answers["/talk.mp4"] = redirect(target.format(port=site.port))
    site.answers["/inside"] = file(BODY)
    assert isinstance(refusal(site, tmp_path), AddressError)
    assert site.asked == [("/talk.mp4", None)]


def test_private_address_is_not_asked_unless_it_is_configured(site: Site, tmp_path: Path) -> None:
    error = refusal(site, tmp_path, settings=Settings())
    assert str(error) == (
        "127.0.0.1 is at 127.0.0.1, a private address: if it is yours, add '127.0.0.1' to pull.private_hosts"
        " in rostra.toml"
    )
    assert site.asked == []


def test_redirects_without_end_are_given_up(site: Site, tmp_path: Path) -> None:
    site.answers["/talk.mp4"] = redirect("/talk.mp4")
    assert str(refusal(site, tmp_path)) == "it leads on and on: more than 10 redirects"


def test_redirect_within_what_is_allowed_is_followed(site: Site, tmp_path: Path) -> None:
    site.answers["/talk.mp4"] = redirect("/elsewhere.mp4")
    site.answers["/elsewhere.mp4"] = file(BODY)
    assert fetched(site, tmp_path) == BODY


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("where", ["address", "header"])
def test_promised_checksum_is_held_against_the_bytes(site: Site, tmp_path: Path, where: str, right: bool) -> None:
    digest = hashlib.sha256(BODY if right else b"other").digest()
    header = {"repr_digest": f"sha-256=:{base64.b64encode(digest).decode()}:"} if where == "header" else {}
    site.answers["/talk.mp4"] = file(BODY, **header)
    path = f"/talk.mp4#sha256={digest.hex()}" if where == "address" else "/talk.mp4"
    if right:
        assert fetched(site, tmp_path, path) == BODY
    else:
        assert "as was promised" in str(refusal(site, tmp_path, path))
        assert list(tmp_path.iterdir()) == []


def test_look_reads_the_beginning_and_the_facts(site: Site) -> None:
    site.answers["/a%20talk.mp4"] = file(BODY, content_type="video/mp4; charset=x", last_modified="yesterday")
    assert look(f"{site.url}/a%20talk.mp4", HERE) == Look(
        "a talk.mp4", "video/mp4", ('"one"', "yesterday", "3000000"), 3_000_000, BODY[:2048]
    )


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="Opening.mp4"', "Opening.mp4"),
        ("attachment; filename*=UTF-8''%C3%89t%C3%A9.mp4", "Été.mp4"),
        ("inline", "talk.mp4"),
    ],
)
def test_name_that_a_server_gives_is_made_safe(site: Site, disposition: str, name: str) -> None:
    site.answers["/talk.mp4"] = file(b"x", content_disposition=disposition)
    assert look(f"{site.url}/talk.mp4", HERE).name == name


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("0.0.0.0", False),  # noqa: S104  # as data
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("ff0e::1", False),
        ("::ffff:10.0.0.1", False),
        ("2002:0a00:0001::1", False),
        ("64:ff9b::10.0.0.1", False),
        ("64:ff9b:1::10.0.0.1", False),
        ("::10.0.0.1", False),
        ("::ffff:0:10.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("fec0::1", False),
        ("3fff::1", False),
        ("5f00::1", False),
        ("192.0.0.8", False),
        ("64:ff9b::93.184.216.34", True),
    ],
)
def test_address_is_public_or_not(address: str, expected: bool) -> None:
    assert is_public(address) is expected


def test_name_that_leads_elsewhere_when_it_is_asked_again_is_asked_once(site: Site) -> None:
    """DNS rebinding: the connection goes to the address that was checked, whatever the name says by then."""
    answers = iter(["127.0.0.1", "127.0.0.2", "127.0.0.2"])

    def name_server(host: str, port: int, **named: Any) -> Any:
        assert host == "rebinding.example"
        return socket.getaddrinfo(next(answers), port, **named)

    def resolve(host: str, port: int, settings: Settings) -> list[str]:
        return addresses(host, port, settings, name_server, allowed=lambda address: address == "127.0.0.1")

    url = f"http://rebinding.example:{site.port}/talk.mp4"
    with (
        serving("127.0.0.2", site.port) as inside,
        httpx.Client(transport=Guard(Settings(), resolve), trust_env=False) as client,
    ):
        inside.answers["/talk.mp4"] = file(b"a secret")
        site.answers["/talk.mp4"] = file(BODY)
        assert client.get(url).content == BODY
        with pytest.raises(AddressError, match=r"rebinding.example is at 127.0.0.2, a private address"):
            client.get(url)
        assert (len(site.asked), inside.asked) == (1, [])


def test_name_with_a_private_address_among_others_is_not_asked() -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in ("93.184.216.34", "10.0.0.1")]
    with pytest.raises(AddressError, match=r"mixed.example is at 10.0.0.1"):
        addresses("mixed.example", 80, Settings(), lambda *_, **__: found)


def test_progress_is_told_in_bytes_also_after_a_break(site: Site, tmp_path: Path) -> None:
    site.answers["/talk.mp4"] = file(BODY, resets_after=[1_000_000])
    told: list[float] = []
    download(site.url + "/talk.mp4", tmp_path / "file", HERE, told.append)
    assert told == sorted(told)
    assert (0 < told[0] < len(BODY), told[-1]) == (True, len(BODY))

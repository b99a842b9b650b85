"""How answers are served: kept, compressed, asked for again, and with headers that keep a page to itself."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import html
import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, urldefrag, urlencode, urljoin, urlsplit

import brotli
import httpx
import pytest
from datasette.app import Datasette

from archive import urls
from archive.site.app import create_app
from archive.site.http.answers import Answer, Answers
from archive.site.http.negotiation import chosen_encoding, matches
from archive.site.http.policy import COMMON
from archive.site.http.respond import FRESH
from archive.site.published import PublishedDatabase
from archive.site.render import asset
from archive.site.routes import ROUTES
from archive.sqlite import sqlite3
from metadata.captions import WRITERS
from metadata.model import Transcript
from tests.archive.published_folder import FIRST_BUILD, SECOND_BUILD, point_to, publish
from tests.archive.site.test_pages import PAGES, TALK, Site, serve_example

URL = "https://talks.example.org"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serve_example(tmp_path_factory.mktemp("public"), url=URL) as made:
        yield made


@pytest.fixture(scope="module")
def media(site: Site) -> str:
    return f"/media/{min(path.name for path in (site.public / 'media').glob('*.wav'))}"


KEPT = (
    *(page for page in PAGES if page != "/downloads"),
    f"{TALK}/captions.vtt",
    "/data/session",
    "/data/session.json",
    "/api/1/search.json?q=debt",
)


@pytest.mark.parametrize("path", KEPT)
def test_nothing_is_sent_again_to_who_has_it(site: Site, path: str) -> None:
    first = site.get(path)
    again = site.get(path, headers={"if-none-match": first.headers["etag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    language = ", Accept-Language" if "content-language" in first.headers else ""
    assert (first.headers["vary"], again.headers["vary"]) == (f"Accept-Encoding{language}",) * 2
    assert first.headers["cache-control"] == again.headers["cache-control"] == "public, max-age=5, s-maxage=30"


def test_media_are_asked_for_again_and_not_sent_again(site: Site, media: str) -> None:
    first = site.get(media)
    again = site.get(media, headers={"if-none-match": f'"other", {first.headers["etag"]}'})
    assert (again.status_code, again.content, again.headers["cache-control"]) == (304, b"", "public, no-cache")
    assert first.headers["cross-origin-resource-policy"] == "cross-origin"


def test_tag_of_a_page_holds_nowhere_else_and_not_after_the_next_publication(tmp_path: Path) -> None:
    publish(tmp_path, SECOND_BUILD, extra_title="A session that came later")
    publish(tmp_path)
    site = Site(tmp_path)
    known = {"if-none-match": site.get("/").headers["etag"]}
    assert [site.get(path, headers=known).status_code for path in ("/", "/events", "/?a=1", "/nothing")] == [
        304,
        200,
        200,
        404,
    ]
    point_to(tmp_path, f"catalogue-{SECOND_BUILD}.db")
    later = site.get("/", headers=known)
    assert (later.status_code, "7</b> sessions" in later.text) == (200, True)


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br", "br"),
        ("gzip", "gzip"),
        ("gzip;q=1.0, br;q=0.5", "gzip"),
        ("br;q=0, *", "gzip"),
        ("*", "br"),
        ("identity", None),
        ("gzip;q=0, br;q=0", None),
        ("gzip;q=what", None),
        ("", None),
    ],
)
def test_encoding_is_the_best_that_a_client_accepts(accepted: str, encoding: str | None) -> None:
    assert chosen_encoding(accepted) == encoding


@pytest.mark.parametrize("path", [TALK, f"{TALK}/captions.json", "/data/session.csv", asset("site.css")])
def test_text_is_compressed_as_the_client_accepts(site: Site, path: str) -> None:
    plain = site.get(path, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    for encoding in ("br", "gzip"):
        response = site.get(path, headers={"accept-encoding": encoding})
        assert response.headers["content-encoding"] == encoding
        assert int(response.headers["content-length"]) < len(plain.content)
        assert response.content == plain.content  # the client has undone it
    assert plain.headers["content-length"] == str(len(plain.content))


def test_sound_is_not_compressed(site: Site, media: str) -> None:
    assert "content-encoding" not in site.get(media, headers={"accept-encoding": "gzip, br"}).headers


def test_asset_is_kept_for_good_under_the_address_of_its_version_only(site: Site) -> None:
    path = asset("site.css")
    now, then = site.get(path).headers["cache-control"], site.get(path[:-1] + "x").headers["cache-control"]
    assert (now, then) == ("public, max-age=31536000, immutable", "public, max-age=5, s-maxage=30")


def test_head_tells_of_a_page_what_get_does(site: Site) -> None:
    for path in (TALK, "/data/session.json", f"{TALK}/captions.vtt"):
        head, whole = site.request("HEAD", path), site.get(path)
        assert (head.status_code, head.content, dict(head.headers)) == (200, b"", dict(whole.headers))


@pytest.mark.parametrize("path", [*KEPT, "/nothing", "/data?sql=select+1", "/-/health", urls.SEARCH, "/data/nothing"])
def test_no_answer_lets_a_page_run_what_is_written_in_it(site: Site, path: str) -> None:
    headers = site.get(path, follow_redirects=True).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert "microphone=()" in headers["permissions-policy"]
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] in {"same-origin", "cross-origin"}
    assert "set-cookie" not in headers
    assert "strict-transport-security" not in headers


IS_ONE = hasattr(Datasette, "get_internal_database")
"""Whether this is Datasette 1.0."""
ANSWERS = {
    "GET / HTTP": 200,
    "GET /events/ HTTP": 301,
    "GET /data/a%2fb HTTP": 302,
    "GET /data/session.json?_nocol=x HTTP": 400,
    "GET /data/-/nothing HTTP": 404 if IS_ONE else 400,
    "GET /data.db HTTP": 403,
    "GET /-/static/ HTTP": 403,
    "GET /nothing HTTP": 404,
    "GET /media/nothing HTTP": 404,
    "GET /api/1/nothing HTTP": 404,
    "GET /-/static/nothing HTTP": 404,
    "GET /-/static-plugins/rostra/nothing HTTP": 404,
    f"GET /-/static-plugins/rostra/{'a' * 300} HTTP": 404,
    "POST / HTTP": 405,
    "PUT /api/1/events HTTP": 405,
    "TRACE /data HTTP": 405,
    f"GET /data?sql={'x' * 9_000} HTTP": 414,
    "OPTIONS / HTTP": 204,
    "OPTIONS /api/1/events HTTP": 204,
    "HEAD / HTTP": 200,
    "HEAD /nothing HTTP": 404,
    "HEAD MEDIA HTTP": 200,
    "GET MEDIA HTTP": 200,
    "GET MEDIA HTTP range: bytes=0-9": 206,
    "GET MEDIA HTTP range: bytes=0-0,-1": 206,
    "GET MEDIA HTTP range: bytes=99999999-": 416,
    "GET / HTTP if-none-match: *": 304,
    "GET MEDIA HTTP if-none-match: *": 304,
    "GET /feed.atom HTTP": 200,
    "GET /sitemap.xml HTTP": 200,
    "GET /robots.txt HTTP": 200,
    "GET /oai?verb=Identify HTTP": 200,
    "GET /oai?verb=nothing HTTP": 200,
    "GET /api/1/events?limit=x HTTP": 400,
    "GET /api/1/openapi.json HTTP": 200,
    "GET /data/session.csv HTTP": 200,
    "GET /data/session.csv?_stream=on HTTP": 200,
    "GET /-/health HTTP": 200,
    "GET /favicon.ico HTTP": 200,
}


@pytest.mark.parametrize("asked", ANSWERS)
def test_every_kind_of_answer_says_what_may_be_done_with_it(site: Site, media: str, asked: str) -> None:
    request, _, header = asked.replace("MEDIA", media).partition(" HTTP")
    method, _, path = request.partition(" ")
    name, _, value = header.strip().partition(": ")
    answer = site.request(method, path, headers={name: value} if name else {})
    headers = answer.headers
    assert answer.status_code == ANSWERS[asked]
    assert headers["content-security-policy"].startswith("default-src 'none'; ")
    assert "unsafe" not in headers["content-security-policy"]
    assert {*COMMON} <= {*headers}
    assert headers["x-content-type-options"] == "nosniff"
    assert {*headers["cache-control"].split(", ")} & {"max-age=5", "no-cache", "no-store", "immutable"}
    assert answer.status_code < 405 or headers["cache-control"] in {"no-store", "public, no-cache"}
    assert "set-cookie" not in headers
    assert str(site.public) not in answer.text + str(headers)


@pytest.mark.parametrize("begun", [False, True])
def test_failure_of_the_site_says_nothing_of_it_and_is_over_when_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, begun: bool
) -> None:
    async def fail(*_args: Any, **_named: Any) -> Any:
        raise RuntimeError(tmp_path)

    names = ("/", TALK, "/nothing", "/feed.atom", "/api/1/events", "/data/session", "/data/session.json")
    paths = [f"{name}?{'_size' if name.startswith('/data') else 'limit'}=1" for name in names]
    with serve_example(tmp_path) as site:
        if not begun and IS_ONE:
            pytest.skip("Datasette 1.0 begins outside of what plugins wrap: its first answer is then the server's own")
        before = [site.get(path).status_code for path in names] if begun else []
        with monkeypatch.context() as broken:
            broken.setattr(PublishedDatabase, "_run", fail)
            for path in paths:
                answer = site.get(path)
                assert (answer.status_code, answer.headers["cache-control"]) == (500, "no-store"), path
                assert {*COMMON, "content-security-policy"} <= {*answer.headers}
                assert str(tmp_path) not in answer.text
        assert [site.get(path).status_code for path in paths] == (before or [200, 200, 404, *[200] * 4])
        assert site.get("/data/session?_sort=nothing").status_code == 400


@pytest.mark.parametrize(
    ("sql", "lasts"),
    [
        ("select random() as x", False),
        ("select hex(RandomBlob(8)) as x", False),
        ("select julianday('now') as x", False),
        ("select julianday( ) as x", False),
        ("select strftime('%f') as x", False),
        ("select datetime(:when) as x&when=now", False),
        ("select current_timestamp as x", False),
        ("select strftime('%Y', start_utc) as x from session", True),
        ("select date(start_utc) as x from session where title like '%know%'", True),
    ],
)
def test_answer_that_depends_on_the_moment_is_not_kept(site: Site, sql: str, *, lasts: bool) -> None:
    asked = urlencode({"sql": sql.partition("&")[0]}) + sql.partition("&")[1] + sql.partition("&")[2]
    for path in ("/data.json", "/data", "/data.csv"):
        answers = [site.get(f"{path}?{asked}", follow_redirects=True) for _ in range(2)]
        assert {each.status_code for each in answers} == {200}
        assert {"etag" in each.headers for each in answers} == {lasts}
        assert {each.headers["cache-control"] for each in answers} == {FRESH if lasts else "no-store"}
    if "random" in sql.lower():
        table = [
            site.get("/data/session.json?_size=1&_where=id+>+abs(random()%25100)").headers.get("etag") for _ in "ab"
        ]
        assert table == [None, None]
        assert answers[0].content != answers[1].content


def test_editor_of_sql_runs_by_the_hash_of_its_script(site: Site) -> None:
    page = site.get("/data")
    scripts = re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL)
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in scripts}
    assert hashes & {*page.headers["content-security-policy"].split()}


@pytest.mark.parametrize(
    "path",
    [
        "/data", "/data/session", "/data/session/1", "/data/said", "/data?sql=select+1+as+one", "/data?sql=select+x",
        "/data/session?_facet=kind&_sort=title", "/-/versions",
    ],
)  # fmt: skip
def test_page_of_tables_has_nothing_that_its_policy_refuses(site: Site, path: str) -> None:
    page = site.get(path, follow_redirects=True)
    inline = re.findall(r"<(?:script|style)>(.*?)</(?:script|style)>", page.text, re.DOTALL)
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in inline}
    assert [each for each in hashes if each not in page.headers["content-security-policy"]] == []
    assert not re.search(r"<[^>]*\s(style|on[a-z]+)=", page.text)


def test_cookies_and_passwords_change_nothing(site: Site) -> None:
    plain = site.get("/data/session.json")
    named = site.get("/data/session.json", headers={"cookie": "ds_actor=root", "authorization": "Basic cm9vdDo="})
    assert (named.content, dict(named.headers)) == (plain.content, dict(plain.headers))


def test_page_over_tls_stays_there(site: Site) -> None:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=site.datasette.app())
        async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
            return await client.get("/")

    response = asyncio.run(ask())
    assert response.headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize("path", ["/", TALK, "/search?q=debt"])
def test_canonical_address_is_the_sites_own_whatever_host_is_asked(site: Site, path: str) -> None:
    page = site.get(path, headers={"host": "evil.example", "x-forwarded-host": "evil.example"}).text
    assert f'<link rel="canonical" href="{URL}{path}">' in page
    assert "evil.example" not in page


@pytest.mark.parametrize(
    "path", ["/", TALK, "/feed.atom", "/api/1/events", "/data/session", "/cover.png", asset("icon.svg")]
)
def test_whoever_has_any_form_of_an_answer_is_sent_none(site: Site, path: str) -> None:
    answer = site.get(path, headers={"if-none-match": "*"})
    assert (answer.status_code, answer.content) == (304, b"")
    assert site.get("/nothing", headers={"if-none-match": "*"}).status_code == 404


def test_picture_is_made_once_and_varies_on_nothing(site: Site) -> None:
    first = site.get("/cover.png", headers={"accept-encoding": "br"})
    again = site.get("/cover.png", headers={"accept-encoding": "gzip", "if-none-match": first.headers["etag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert [each.headers.get("vary") for each in (first, again)] == [None, None]
    assert "content-encoding" not in first.headers
    other = site.get("/cover.png", headers={"accept-encoding": "gzip"})
    assert (other.content, other.headers["etag"]) == (first.content, first.headers["etag"])


@pytest.mark.parametrize(
    "setting",
    [{"hub": "https://hub.example.org/"}, {"contact": "a@example.org"}, {"accent": "#0b5d3b"}, {"logo": b"GIF89a"}],
)
def test_other_settings_make_other_answers(site: Site, setting: dict[str, Any]) -> None:
    known = {"if-none-match": site.get("/feed.atom").headers["etag"]}
    other = Site(site.public, url=URL, **setting)
    assert (site.get("/feed.atom", headers=known).status_code, other.get("/feed.atom", headers=known).status_code) == (
        304,
        200,
    )
    other.datasette.executor.shutdown()


@pytest.mark.parametrize("path", ["/api/1/events", "/feed.atom", "media"])
def test_other_sites_may_read_what_an_answer_says_of_itself(site: Site, media: str, path: str) -> None:
    told = site.get(media if path == "media" else path).headers["access-control-expose-headers"]
    assert {"ETag", "Content-Range"} <= {*told.split(", ")}


@pytest.mark.parametrize("path", ["//evil.example/~language-es", "//evil.example/", "///evil.example/~page-2"])
def test_no_path_leads_to_another_site(site: Site, path: str) -> None:
    """A path that begins with two slashes is another site's name to a browser."""
    answer = site.get(path)
    assert (answer.status_code, answer.headers.get("location")) == (404, None)


def test_whole_addresses_of_datasettes_pages_lead_below_the_sites_own_path(tmp_path: Path) -> None:
    with serve_example(tmp_path, url=f"{URL}/talks") as site:
        page = site.get("/talks/data/session?_size=2&_facet=kind")
        told = [html.unescape(each) for each in re.findall(rf'href="({URL}[^"]*)"', page.text)]
        told.append(page.headers["link"].partition(";")[0].strip("<>"))
        answers = {each: site.get(each.removeprefix(URL)).status_code for each in told}
    assert len(answers) > 3
    assert {each: code for each, code in answers.items() if code != 200 or not each.startswith(f"{URL}/talks/")} == {}


FACETED = "_size=2&_facet=kind&kind=talk&_facet=track&_facet_date=start_at&_extra=extras"
IN_JSON = (
    "/data.json",
    "/data.json?sql=select+'/data/session'+as+path,+'/data'+as+link",
    f"/data/session.json?{FACETED}",
    f"/data/session.json?_shape=objects&_col=title&{FACETED}",
    "/data/segment.json?_size=2&_facet_array=flags&_next=2",
    "/data/session/1.json?_extras=foreign_key_tables&_extra=foreign_key_tables",
    "/-/tables.json?q=session",  # of Datasette 1.0, and the next
    "/-/jump.json?q=session",
    "/api/1/",
    "/api/1/openapi.json",
    *(f"/api/1/{path}" for path in ("events", "people", "sessions", "recordings?limit=1", "moments?q=debt")),
    "/api/1/search?q=debt",
    "/api/1/concordance?q=debt",
    "/api/1/search.json?q=debt",
    "/search/suggest.json?q=arch",
    "/oembed?url={home}" + TALK,
    *(f"{TALK}/{name}.json" for name in ("chapters", "manifest", "annotations-1", "search", "words")),
)
"""Where programs begin to read, and Datasette's JSON in every form."""


def test_every_address_that_json_names_is_below_the_sites_own_path_and_answers(tmp_path: Path) -> None:
    home, asked, lost = f"{URL}/talks", dict[str, int](), dict[str, str]()
    with serve_example(tmp_path, url=home) as site:
        waiting = [home + path.format(home=quote(home, safe="")) for path in IN_JSON]
        while waiting:
            address = waiting.pop()
            if urldefrag(address).url in asked or not address.startswith(home):
                continue
            answer = site.get(urldefrag(address).url.removeprefix(URL))
            asked[urldefrag(address).url] = answer.status_code
            if "json" in answer.headers.get("content-type", ""):
                for where, told in addresses(json.loads(answer.content)):
                    whole = urljoin(address, told)
                    if whole.startswith(URL) and not whole.startswith(f"{home}/") and whole != home:
                        lost[f"{address} {where}"] = told
                    waiting += [whole] * (sum(urlsplit(each).path == urlsplit(whole).path for each in asked) < 3)
    assert lost == {}
    # Canvases are named and not read.
    gone = {each: int(code) for each, code in asked.items() if code not in (200, 302) and "/canvas/" not in each}
    assert {
        each: code for each, code in gone.items() if not each.startswith((f"{home}/-/tables", f"{home}/-/jump"))
    } == {}
    assert len(asked) > 100


def addresses(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Yield what may be addresses in JSON, each with where it stands; rows of a table are data."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key not in ("rows", "paths", "example"):
                yield from addresses(each, f"{where}.{key}")
    elif isinstance(value, list):
        for each in value:
            yield from addresses(each, where)
    elif isinstance(value, str) and re.match(r"(?:/|\?|https?://)\S*$", value):
        yield where, value


@pytest.mark.parametrize(
    ("shape", "rows"),
    [
        ("arrays", [["/data/session", "/data"]]),
        ("objects", [{"path": "/data/session", "link": "/data"}]),
        ("array", [{"path": "/data/session", "link": "/data"}]),
        ("arrayfirst", ["/data/session"]),
    ],
)
def test_rows_keep_their_words_below_a_path(tmp_path: Path, shape: str, rows: list[Any]) -> None:
    sql = quote_plus("select '/data/session' as path, '/data' as link")
    with serve_example(tmp_path, url=f"{URL}/talks") as site:
        # Of Datasette before 1.0, and since.
        asked = [f"/talks{path}?sql={sql}&_shape={shape}" for path in ("/data.json", "/data/-/query.json")]
        told = [site.get(each, follow_redirects=True).json() for each in asked]
    assert rows in [each.get("rows") if isinstance(each, dict) else each for each in told]


@pytest.mark.parametrize(
    "path", ["/data", "/data/session", "/data/session.json?_size=2", "/feed.atom", "/api/1/sessions"]
)
@pytest.mark.parametrize("name", ["host", "x-forwarded-host", "forwarded"])
def test_nobody_is_told_the_host_that_somebody_else_named(site: Site, path: str, name: str) -> None:
    unnamed = Site(site.public)  # as nobody has called it
    for asked in (site, unnamed):
        told = asked.get(path, headers={name: "host=evil.example" if name == "forwarded" else "evil.example"})
        after = asked.get(path, headers={"host": "localhost"})
        assert (told.status_code, after.status_code) == (200, 200)
        if asked is site or name != "host":
            assert "evil.example" not in told.text + str(told.headers)
        assert "evil.example" not in after.text + str(after.headers)
    unnamed.datasette.executor.shutdown()


def test_mistake_in_a_query_of_a_table_is_no_failure_of_the_site(site: Site) -> None:
    for query in ("_sort=nothing", "_sort=id&_sort_desc=id", "_sort_desc=nothing"):
        assert [site.get(f"/data/session{form}?{query}").status_code for form in ("", ".json")] == [400, 400]


@pytest.mark.parametrize("form", ["", ".json", ".csv"])
@pytest.mark.parametrize(
    "name", ["_through", "_timelimit", "_size", "_next", "_sort", "_col", "_where", "_shape", "_json", "_ttl", "id__gt"]
)
def test_no_value_of_a_parameter_of_datasettes_is_a_failure_of_the_site(site: Site, name: str, form: str) -> None:
    values = ("", "x", "-1", "9" * 30, "null", "[1]", "{}", '{"table": "x", "column": "y", "value": 1}', "\0")
    answers = {value: site.get(f"/data/session{form}?{name}={quote(value)}").status_code for value in values}
    assert {value: code for value, code in answers.items() if code not in (200, 302, 400)} == {}


def test_preflight_lets_other_sites_read(site: Site) -> None:
    response = site.request("OPTIONS", "/api/1/search.json")
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["allow"] == "GET, HEAD, OPTIONS"
    assert site.request("OPTIONS", "/oai").headers["allow"] == "GET, HEAD, OPTIONS, POST"


@pytest.mark.parametrize("path", ["/events", "/api/1/events", "/oai"])
@pytest.mark.parametrize("method", ["POST", "GET", "OPTIONS"])
def test_what_is_sent_is_read_before_the_answer(site: Site, method: str, path: str) -> None:
    heard: list[str] = []

    async def part_by_part() -> AsyncIterator[bytes]:
        for part in (b"x", b"y"):
            yield part
            heard.append(part.decode())

    async def ask() -> int:
        app = site.datasette.app()

        async def noting(scope: Any, receive: Any, send: Any) -> None:
            async def note(message: Any) -> None:
                heard.append(message["type"])
                await send(message)

            await app(scope, receive, note)

        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=noting), base_url=URL) as client:
            return (await client.request(method, path, content=part_by_part())).status_code

    assert asyncio.run(ask()) == {"POST": 405, "GET": 200, "OPTIONS": 204}[method]
    assert heard[:3] == ["x", "y", "http.response.start"]


@pytest.mark.parametrize("path", ["/api/1/nothing", "/api/2/search", "/events/nothing.json"])
def test_unknown_address_of_the_api_is_a_problem(site: Site, path: str) -> None:
    response = site.get(path)
    assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")
    assert response.json() == {
        "title": "Not Found",
        "status": 404,
        "detail": "There is nothing at this address; see /api/1/openapi.json.",
        "instance": path,
    }


def test_health_tells_what_is_published(site: Site) -> None:
    response = site.get(urls.HEALTH)
    assert response.json() == {
        "status": "ok",
        "publication": FIRST_BUILD,
        "built_at": "2026-11-23T10:00:00Z",
        "sessions": 6,
    }
    assert response.headers["cache-control"] == "no-store"


def test_health_is_bad_where_the_database_cannot_be_read(tmp_path: Path) -> None:
    publish(tmp_path)
    conn = sqlite3.connect(tmp_path / f"catalogue-{FIRST_BUILD}.db")
    conn.execute("DROP TABLE person")
    conn.close()
    response = Site(tmp_path).get(urls.HEALTH)
    assert (response.status_code, response.json()["detail"]) == (503, "The published database cannot be read.")


def test_captions_are_made_once_for_all_who_ask_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(tmp_path)
    made: list[str] = []

    def counted(transcript: Transcript, write: Any = WRITERS["vtt"]) -> str:
        made.append("vtt")
        return str(write(transcript))

    monkeypatch.setitem(WRITERS, "vtt", counted)
    datasette: Any = create_app(tmp_path)

    async def ask() -> set[tuple[int, str]]:
        await datasette.invoke_startup()
        transport = httpx.ASGITransport(app=datasette.app())
        async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
            answers = await asyncio.gather(*(client.get(f"{TALK}/captions.vtt") for _ in range(8)))
            return {(each.status_code, each.text) for each in answers}

    ((status, text),) = asyncio.run(ask())
    assert (status, text.startswith("WEBVTT"), made) == (200, True, ["vtt"])


def test_answers_that_were_asked_for_last_are_kept() -> None:
    async def ask() -> list[bool]:
        answers = Answers(kept_bytes=250)
        for name in "abc":
            answers.put((name, None), Answer([], b"x" * 100))
        await answers.get(("b", None))
        answers.put(("d", None), Answer([], b"x" * 100))
        return [await answers.get((name, None)) is not None for name in "abcd"]

    assert asyncio.run(ask()) == [False, True, False, True]


def test_tags_are_compared_weakly() -> None:
    assert [matches(asked, 'W/"a"') for asked in ('"a"', 'W/"a"', '"b", W/"a"', '"b"', "", "*")] == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]


def test_truncated_publication_leaves_the_last_good_one(tmp_path: Path) -> None:
    publish(tmp_path, SECOND_BUILD, extra_title="A session that came later")
    publish(tmp_path)
    site = Site(tmp_path)
    next_one = tmp_path / f"catalogue-{SECOND_BUILD}.db"
    whole = next_one.read_bytes()
    for cut in (0, 50, 4_096, len(whole) - 1):
        next_one.write_bytes(whole[:cut])
        point_to(tmp_path, next_one.name)
        assert "6</b> sessions" in site.get("/").text
    next_one.write_bytes(whole)
    point_to(tmp_path, next_one.name)
    assert "7</b> sessions" in site.get("/").text


def test_address_that_is_written_is_one_that_is_answered() -> None:
    written = {
        urls.HOME: "home",
        urls.event_url("a/b ü"): "event",
        urls.session_url("a", "b"): "session",
        urls.captions_url("a", "b", "vtt"): "captions",
        urls.person_url("a"): "person",
        urls.media_url(f"{'0' * 64}.mp4"): "recording",
        urls.SEARCH: "search",
        urls.EXPLORE: "explore",
        urls.EVENTS: "events",
        urls.HEALTH: "health",
    }
    answered = {path: next(view.__name__ for pattern, view in ROUTES if re.match(pattern, path)) for path in written}
    assert answered == written


def test_gzip_is_the_same_each_time() -> None:
    from archive.site.http.negotiation import encodings

    body = b"text " * 1000
    assert encodings()["gzip"](body) == encodings()["gzip"](body)
    assert gzip.decompress(encodings()["gzip"](body)) == brotli.decompress(encodings()["br"](body)) == body


def test_only_what_names_its_language_depends_on_the_readers(site: Site) -> None:
    def ask(path: str, language: str) -> tuple[str, str]:
        headers = site.get(path, headers={"accept-language": language}).headers
        return headers["etag"], headers["vary"]

    for path, varies in (("/", True), (TALK, True), ("/search/suggest.json?q=no", True), ("/feed.atom", False)):
        german, french = ask(path, "de"), ask(path, "fr")
        assert (german[0] != french[0], "Accept-Language" in german[1]) == (varies, varies)
    german_page = site.get("/", headers={"accept-language": "de"})
    known = {"if-none-match": german_page.headers["etag"]}
    assert site.get("/", headers={"accept-language": "de", **known}).status_code == 304
    assert site.get("/", headers={"accept-language": "fr", **known}).status_code == 200


@pytest.mark.parametrize("path", ["/nothing", "/events/nothing", "/data/nothing", "/downloads"])
def test_answer_that_nobody_keeps_says_that_its_language_is_the_readers(site: Site, path: str) -> None:
    headers = site.get(path, headers={"accept-language": "de"}).headers
    assert (headers["content-language"], headers["vary"]) == ("de", "Accept-Language")


def test_robots_are_told_of_paths_below_the_sites_own(tmp_path: Path) -> None:
    publish(tmp_path)
    site = Site(tmp_path, url=f"{URL}/talks")
    closed = [line for line in site.get("/robots.txt").text.splitlines() if line.startswith("Disallow")]
    site.datasette.executor.shutdown()
    assert closed == [f"Disallow: /talks{path}" for path in ("/search?", "/explore", "/data", "/api/1/")]

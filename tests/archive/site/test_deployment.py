"""A published folder served by Rostra's command, by Datasette alone, and behind nginx; and the recipes for it."""

from __future__ import annotations

import getpass
import json
import os
import re
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from archive.publication.folder import SiteNames, files, read_names
from archive.site.settings import LOCAL_URL
from archive.sqlite import Database
from tests.archive.processes import workers_of
from tests.archive.published_folder import FIRST_BUILD, SECOND_BUILD, point_to, publish
from tests.archive.served import serving
from tests.archive.site.test_pages import TALK
from tests.archive.written_site import write

SCRIPTS = Path(sysconfig.get_path("scripts"))
RECIPES = Path(__file__).parents[3] / "archive" / "site" / "recipes"
NAMES = SiteNames(title="Talks", url="https://talks.example.org")


@pytest.fixture
def public(tmp_path: Path) -> Path:
    folder = tmp_path / "public"
    publish(folder, SECOND_BUILD, extra_title="A session that came later")
    publish(folder)
    for name, data in files(NAMES).items():
        (folder / name).write_bytes(data)
    return folder


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@contextmanager
def running(command: list[Any], url: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends; enter it when it answers."""
    process = subprocess.Popen([str(each) for each in command], stderr=subprocess.PIPE)
    try:
        while True:
            assert process.poll() is None, process.stderr and process.stderr.read()
            try:
                httpx.get(url, timeout=5, verify=False)  # noqa: S501
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_folder_says_what_its_site_is_called(public: Path) -> None:
    assert read_names(public) == NAMES
    (public / "metadata.json").write_text("{")
    assert read_names(public) == SiteNames()


def test_command_serves_a_folder_in_several_processes_without_losing_a_request(public: Path) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [SCRIPTS / "rostra", "serve", public, "--port", port, "--workers", "2"]
    failed: list[object] = []
    with running(command, f"{address}/-/health"):
        page = httpx.get(f"{address}{TALK}").text
        stop = threading.Event()

        def ask() -> None:
            with httpx.Client(base_url=address, timeout=30) as client:
                while not stop.is_set():
                    for path in ("/", TALK, "/search?q=debt", f"{TALK}/captions.vtt"):
                        response = client.get(path)
                        if response.status_code != 200:
                            failed.append((path, response.status_code))

        asking = [threading.Thread(target=ask) for _ in range(3)]
        for thread in asking:
            thread.start()
        for turn in range(20):
            point_to(public, f"catalogue-{SECOND_BUILD if turn % 2 else FIRST_BUILD}.db")
            httpx.get(f"{address}/")
        stop.set()
        for thread in asking:
            thread.join()
        last = {httpx.get(f"{address}/-/health").json()["publication"] for _ in range(8)}
    assert '<link rel="canonical" href="https://talks.example.org/events/' in page
    assert (failed, last) == ([], {SECOND_BUILD})


def test_datasette_alone_serves_a_folder(public: Path) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with running([SCRIPTS / "datasette", "serve", public, "--port", port], f"{address}/-/health"):
        page = httpx.get(f"{address}{TALK}")
        databases = httpx.get(f"{address}/-/databases.json").status_code
        count = httpx.get(f"{address}/data/session.json?_shape=objects").json()
        other = httpx.get(f"{address}/catalogue-{FIRST_BUILD}").status_code
        limits = httpx.get(
            f"{address}/data.json", params={"sql": "select hex(zeroblob(200000000))"}, follow_redirects=True
        ).json()
        point_to(public, f"catalogue-{SECOND_BUILD}.db")
        after = httpx.get(f"{address}/-/health").json()["publication"]
    assert (page.status_code, "What an archive owes its listeners" in page.text) == (200, True)
    assert f'href="{NAMES.url}{TALK}"' in page.text
    assert (databases, other, len(count["rows"]), after) == (404, 404, 6, SECOND_BUILD)
    assert limits["error"] == "this query needs more memory than a query may have"


def test_settings_of_the_folder_are_datasettes_own(public: Path) -> None:
    from datasette.app import SETTINGS as KNOWN

    given = json.loads((public / "settings.json").read_text())
    assert set(given) <= {each.name for each in KNOWN}


@pytest.fixture
def nginx() -> str:
    return shutil.which("nginx") or pytest.skip("no nginx on PATH")


def test_nginx_passes_tls_ranges_and_what_holds(public: Path, tmp_path: Path, nginx: str) -> None:
    authority, port = trustme.CA(), free_port()
    certificate = authority.issue_cert("talks.example.org")
    certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / "all.pem")
    with serving(public) as address, serving_nginx(nginx, tmp_path, address, port):
        context = httpx.create_ssl_context(verify=False)  # the name is not this machine's
        with httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=context, timeout=30) as client:
            client.headers["host"] = "talks.example.org"
            first, again = client.get(TALK), client.get(TALK)
            held = client.get(TALK, headers={"if-none-match": first.headers["etag"]})
            [file] = [path.name for path in (public / "media").glob("*.wav") if path.name in first.text][:1]
            part = client.get(f"/media/{file}", headers={"range": "bytes=100-199"})
            refused = client.post("/events")
    assert (first.status_code, again.headers["x-cache"], held.status_code) == (200, "HIT", 304)
    assert first.headers["content-encoding"] in {"br", "gzip"}
    assert part.status_code == 206
    assert part.content == (public / "media" / file).read_bytes()[100:200]
    assert refused.status_code == 405


@contextmanager
def serving_nginx(nginx: str, folder: Path, upstream: str, port: int) -> Iterator[None]:
    """Run the recipe with this machine's ports, folders and certificate."""
    text = (RECIPES / "nginx.conf").read_text()
    for old, new in (
        ("127.0.0.1:8001", upstream.removeprefix("http://")),
        ("listen 443 ssl http2", f"listen 127.0.0.1:{port} ssl http2"),
        ("listen 80;", f"listen 127.0.0.1:{free_port()};"),
        ("/etc/ssl/talks.example.org/fullchain.pem", f"{folder}/all.pem"),
        ("/etc/ssl/talks.example.org/privkey.pem", f"{folder}/all.pem"),
        ("/var/cache/nginx/rostra", f"{folder}/cache"),
    ):
        assert old in text
        text = text.replace(old, new)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    # As whoever runs the test: nobody else may read its folder.
    main = f"user {getpass.getuser()}; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;"
    whole = f"{main}\nevents {{}}\nhttp {{ access_log off;\n{paths}{text}\n}}\n"
    configuration = folder / "nginx.conf"
    configuration.write_text(whole)
    command = [nginx, "-c", configuration, "-p", folder, "-e", folder / "error.log"]
    checked = subprocess.run([*map(str, command), "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    with running(command, f"https://127.0.0.1:{port}/-/health"):
        yield


@pytest.fixture
def caddy() -> str:
    return shutil.which("caddy") or pytest.skip("no Caddy on PATH")


@contextmanager
def serving_caddy(caddy: str, folder: Path, upstream: str, port: int) -> Iterator[ssl.SSLContext]:
    """Run the recipe with this machine's ports and a certificate, and yield what trusts that."""
    authority = trustme.CA()
    certificate = authority.issue_cert("talks.example.org")
    chain, key = folder / "chain.pem", folder / "key.pem"
    certificate.cert_chain_pems[0].write_to_path(chain)
    certificate.private_key_pem.write_to_path(key)
    text = (RECIPES / "Caddyfile").read_text()
    for old, new in (
        ("127.0.0.1:8001", upstream.removeprefix("http://").partition("/")[0]),
        ("talks.example.org {", f"https://talks.example.org:{port} {{\n\tbind 127.0.0.1\n\ttls {chain} {key}"),
    ):
        assert old in text
        text = text.replace(old, new)
    options = "admin off\nauto_https disable_redirects\nlog {\noutput discard\n}"
    (folder / "Caddyfile").write_text(f"{{\n{options}\n}}\n{text}")
    command = [caddy, "run", "--adapter", "caddyfile", "--config", folder / "Caddyfile"]
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with running(command, f"http://127.0.0.1:{port}/"):
        yield context


def test_caddy_passes_tls_ranges_and_a_path(public: Path, tmp_path: Path, caddy: str) -> None:
    port = free_port()
    pinned = {"extensions": {"sni_hostname": "talks.example.org"}}
    headers = {"host": f"talks.example.org:{port}"}
    with (
        serving(public, base="/talks") as upstream,
        serving_caddy(caddy, tmp_path, upstream, port) as context,
        httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=context, timeout=30, headers=headers) as client,
    ):
        page = client.get(f"/talks{TALK}", **pinned)
        held = client.get(f"/talks{TALK}", headers={"if-none-match": page.headers["etag"]}, **pinned)
        [file] = [path.name for path in (public / "media").glob("*.wav") if path.name in page.text][:1]
        part = client.get(f"/talks/media/{file}", headers={"range": "bytes=100-199"}, **pinned)
        refused = client.post("/talks/events", content=b"x", **pinned)
    assert (page.status_code, held.status_code, part.status_code) == (200, 304, 206)
    assert part.content == (public / "media" / file).read_bytes()[100:200]
    assert f'src="/talks/media/{file}"' in page.text
    assert refused.status_code == 405


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc")
@pytest.mark.parametrize("proxy", ["nginx", "caddy"])
def test_proxy_hides_that_processes_are_killed(
    public: Path, tmp_path: Path, proxy: str, request: pytest.FixtureRequest
) -> None:
    program = request.getfixturevalue(proxy)
    port, front = free_port(), free_port()
    site = f"http://127.0.0.1:{port}"
    trustme.CA().issue_cert("talks.example.org").private_key_and_cert_chain_pem.write_to_path(tmp_path / "all.pem")
    command = [SCRIPTS / "rostra", "serve", public, "--port", port, "--workers", "2", "--proxy", "127.0.0.1"]
    begin: Callable[..., AbstractContextManager[object]] = serving_nginx if proxy == "nginx" else serving_caddy
    answers: list[int] = []
    stop = threading.Event()

    def ask(number: int) -> None:
        headers, pinned = {"host": f"talks.example.org:{front}"}, {"sni_hostname": "talks.example.org"}
        address = f"https://127.0.0.1:{front}"
        with httpx.Client(base_url=address, verify=False, timeout=60, headers=headers) as client:  # noqa: S501
            while not stop.is_set():
                response = client.get(f"{TALK}?fresh={number}-{len(answers)}", extensions=pinned)
                answers.append(response.status_code)

    with running(command, f"{site}/-/health") as process, begin(program, tmp_path, site, front):
        asking = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
        for thread in asking:
            thread.start()
        for _ in range(3):
            before, many = workers_of(process.pid), len(answers) + 20
            while len(answers) < many:
                time.sleep(0.01)
            os.kill(before[0], signal.SIGKILL)
            while not (len(now := workers_of(process.pid)) == 2 and before[0] not in now):
                time.sleep(0.05)
        stop.set()
        for thread in asking:
            thread.join()
    assert set(answers) == {200}


@pytest.fixture
def curl(tmp_path: Path) -> Callable[..., tuple[int, httpx.Headers, bytes]]:
    """Return what asks by curl, with options, and returns status, headers and body."""
    program = shutil.which("curl") or pytest.skip("no curl on PATH")
    if "HTTP2" not in subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout:
        pytest.skip("this curl does not know HTTP/2")

    def ask(port: int, path: str, *options: str) -> tuple[int, httpx.Headers, bytes]:
        head, body = tmp_path / "head", tmp_path / "body"
        for each in (head, body):
            each.write_bytes(b"")
        there = ("--resolve", f"talks.example.org:{port}:127.0.0.1", f"https://talks.example.org:{port}{path}")
        command = [program, "-sSk", "--path-as-is", "-D", str(head), "-o", str(body), *options, *there]
        subprocess.run(command, check=True, timeout=60)
        lines = head.read_text("latin-1").rstrip().rpartition("\n\n")[2].splitlines()
        said = lines[0].split(" ")
        pairs = [tuple(line.split(": ", 1)) for line in lines[1:] if ": " in line]
        return int(said[1]), httpx.Headers([*pairs, ("version", said[0])]), body.read_bytes()  # type: ignore[list-item]

    return ask


@pytest.mark.parametrize("proxy", ["nginx", "caddy"])
def test_proxy_passes_the_same_on_by_either_version_of_http(
    public: Path,
    tmp_path: Path,
    proxy: str,
    curl: Callable[..., tuple[int, httpx.Headers, bytes]],
    request: pytest.FixtureRequest,
) -> None:
    program = request.getfixturevalue(proxy)
    port, front = free_port(), free_port()
    site = f"http://127.0.0.1:{port}"
    trustme.CA().issue_cert("talks.example.org").private_key_and_cert_chain_pem.write_to_path(tmp_path / "all.pem")
    command = [SCRIPTS / "rostra", "serve", public, "--port", port, "--proxy", "127.0.0.1"]
    begin: Callable[..., AbstractContextManager[object]] = serving_nginx if proxy == "nginx" else serving_caddy
    [recording, *_] = sorted((public / "media").glob("*.wav"))
    sound = f"/media/{recording.name}"
    forged = (
        "-H",
        "x-forwarded-for: 10.0.0.1",
        "-H",
        "x-forwarded-proto: http",
        "-H",
        "x-forwarded-host: evil.example",
    )
    questions: dict[str, tuple[int, str, tuple[str, ...]]] = {
        "page": (200, TALK, ()),
        "page in brotli": (200, TALK, ("-H", "accept-encoding: br")),
        "page in gzip": (200, TALK, ("-H", "accept-encoding: gzip")),
        "page with a lie": (200, "/data/session", forged),
        "head": (200, TALK, ("-I",)),
        "known page": (304, TALK, ("-H", "if-none-match: *")),
        "missing": (404, "/events/nothing", ()),
        "moved": (301, "/events/", ()),
        "sound": (200, sound, ()),
        "beginning of sound": (206, sound, ("-r", "0-9")),
        "end of sound": (206, sound, ("-r", "-7")),
        "two parts of sound": (206, sound, ("-r", "0-0,-1")),
        "beyond sound": (416, sound, ("-r", "99999999-")),
        "known sound": (304, sound, ("-H", "if-none-match: *")),
        "writing": (405, "/events", ("-d", "x")),
        "stream": (200, "/data/session.csv?_stream=on", ()),
        "harvest": (200, "/oai", ("-d", "verb=Identify")),
        "climbing": (404, "/media/x/..%2f..%2fcurrent.json", ()),
        "splitting": (301, "/events/%0d%0aset-cookie:%20a=b/", ()),
    }
    asked = questions.items()
    with running(command, f"{site}/-/health"), begin(program, tmp_path, site, front):
        seen = {
            version: {about: curl(front, path, f"--http{version}", *more) for about, (_, path, more) in asked}
            for version in ("1.1", "2")
        }
    for version, answers in seen.items():
        assert {headers["version"] for _, headers, _ in answers.values()} == {f"HTTP/{version}"}
        for about, (status, headers, body) in answers.items():
            assert status == questions[about][0], about
            assert headers["strict-transport-security"] == "max-age=31536000", about
            assert headers["x-content-type-options"] == "nosniff", about
            assert "set-cookie" not in headers, about
            assert b"evil.example" not in body, about
        assert answers["page in brotli"][1]["content-encoding"] == "br"
        assert answers["page in gzip"][1]["content-encoding"] == "gzip"
        assert answers["page in brotli"][1]["etag"] == answers["page"][1]["etag"]
        assert answers["sound"][2] == recording.read_bytes()
        assert answers["beginning of sound"][2] == recording.read_bytes()[:10]
        assert answers["end of sound"][2] == recording.read_bytes()[-7:]
        assert answers["head"][1]["etag"] == answers["page"][1]["etag"]
    for about, (_, _, body) in seen["2"].items():
        if about not in {"head", "two parts of sound", "page with a lie", "harvest"}:  # some of it is said once
            assert body == seen["1.1"][about][2], about


def test_nginx_serves_a_site_of_files_and_says_what_is_gone(tmp_path: Path, nginx: str) -> None:
    pytest.importorskip("pagefind", reason="no Pagefind: pip install 'rostra[static]'")
    published, root, port = tmp_path / "public", tmp_path / "www", free_port()

    def withdraw(db: Database, _media: Path) -> None:
        db["tombstone"].insert({"event": "summer-university-2022", "session": "gone", "withdrawn_on": "2026-01-01"})

    publish(published, more=withdraw)
    names = SiteNames(title="Talks", url=f"http://127.0.0.1:{port}/talks")
    write(published, root / "talks", names, gone=("/events/summer-university-2022/gone",))
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{kind}_temp_path {tmp_path}/{kind};\n" for kind in kinds)
    server = f"server {{ listen 127.0.0.1:{port}; root {root}; include {root}/talks/nginx.conf; }}"
    main = f"user {getpass.getuser()}; daemon off; pid {tmp_path}/nginx.pid; error_log {tmp_path}/error.log;"
    kept = "include /etc/nginx/mime.types;"
    (tmp_path / "nginx.conf").write_text(f"{main}\nevents {{}}\nhttp {{ access_log off; {kept}\n{paths}{server}\n}}\n")
    command = [nginx, "-c", tmp_path / "nginx.conf", "-p", tmp_path, "-e", tmp_path / "error.log"]
    address = f"http://127.0.0.1:{port}"
    with running(command, address), httpx.Client(base_url=address, follow_redirects=True) as client:
        page, gone = client.get(f"/talks{TALK}?t=4.2"), client.get("/talks/events/summer-university-2022/gone")
        missing = client.get("/talks/events/nothing")
    assert (page.status_code, str(page.url)) == (200, f"{address}/talks{TALK}/?t=4.2")
    assert page.headers["x-content-type-options"] == "nosniff"
    assert (gone.status_code, "This was withdrawn" in gone.text) == (410, True)
    assert (missing.status_code, "There is nothing at this address" in missing.text) == (404, True)


def test_site_begins_at_a_path_whether_a_proxy_passes_it_on_or_not(public: Path) -> None:
    with serving(public, base="/talks") as address:
        host = address.removesuffix("/talks")
        for before in ("/talks", ""):
            page = httpx.get(f"{host}{before}{TALK}")
            paths = re.findall(r' (?:href|src|action|poster|data-(?!base)\w+)="(/[^"]*)"', page.text)
            assert (page.status_code, [path for path in paths if not path.startswith("/talks/")]) == (200, [])
        assert httpx.get(f"{host}/talks{TALK}/").headers["location"] == f"/talks{TALK}"
        variant = httpx.get(f"{host}/talks{TALK}/~recording-0a1b2c3d4e5f/?t=3")
        assert variant.headers["location"] == f"/talks{TALK}?recording=0a1b2c3d4e5f&t=3"
        tables = httpx.get(f"{host}/talks/data").text
        assert '<a href="/talks/data/session">' in tables.replace("<h2><a href", "<a href")
        assert httpx.get(f"{host}/talks").status_code == 200


def test_only_a_trusted_proxy_is_believed(public: Path) -> None:
    seen = {}
    for trusted in ((), ("--proxy", "127.0.0.1")):
        port = free_port()
        with running(
            [SCRIPTS / "rostra", "serve", public, "--port", port, *trusted], f"http://127.0.0.1:{port}/-/health"
        ):
            response = httpx.get(f"http://127.0.0.1:{port}/", headers={"x-forwarded-proto": "https"})
            seen[bool(trusted)] = "strict-transport-security" in response.headers
    assert seen == {False: False, True: True}


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze on PATH")
@pytest.mark.parametrize("name", ["rostra.service", "rostra-run.service", "rostra-run.timer"])
def test_units_are_understood_by_systemd(name: str, tmp_path: Path) -> None:
    for unit in RECIPES.glob("rostra*.*"):
        text = unit.read_text().replace("/opt/rostra/bin/rostra", sys.executable)
        (tmp_path / unit.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / name)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"},
    )
    assert [line for line in done.stderr.splitlines() if name.split(".", maxsplit=1)[0] in line] == []


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze on PATH")
@pytest.mark.parametrize("name", ["rostra.service", "rostra-run.service"])
def test_units_may_do_little_beside_their_work(name: str) -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=12", str(RECIPES / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze is too old")
    assert done.returncode == 0, done.stdout


def test_containerfile_runs_the_command_as_it_is() -> None:
    text = (RECIPES / "Containerfile").read_text()
    [entry] = re.findall(r"^ENTRYPOINT (\[.*\])$", text, re.MULTILINE)
    [more] = re.findall(r"^CMD (\[.*\])$", text, re.MULTILINE)
    program, *arguments = [*json.loads(entry), *json.loads(more)]
    assert program == "rostra"
    assert re.search(r"^ENV PATH=/opt/rostra/bin:", text, re.MULTILINE)
    done = subprocess.run([SCRIPTS / "rostra", *arguments[:1], "--help"], capture_output=True, text=True, check=True)
    assert all(each in done.stdout for each in arguments if each.startswith("--"))
    [user] = re.findall(r"useradd --uid (\d+)", text)
    assert re.search(rf"^USER {user}$", text, re.MULTILINE)
    assert LOCAL_URL.rpartition(":")[2] in text


def test_containerfile_has_nothing_that_hadolint_warns_of() -> None:
    here = SCRIPTS / "hadolint"
    hadolint = (str(here) if here.exists() else shutil.which("hadolint")) or pytest.skip("no hadolint")
    done = subprocess.run([hadolint, RECIPES / "Containerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_container_is_built_healthy_and_ends_when_it_is_told_to(public: Path) -> None:
    """Where there is a builder that has the image to begin from.

    ``ROSTRA_TEST_BUILDER`` names another builder, or options of it, and ``ROSTRA_TEST_BUILD`` options for building.
    """
    found = os.environ.get("ROSTRA_TEST_BUILDER") or shutil.which("podman") or shutil.which("docker")
    builder = shlex.split(found) if found else pytest.skip("no builder of containers")
    name, text = f"rostra-test-{os.getpid()}", (RECIPES / "Containerfile").read_text()
    [base, _] = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    [check] = re.findall(r"^HEALTHCHECK .*\n\s+CMD (\[.*\])$", text, re.MULTILINE)

    def run(*arguments: Any, well: bool = True) -> subprocess.CompletedProcess[str]:
        command = [str(each) for each in (*builder, *arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0 or not well, done.stderr
        return done

    if run("image", "inspect", base, well=False).returncode:
        pytest.skip(f"no image to begin from: {shlex.join(builder)} pull {base}")
    more = shlex.split(os.environ.get("ROSTRA_TEST_BUILD", ""))
    try:
        run("build", *more, "--tag", name, "--file", RECIPES / "Containerfile", RECIPES.parents[2])
        subprocess.run(["chmod", "-R", "a+rX", public], check=True)
        limits = ("--read-only", "--tmpfs=/tmp", "--cap-drop=all", "--network=none")
        run("run", "--detach", "--name", name, *limits, "--volume", f"{public}:/public:ro", name)
        assert run("exec", name, "id", "-u").stdout == "10001\n"
        while run("exec", name, *json.loads(check), well=False).returncode:
            assert run("inspect", "--format", "{{.State.Running}}", name).stdout == "true\n", run("logs", name).stderr
            time.sleep(0.2)
        run("stop", "--time", 120, name)
        # 137 would say that it was killed after that time.
        assert run("inspect", "--format", "{{.State.ExitCode}}", name).stdout == "0\n"
    finally:
        run("rm", "--force", name, well=False)
        run("rmi", "--force", name, well=False)

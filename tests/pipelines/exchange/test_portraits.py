"""`rostra portrait`: pictures of people, private until somebody releases them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from metadata.model import EXAMPLE_EVENT
from pipelines.cli import cli
from pipelines.errors import SourceError
from pipelines.exchange import portraits
from pipelines.exchange.portraits import to_portrait
from pipelines.storage.archive_folder import init
from tests.archive.served import ask
from tests.pipelines.sources.server import file, serving

PERSON = "noor-okafor"
PLACE = "zq-taken-on-the-island"


def rostra(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(each) for each in arguments])


def picture(form: str = "JPEG", size: tuple[int, int] = (600, 900), *, turned: bool = False) -> bytes:
    """Return a picture that is red above and blue below, with what cameras write beside it."""
    image = Image.new("RGB", size, "blue")
    image.paste("red", (0, 0, size[0], size[1] // 2))
    exif = Image.Exif()
    exif[0x010E] = PLACE  # ImageDescription
    exif.get_ifd(0x8825)[2] = (53.0, 33.0, 0.0)  # GPSLatitude
    if turned:
        exif[0x0112] = 3  # Orientation: upside down
        image = image.rotate(180)
    image.save(target := io.BytesIO(), form, **({} if form == "GIF" else {"exif": exif}))
    return target.getvalue()


@pytest.mark.parametrize("form", portraits.FORMATS)
@pytest.mark.parametrize("turned", [False, True])
def test_portrait_is_small_upright_and_without_what_a_camera_wrote(form: str, turned: bool) -> None:
    made = to_portrait(picture(form, turned=turned and form != "GIF"), "noor")
    opened = Image.open(io.BytesIO(made))
    assert (opened.format, opened.size, dict(opened.getexif())) == ("JPEG", (320, 320), {})
    assert PLACE.encode() not in made
    above, below = opened.getpixel((160, 10)), opened.getpixel((160, 310))
    assert isinstance(above, tuple)
    assert isinstance(below, tuple)
    assert (above[0] > 200, below[2] > 200) == (True, True)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.4",
        picture()[:200],
        b"P6 1 1 255 abc",
        picture("PNG", (9_000, 6_000)),
    ],
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(SourceError, match="noor: "):
        to_portrait(data, "noor")


def test_portrait_is_public_only_when_somebody_releases_it(tmp_path: Path) -> None:
    init(root := tmp_path / "archive", title="T")
    (root / "rostra.toml").write_text('[pull]\nprivate_hosts = ["127.0.0.1"]\n')
    session = f"/events/{EXAMPLE_EVENT.slug}/{EXAMPLE_EVENT.sessions[0].slug}"
    pages = (f"/people/{PERSON}/portrait.jpg", f"/people/{PERSON}", session)
    with serving() as site:
        site.answers["/noor.jpg"] = file(picture(), etag=None)
        link = f"{site.url}/noor.jpg"
        timetable = rostra("import", "--example").stdout.replace(
            'links: [{rel: website, url: "https://example.org/noor"}]', f'links: [{{rel: portrait, url: "{link}"}}]'
        )
        assert link in timetable
        (root / "event.yaml").write_text(timetable)
        assert rostra("import", root / "event.yaml", "--archive", root).exit_code == 0
        assert json.loads(rostra("portrait", "--json", "--archive", root).stdout)["named"] == [PERSON]
        assert rostra("portrait", "--all", "--archive", root).exit_code == 0
    (known,) = json.loads(rostra("portrait", "--json", "--archive", root).stdout)["portraits"]
    assert (known["person"], known["state"], known["source"]) == (PERSON, "private", link)
    for state, status in (("--private", 404), ("--public", 200), ("--private", 404)):
        assert rostra("portrait", PERSON, state, "--archive", root).exit_code == 0
        assert rostra("publish", "--archive", root).exit_code == 0
        found, *shown = ask(root / "public", *pages)
        assert found.status_code == status
        assert [f'src="/people/{PERSON}/portrait.jpg?v=' in each.text for each in shown] == [status == 200] * 2
        published = b"".join(each.read_bytes() for each in (root / "public").rglob("*.db"))
        assert (b"noor.jpg" in published, b"\xff\xd8\xff" in published) == (False, status == 200)
    assert found.headers["content-type"] != "image/jpeg"
    assert rostra("portrait", PERSON, "--delete", "--archive", root).exit_code == 0
    assert json.loads(rostra("portrait", "--json", "--archive", root).stdout)["portraits"] == []


@pytest.mark.parametrize("options", [("--public", "--private"), ("--private", "--public"), ("--public", "--delete")])
def test_options_that_say_opposite_things_are_refused(tmp_path: Path, options: tuple[str, str]) -> None:
    init(root := tmp_path / "archive", title="T")
    done = rostra("portrait", PERSON, *options, "--archive", root)
    assert (done.exit_code, "give one of --public, --private and --delete" in done.stderr) == (2, True)


def test_what_cannot_be_had_is_told_and_keeps_nobody_from_the_rest(tmp_path: Path) -> None:
    init(root := tmp_path / "archive", title="T")
    (root / "event.yaml").write_text(rostra("import", "--example").stdout)
    assert rostra("import", root / "event.yaml", "--archive", root).exit_code == 0
    done = rostra("portrait", PERSON, tmp_path / "nothing.jpg", "--public", "--archive", root)
    assert done.exit_code == 1
    assert "nothing.jpg: No such file" in " ".join(done.stderr.split())
    (tmp_path / "noor.png").write_bytes(picture("PNG"))
    done = rostra("portrait", PERSON, tmp_path / "noor.png", "--public", "--json", "--archive", root)
    assert json.loads(done.stdout) == {"people": [PERSON], "failed": []}
    assert "public" in rostra("portrait", "--archive", root).output

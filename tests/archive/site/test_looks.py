"""The archive's own logo and accent colour."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from archive.publication.folder import LOGO_BYTES, SiteNames, files, logo_type, read_names
from archive.site.pictures.looks import DARK, LIGHT, contrast, legible
from pipelines.config import load
from pipelines.errors import ConfigError
from tests.archive.published_folder import publish
from tests.archive.served import ask

SVG = b"""<?xml version="1.0"?>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><script>alert(1)</script><path d="M0 0h9v9z"/></svg>"""


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    publish(folder := tmp_path_factory.mktemp("looks") / "public")
    return folder


@pytest.mark.parametrize("colour", ["#0b5d3b", "#ffee00", "#ff0000", "#000000", "#ffffff", "#8888ff", "#123456"])
def test_any_accent_can_be_read_on_any_paper(colour: str) -> None:
    for papers, towards in ((LIGHT, "#000000"), (DARK, "#ffffff")):
        shown = legible(colour, papers, towards)
        assert min(contrast(shown, paper) for paper in papers) >= 4.5
        if min(contrast(colour, paper) for paper in papers) >= 4.5:
            assert shown == colour


def test_logo_and_accent_lead_every_page_and_rostra_stands_at_its_foot(public: Path) -> None:
    pages = ["/", "/events/summer-university-2022", "/data", "/nothing"]
    *answers, logo, style = ask(public, *pages, "/logo", "/accent.css", title="Harbour", accent="#ffee00", logo=SVG)
    for answer in answers:
        header = answer.text.partition("</header>")[0]
        assert '<img class="logo" src="/logo?v=' in header
        assert "<span>Harbour</span>" in header
        assert 'href="/accent.css?v=ffee00"' in header
        assert 'class="prow"' not in header
    assert '<p class="maker">Rostra</p>' in answers[0].text
    assert (logo.content, logo.headers["content-type"]) == (SVG, "image/svg+xml")
    assert logo.headers["x-content-type-options"] == "nosniff"
    assert logo.headers["content-security-policy"] == (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'; sandbox"
    )
    assert style.text == (
        "@media screen { :root { --red: #706900; --on-red: #ffffff; } }\n"
        "@media screen and (prefers-color-scheme: dark) { :root { --red: #ffee00; --on-red: #000000; } }\n"
    )


def test_site_without_them_has_neither(public: Path) -> None:
    page, logo, style = ask(public, "/", "/logo", "/accent.css")
    assert (logo.status_code, style.status_code) == (404, 404)
    assert 'class="prow"' in page.text
    assert "accent.css" not in page.text


def test_published_folder_carries_them(tmp_path: Path) -> None:
    names = SiteNames(title="Harbour", accent="#0b5d3b", logo=SVG)
    for name, data in files(names).items():
        (tmp_path / name).write_bytes(data)
    assert read_names(tmp_path) == names


def picture(form: str) -> bytes:
    Image.new("RGB", (4, 4)).save(file := io.BytesIO(), form)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (SVG, "image/svg+xml"),
        (picture("PNG"), "image/png"),
        (picture("JPEG"), "image/jpeg"),
        (picture("WEBP"), "image/webp"),
        (picture("GIF"), None),
        (b"RIFF\0\0\0\0WAVE", None),
        (b"<html><body>", None),
        (b"", None),
    ],
)
def test_logo_is_known_by_its_bytes(data: bytes, media_type: str | None) -> None:
    assert logo_type(data) == media_type


def test_settings_name_a_file_and_a_colour(tmp_path: Path) -> None:
    config = tmp_path / "rostra.toml"
    (tmp_path / "logo.svg").write_bytes(SVG)
    config.write_text('[site]\ntitle = "Harbour"\nlogo = "logo.svg"\naccent = "#0b5d3b"\n')
    assert load(config).site.names() == SiteNames(title="Harbour", accent="#0b5d3b", logo=SVG)
    for text, message in (
        ('logo = "nothing.svg"', "nothing.svg: No such file"),
        ('logo = "rostra.toml"', "expected SVG, PNG, JPEG or WebP of 64 KiB at most"),
        ('logo = "large.svg"', "64 KiB at most"),
    ):
        (tmp_path / "large.svg").write_bytes(SVG + b" " * LOGO_BYTES)
        config.write_text(f"[site]\n{text}\n")
        with pytest.raises(ConfigError, match=message):
            load(config).site.names()
    config.write_text('[site]\naccent = "green"\n')
    with pytest.raises(ConfigError, match="accent"):
        load(config)

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from archive.site import labels, locales
from tests.archive.site.test_pages import TALK, Reader, Site, serve_example, squeezed

OTHERS = locales.LANGUAGES[1:]
PLACE = re.compile(r"%\((\w+)\)s|<(/?\w+)")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serve_example(
        tmp_path_factory.mktemp("public"),
    ) as made:
        yield made


@pytest.mark.parametrize("tag", OTHERS)
def test_catalogue_has_every_message_and_no_other(tag: str) -> None:
    said = {(message.context, message.id) for message in locales.extract() if message.id}
    assert {(message.context, message.id) for message in locales.read_catalogue(tag) if message.id} == said


@pytest.mark.parametrize("tag", OTHERS)
def test_every_message_is_translated_with_its_places(tag: str) -> None:
    for message in locales.read_catalogue(tag):
        if not message.id:
            continue
        ids, texts = (each if isinstance(each, tuple) else (each,) for each in (message.id, message.string))
        assert all(texts), message.id
        assert not message.fuzzy, message.id
        for text in texts:
            assert sorted(PLACE.findall(text)) == sorted(PLACE.findall(ids[-1])), message.id


@pytest.mark.parametrize("tag", locales.LANGUAGES)
def test_no_message_ends_an_attribute(tag: str) -> None:
    messages = locales.extract() if tag == "en" else locales.read_catalogue(tag)
    for message in messages:
        for part in (message.id, message.string):
            assert '"' not in str(part), part


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [
        ("", "", "en"),
        ("", "fr-CH, fr;q=0.9, en;q=0.8", "fr"),
        ("", "ja, de-AT;q=0.5", "de"),
        ("", "ja", "en"),
        ("", "de;q=0, es;q=0.1", "es"),
        ("", "de;q=high,,;;q=1,*", "en"),
        ("es", "de", "es"),
        ("xx", "de", "de"),
        ("", "en;q=0.1, de;q=0.9", "de"),
    ],
)
def test_language_is_the_one_that_the_reader_likes_best(asked: str, accepted: str, language: str) -> None:
    assert locales.negotiate(asked, accepted) == language


@pytest.mark.parametrize(
    ("tag", "day", "dates", "number", "duration", "names"),
    [
        ("en", "23 July 2022", "23 – 26 Jul 2022", "3,800.5", "1 hr 12 mins", "Arabic and Spanish"),
        ("de", "23. Juli 2022", "23.–26. Juli 2022", "3.800,5", "1 Std. 12 Min.", "Arabisch und Spanisch"),
        ("fr", "23 juillet 2022", "23–26 juil. 2022", "3 800,5", "1 h 12 min", "arabe et espagnol"),
        ("es", "23 de julio de 2022", "23–26 de julio de 2022", "3.800,5", "1 h 12 min", "español y árabe"),
    ],
)
def test_values_read_as_the_language_writes_them(
    tag: str, day: str, dates: str, number: str, duration: str, names: str
) -> None:
    plain = str.maketrans("\u202f\u00a0\u2009", "   ")
    with locales.speaking(tag):
        read = (
            labels.day(date(2022, 7, 23)),
            labels.dates("2022-07-23", "2022-07-26"),
            labels.number(3800.5, 1),
            labels.duration(72 * 60_000),
            labels.languages(["ar", "es"]),
        )
    assert tuple(each.translate(plain) for each in read) == (day, dates, number, duration, names)


@pytest.mark.parametrize(
    ("zone", "read"),
    [
        ("Europe/Berlin", "Berlin"),
        ("Etc/GMT-1", "UTC+1"),
        ("Etc/GMT+5", "UTC−5"),
        ("Etc/GMT-0", "UTC"),
        ("Etc/UTC", "UTC"),
        ("UTC", "UTC"),
        ("America/Argentina/Buenos_Aires", "Buenos Aires"),
        ("Asia/Kolkata", "Kolkata"),
        ("Mars/Olympus_Mons", "Mars/Olympus Mons"),
    ],
)
def test_time_zone_is_one_that_readers_know(zone: str, read: str) -> None:
    assert labels.zone(zone) == read


@pytest.mark.parametrize(
    ("header", "path", "language", "text"),
    [
        ("de-AT,de;q=0.9", TALK, "de", "Von einer Maschine gehört"),
        ("fr", TALK, "fr", "Transcrit par une machine"),
        ("es-MX", TALK, "es", "Transcrito por una máquina"),
        ("de", f"{TALK}?lang=fr", "fr", "Transcrit par une machine"),
        ("nl", TALK, "en", "Heard by a machine"),
        ("fr", "/events/launch", "fr", "15 janvier 2022"),
        ("de", "/nothing/here", "de", "Unter dieser Adresse ist nichts"),
        ("es", "/search?q=xylophone", "es", "No se ha encontrado nada para xylophone"),
    ],
)
def test_page_is_in_the_language_of_its_reader(site: Site, header: str, path: str, language: str, text: str) -> None:
    response = site.get(path, headers={"accept-language": header})
    page = Reader(response.text)
    assert response.headers["content-language"] == language
    assert page.attributes("html", "lang") == [language]
    assert text in squeezed(page.text).replace(" (faster-whisper)", "")


def test_answer_is_kept_for_each_language(site: Site) -> None:
    answers = {tag: site.get("/events", headers={"accept-language": tag}) for tag in ("de", "fr", "de-CH")}
    assert answers["de"].headers["etag"] == answers["de-CH"].headers["etag"] != answers["fr"].headers["etag"]
    assert "Accept-Language" in answers["de"].headers["vary"]
    assert "Veranstaltungen" in answers["de"].text
    assert "Événements" in answers["fr"].text


def test_what_others_wrote_keeps_its_language_and_direction(site: Site) -> None:
    html = site.get("/events/summer-university-2022/arabic", headers={"accept-language": "de"}).text
    assert '<h1><bdi lang="ar">الأرشيف والصوت</bdi></h1>' in html
    assert '<bdi lang="">Noor Okafor</bdi>' in html


def test_wheel_has_the_catalogues() -> None:
    assert {path.name for path in Path(locales.FOLDER).iterdir()} == {f"{tag}.po" for tag in OTHERS}

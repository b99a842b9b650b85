"""Another made event, to measure on: nothing was tuned to it, and its forty recordings have other habits.

Three days in three rooms four hours east of Greenwich: sessions of one title, people with names in four scripts, and
recordings by phones, video calls and a laptop whose clock was left in another country.
"""

from __future__ import annotations

import unicodedata

from tests.pipelines.made_event import files, talks

ZONE = "Asia/Tbilisi"
HALL, BLUE, CINEMA = "Hall A", "Blue Room", "Cinema"

_TIMETABLE = (
    # slug, day, time, minutes, room, title, people, conference id
    ("welcome", 27, "10:00", 30, HALL, "Welcome", "Nino Kapanadze", "GV7KQM"),
    ("whose-archive", 27, "10:30", 60, HALL, "Keynote: Whose archive is it?", "Mary-Ann O’Sullivan", "B3XWZD"),
    ("tape-decay", 27, "12:00", 30, HALL, "How tape decays, and what to do before it does", "Jürgen Größl", "C9PLTR"),
    ("oral-history", 27, "12:00", 30, BLUE, "Устная история без магнитофона", "Анна Щербакова", "D4NNHS"),
    ("metadata-1", 27, "12:00", 90, CINEMA, "Metadata by hand I", "Łukasz Żak", "E8VJYK"),
    ("lunch-27", 27, "13:30", 60, HALL, "Lunch", "", ""),
    ("radio-tbilisi", 27, "14:30", 45, HALL, "რადიო თბილისი: forty years on air", "გიორგი მაისურაძე", "F2QRBG"),
    ("field-recording", 27, "14:30", 45, BLUE, "Field recording in the mountains", "Sopio Beridze", "H6TKLM"),
    ("metadata-2", 27, "14:30", 90, CINEMA, "Metadata by hand II", "Łukasz Żak", "J5WXCV"),
    ("copyright", 27, "15:30", 45, HALL, "Copyright for the impatient", "Ludovic Lefèvre", "K7MNPQ"),
    ("voices", 27, "15:30", 45, BLUE, "Voices of the market", "Sopio Beridze, Nino Kapanadze", "L3ZXSD"),
    ("lightning-27", 27, "16:30", 60, HALL, "Lightning talks", "", "M9BVCX"),
    ("concert", 27, "20:00", 90, CINEMA, "Polyphony: a concert", "", "N4LKJH"),
    ("linked-data", 28, "10:00", 45, HALL, "Linked data, unlinked people", "Yuki Tanaka", "P8QWER"),
    ("digitise", 28, "10:00", 45, BLUE, "Digitising 8 mm film at home", "Jürgen Größl", "Q6TYUI"),
    ("rights", 28, "11:00", 45, HALL, "Rights of the recorded", "Ludovic Lefèvre", "R2OPAS"),
    ("subtitles", 28, "11:00", 45, BLUE, "Subtitles nobody reads", "Mary-Ann O’Sullivan", "S5DFGH"),
    ("clinic-1", 28, "11:00", 45, CINEMA, "Archive clinic", "Nino Kapanadze", "T7JKLZ"),
    ("catalogue", 28, "12:00", 30, HALL, "A catalogue in one file", "Yuki Tanaka", "U9XCVB"),
    ("letters", 28, "12:00", 30, BLUE, "Letters on magnetic wire", "Ольга Чехова", "V3NMQW"),
    ("lunch-28", 28, "13:00", 60, HALL, "Lunch", "", ""),
    ("panel", 28, "14:00", 75, HALL, "Panel: Who pays for memory?", "Yuki Tanaka, Ludovic Lefèvre", "W6ERTY"),
    ("restoration", 28, "14:00", 45, CINEMA, "Restoration of “The Salt Road” (1927)", "Ольга Чехова", "X8UIOP"),
    ("clinic-2", 28, "15:30", 45, CINEMA, "Archive clinic", "Nino Kapanadze", "Y2ASDF"),
    ("lightning-28", 28, "16:30", 60, HALL, "Lightning talks", "", "Z4GHJK"),
    ("salt-road", 28, "20:00", 80, CINEMA, "Film: The Salt Road", "", "A7LZXC"),
    ("preserve", 29, "10:00", 45, HALL, "Preserving what was never saved", "Sopio Beridze", "B5VBNM"),
    ("ocr", 29, "10:00", 45, BLUE, "OCR for scripts without fonts", "გიორგი მაისურაძე", "C2QAZW"),
    ("sound-maps", 29, "11:00", 45, HALL, "Sound maps", "Łukasz Żak", "D9SXED"),
    ("sound-archives", 29, "11:00", 45, BLUE, "Sound archives", "Анна Щербакова", "E3RFVT"),
    ("floods", 29, "12:00", 45, HALL, "After the flood: what we lost in 2015", "Nino Kapanadze", "F6GBYH"),
    ("lightning-29", 29, "14:00", 60, HALL, "Lightning talks", "", "G8NUJM"),
    ("closing", 29, "15:00", 30, HALL, "Closing", "Nino Kapanadze, Yuki Tanaka", "H2IKOL"),
)  # fmt: skip

TALKS = talks("archive-days-2024", "2024-12", ZONE, _TIMETABLE)

_RECORDINGS = (
    # truth, name, folder, container's start (as it says it) or None, minutes, tags
    # Video calls: their names are in UTC, four hours behind the place.
    ("welcome", "GMT20241227-055804_Recording_gallery_1920x1080.mp4", "2024-12-27 09.58.04 Hall A 845", None, 34, ""),
    ("tape-decay", "GMT20241227-080030_Recording_as_1280x720.mp4", "Hall A", "2024-12-27T08:00:30+00:00", 31, ""),
    ("oral-history", "GMT20241227-080112_Recording_1920x1080.mp4", "Blue Room", "2024-12-27T08:01:12+00:00", 29, ""),
    ("lightning-28", "GMT20241228-122855_Recording.m4a", "Hall A", None, 63, ""),
    # A laptop in the hall whose clock was left in Berlin: three hours behind.
    ("copyright", "2024-12-27 12-31-40.mkv", "Hall A", None, 43, ""),
    ("linked-data", "2024-12-28 07-00-15.mkv", "Hall A", None, 46, ""),
    ("floods", "2024-12-29 09-02-02.mkv", "Hall A", None, 44, ""),
    # And one in the blue room that was right.
    ("field-recording", "2024-12-27 14-29-31.mkv", "Blue Room", None, 47, ""),
    ("ocr", "2024-12-29 10-01-55.mkv", "BlueRoom", None, 42, ""),
    # Phones.
    ("voices", "VID_20241227_153302.mp4", "Camera", "2024-12-27T11:33:02+00:00", 40, ""),
    ("concert", "IMG_4471.MOV", "100APPLE", "2024-12-27T16:04:10+00:00", 84, ""),
    ("clinic-2", "PXL_20241228_113144870.mp4", "Cinema", "2024-12-28T11:31:44+00:00", 41, ""),
    ("letters", "20241228_120104.mp4", "blue room", "2024-12-28T08:01:04+00:00", 28, ""),
    # Ids of the conference.
    ("whose-archive", "B3XWZD.mp4", "", None, 62, ""),
    ("catalogue", "archive-days-2024-U9XCVB-a-catalogue-in-one-file.webm", "", None, 29, ""),
    ("restoration", "x8uiop_master.mov", "to upload", None, 44, ""),
    # People.
    ("digitise", "Grossl 8mm.mp4", "", None, 45, ""),
    ("tape-decay", "Größl_Tape-decay_v3.mp4", "", None, 30, ""),
    ("subtitles", "osullivan subtitles.mp4", "", None, 44, ""),
    ("oral-history", "Shcherbakova - Ustnaya istoriya bez magnitofona.mp4", "", None, 30, ""),
    ("letters", "Chekhova_Letters on magnetic wire.mp4", "", None, 29, ""),
    ("radio-tbilisi", "Maisuradze radio.mp4", "", None, 45, ""),
    ("rights", "Lefevre, Ludovic (rights).mp4", "", None, 44, ""),
    ("sound-maps", "Zak_soundmaps.mp4", "day3", None, 43, ""),
    ("linked-data", "tanaka.mp4", "", None, 45, ""),
    # Titles, more or less, one of them with letters and marks apart as some file systems keep them.
    ("preserve", "Preserving What Was Never Saved (Sopio Beridze).mp4", "", None, 45, ""),
    ("copyright", unicodedata.normalize("NFD", "Copyright for the impatient – Lefèvre.mp4"), "exports", None, 44, ""),
    ("metadata-1", "metadata by hand 1.mp4", "cinema", None, 88, ""),
    ("metadata-2", "Metadata_by_hand_II_FINAL.mp4", "", None, 87, ""),
    ("sound-archives", "Sound archives.mp4", "", None, 46, ""),
    ("salt-road", "The Salt Road.mp4", "", None, 79, ""),
    ("floods", "output_007.mp4", "", None, 45, "After the flood: what we lost in 2015 – Nino Kapanadze"),
    ("closing", "rec.mp4", "", "2024-12-29T11:01:20+00:00", 27, "Closing, Hall A"),
    ("panel", "Who pays for memory? - panel discussion.mp4", "", None, 77, ""),
    # Of no session, or of none that can be told.
    (None, "GMT20241227-043000_Recording.mp4", "Hall A", None, 6, ""),
    (None, "Interview Sopio Beridze 2024-12-28.mp4", "press", "2024-12-28T09:40:00+00:00", 18, ""),
    (None, "The Salt Road - trailer.mp4", "", None, 2, ""),
    (None, "2024-12-28 Hall A.mkv", "Hall A", "2024-12-28T05:45:00+00:00", 480, ""),
    (None, "Lightning talks 2023.mp4", "", None, 58, ""),
    (None, "IMG_4502.MOV", "100APPLE", "2024-12-28T09:12:00+00:00", 3, ""),
)  # fmt: skip

RECORDINGS = files(_RECORDINGS)

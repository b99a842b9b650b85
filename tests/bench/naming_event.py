"""Another event of 12 talks: other voices, other introductions, and what goes wrong at real ones.

A moderator opens every talk, in the timetable of some. There are interpreters, an audience that tells its names, two
people of one family name and two of one first name, a speaker who is ill and one who sends somebody else without a
word, sessions in Spanish, French and German, and a programme that is read out. It was written before any rule was
tried on it, and no rule is tuned on it.
"""

from __future__ import annotations

from dataclasses import dataclass

from metadata.model import RoleName

FILES = {
    "zsofia": "fr/asterisk_prompts_fr.flac", "fatima": "ar/watson_ar*.wav", "juan": "es/watson_es*.flac",
    "ana o": "es/fleurs-es-000.ogg", "ana l": "de/fleurs-de-000.ogg", "jean": "fr/fleurs-fr-003.ogg",
    "wei": "zh/watson_zh*.wav", "yuki": "ja/watson_ja*.flac", "paulo": "pt/fleurs-pt-001.ogg",
    "ingrid": "de/fleurs-de-002.ogg", "alice": "en/acoustic_corpus.flac", "robert": "en/earnings22_*.flac",
    "interpreter": "pt/fleurs-pt-004.ogg", "grace": "en/cold_corpus.flac", "peter": "en/fleurs-en-002.ogg",
    "student": "de/fleurs-de-001.ogg", "guest": "es/fleurs-es-004.ogg",
}  # fmt: skip
"""Recordings of one speaker each."""
NAMES = {
    "zsofia": "Zsófia Kovács", "fatima": "Fatima Al-Sayed", "juan": "Juan Carlos Ortega", "ana o": "Ana Ortega",
    "ana l": "Ana Lindqvist", "jean": "Jean Dubois", "wei": "Wei Zhang", "yuki": "Yuki Tanaka",
    "paulo": "Paulo Ferreira", "ingrid": "Ingrid Møller", "alice": "Alice O'Brien", "robert": "Robert Novak",
    "interpreter": "Helena Santos",
}  # fmt: skip
"""Those who are in a programme; the others are nobody's."""


@dataclass(frozen=True, slots=True)
class Part:
    """Somebody speaks for some seconds and says this, or what nobody needs to know."""

    voice: str
    seconds: float
    says: str = "Something that names nobody is said here, at some length, and then a little more."


@dataclass(frozen=True, slots=True)
class Talk:
    """A talk of the event: who is in its timetable, and who speaks."""

    slug: str
    people: tuple[tuple[str, RoleName], ...]
    parts: tuple[Part, ...]
    language: str = "en"


def _opened(says: str, *parts: Part, seconds: float = 14) -> tuple[Part, ...]:
    return (Part("zsofia", seconds, says), *parts)


TALKS = (
    Talk("opening", (("fatima", "speaker"), ("zsofia", "chair")), _opened(
        "Good morning, everybody. My name is Zsófia Kovács. It is my pleasure to introduce Fatima Al-Sayed, who has"
        " travelled far.",
        Part("fatima", 40), Part("student", 8, "Thank you. I am a student, and I have a question for Fatima Al-Sayed."),
        Part("fatima", 20),
    )),
    Talk("mesa", (("juan", "speaker"), ("zsofia", "host")), _opened(
        "Buenos días. Nuestro siguiente ponente es Juan Carlos Ortega. Adelante.",
        Part("juan", 45, "Gracias. Hablo de archivos y de lo que guardan."), Part("guest", 10, "Me llamo Ana y quiero"
        " preguntar una cosa."), Part("juan", 18),
    ), "es"),
    Talk("ortegas", (("juan", "panellist"), ("ana o", "panellist"), ("zsofia", "chair")), _opened(
        "Bienvenidos. Le doy la palabra a Ortega.", Part("juan", 25),
        Part("zsofia", 8, "Gracias. Y ahora tiene la palabra Ana Ortega."), Part("ana o", 30), Part("juan", 20),
    ), "es"),
    Talk("two-anas", (("ana o", "speaker"), ("ana l", "speaker"), ("zsofia", "chair")), _opened(
        "Hello again. Over to Ana.", Part("ana o", 25),
        Part("zsofia", 7, "Thank you, Ana. Please welcome Ana Lindqvist."), Part("ana l", 30),
    )),
    Talk("malade", (("jean", "speaker"),), _opened(
        "Jean Dubois est malade aujourd'hui, et je passe la parole à Grace Mbeki, qui le remplace.",
        Part("grace", 60, "Merci. Je vais vous parler de son travail."),
    ), "fr"),
    Talk("gedolmetscht", (("ingrid", "speaker"), ("interpreter", "interpreter"), ("zsofia", "chair")), _opened(
        "Ich begrüße ganz herzlich Ingrid Møller, und Helena Santos dolmetscht.",
        Part("interpreter", 16, "I welcome Ingrid Møller."), Part("ingrid", 22), Part("interpreter", 20),
        Part("ingrid", 20), Part("interpreter", 20),
    ), "de"),
    Talk("table-ronde", (("jean", "panellist"), ("alice", "panellist"), ("zsofia", "chair")), _opened(
        "Bonjour, je m'appelle Zsófia Kovács. Je passe tout de suite la parole à Jean Dubois.", Part("jean", 26),
        Part("zsofia", 8, "Merci. Accueillons maintenant Alice O’Brien."), Part("alice", 28), Part("jean", 16),
    ), "fr"),
    Talk("vortrag", (("ana l", "speaker"), ("zsofia", "chair")), _opened(
        "Meine Damen und Herren, ich begrüße Frau Professor Lindqvist.",
        Part("ana l", 50, "Vielen Dank. Ich bin Ingrid Møller sehr dankbar für die Einladung."),
        Part("student", 9, "Mein Name ist Jonas Weber. Was sagt Frau Lindqvist dazu?"),
    ), "de"),
    Talk("questions", (("wei", "panellist"), ("yuki", "panellist"), ("zsofia", "chair")), _opened(
        "Welcome to the questions. We hear from Wei Zhang first, and then over to Yuki Tanaka.", Part("yuki", 24),
        Part("guest", 10, "My name is Maria Lopez. I am a friend of Wei Zhang."),
        Part("wei", 22, "Thank you. I am Wei Zhang."), Part("student", 9, "I'm Yuki Tanaka's student, and I ask why."),
        Part("yuki", 20, "This is Yuki Tanaka speaking again."),
    )),
    Talk("portugues", (("paulo", "speaker"), ("zsofia", "host")), _opened(
        "Boa tarde. Tenho o prazer de apresentar Paulo Ferreira. Passo a palavra.", Part("paulo", 45),
        Part("guest", 9, "Obrigado. Eu sou um aluno de Paulo Ferreira."), Part("paulo", 15),
    ), "pt"),
    Talk("hand-over", (("robert", "speaker"), ("alice", "speaker")), (
        Part("robert", 30, "Hi, I'm Robert Novak from the archive. I will begin, and in a while I hand over to my"
        " colleague Alice O'Brien."), Part("alice", 30, "Thanks, Robert."), Part("robert", 20),
    )),
    Talk("sent", (("wei", "speaker"), ("zsofia", "chair")), _opened(
        "Good afternoon, and welcome back.",
        Part("peter", 60, "Hello. My name is Peter Holm. I am giving this talk on behalf of Wei Zhang."),
    )),
)  # fmt: skip

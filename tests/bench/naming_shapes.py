"""An event of other shapes: nobody is introduced, somebody stands in without a word, two talks are swapped.

There are a panel of four whom the chair calls by name and one in which no name is said, an interpreter between the
sentences, and a chair who speaks for a speaker who does not come. It was written before the rule for weak proposals was
tried on it.
"""

from __future__ import annotations

from tests.bench.naming_event import Part, Talk

HELLO, BYE = "Good morning, everybody, and welcome back. Let us begin.", "Thank you very much. There is coffee outside."
ABOUT = "This is about what archives keep, and about what they lose."


def _chaired(opens: str, *parts: Part, ends: str = BYE) -> tuple[Part, ...]:
    return (Part("zsofia", 12, opens), *parts, Part("zsofia", 8, ends))


SHAPES = (
    Talk("introduced", (("alice", "speaker"), ("zsofia", "chair")), _chaired(
        "Good morning. Please welcome Alice O'Brien.", Part("alice", 60, ABOUT),
    )),
    Talk("no-names", (("robert", "speaker"), ("zsofia", "chair")), _chaired(HELLO, Part("robert", 80, ABOUT))),
    Talk("stand-in", (("wei", "speaker"), ("zsofia", "chair")), _chaired(HELLO, Part("peter", 80, ABOUT))),
    Talk("stand-in-of-the-event", (("yuki", "speaker"), ("zsofia", "chair")), _chaired(
        HELLO, Part("alice", 80, ABOUT),
    )),
    Talk("swapped", (("jean", "speaker"), ("zsofia", "chair")), _chaired(
        "Welcome. I hand over to Ingrid Møller.", Part("ingrid", 70, ABOUT),
    )),
    Talk("swapped-back", (("ingrid", "speaker"), ("zsofia", "chair")), _chaired(
        HELLO, Part("jean", 70, ABOUT), ends="Thank you, Jean Dubois. There is coffee outside.",
    )),
    Talk("panel", (
        ("fatima", "panellist"), ("juan", "panellist"), ("paulo", "panellist"), ("ana l", "panellist"),
        ("zsofia", "chair"),
    ), _chaired(
        "There are four of us today. We begin in the south, and I hand over to Fatima Al-Sayed.", Part("fatima", 25),
        Part("zsofia", 7, "Thank you. Over to Juan Carlos Ortega."), Part("juan", 25),
        Part("zsofia", 7, "Thanks. And now please welcome Paulo Ferreira."), Part("paulo", 25),
        Part("zsofia", 7, "The floor goes to Ana Lindqvist."), Part("ana l", 25), Part("fatima", 18),
    )),
    Talk("panel-without-names", (
        ("wei", "panellist"), ("yuki", "panellist"), ("alice", "panellist"), ("robert", "panellist"),
        ("zsofia", "chair"),
    ), _chaired(HELLO, Part("wei", 22), Part("yuki", 22), Part("alice", 22), Part("robert", 22))),
    Talk("interpreted", (("paulo", "speaker"), ("interpreter", "interpreter"), ("zsofia", "chair")), _chaired(
        "Boa tarde. Tenho o prazer de apresentar Paulo Ferreira.", Part("paulo", 22), Part("interpreter", 20),
        Part("paulo", 22), Part("interpreter", 20),
    ), "pt"),
    Talk("somebody-is-thanked", (("ana o", "speaker"), ("zsofia", "chair")), _chaired(
        HELLO, Part("grace", 80, ABOUT), ends="Thank you, Grace Mbeki, that was very clear.",
    )),
    Talk("thanked", (("fatima", "speaker"), ("zsofia", "chair")), _chaired(
        HELLO, Part("fatima", 80, ABOUT), ends="Thank you so much, Fatima. There is coffee outside.",
    )),
    Talk("nobody-came", (("juan", "speaker"), ("zsofia", "chair")), (
        Part("zsofia", 80, "Good morning. My name is Zsófia Kovács, and we are waiting for our speaker."),
        Part("student", 8, "How long do we wait?"), Part("zsofia", 20),
    )),
)  # fmt: skip

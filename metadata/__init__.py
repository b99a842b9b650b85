"""What is known about events and speech, and the formats that carry it.

This package uses no network and no database, and imports no other package of Rostra: data flows ``metadata`` →
``archive`` → ``pipelines``, never back.

Its modules are in layers. A module imports only from layers above its own, or earlier in its own layer::

    errors, encodings            what can go wrong; which encoding a text is in
    names, languages, times      texts, languages and times: comparing and parsing them
    shapes, feed_dates, terms    mistakes in values, dates of feeds, terms in texts
    licences                     the names of licences
    cells, markup, xml_text      texts that no spreadsheet takes for formulas, HTML read alike, what XML can hold
    moments                      addresses of a second on other sites
    model                        the nouns: event, session, person, recording, transcript
    premis                       what was done to files, and who may do what with them
    revising                     corrections of words, made in another text as well
    timetables, captions         the formats, one module each; neither imports the other
"""

"""The names of licences, as SPDX lists them (https://spdx.org/licenses/)."""

from __future__ import annotations

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression


def spdx_name(text: str) -> str | None:
    """Return the name of a licence as SPDX writes it; None where its list has no such licence.

    >>> spdx_name("cc by-sa 4.0"), spdx_name("All rights reserved")
    ('CC-BY-SA-4.0', None)
    """
    name = "-".join(text.split())
    try:
        found = canonicalize_license_expression(name)
    except InvalidLicenseExpression:
        return None
    return found if found.casefold() == name.casefold() and found[0].isalnum() and ":" not in found else None

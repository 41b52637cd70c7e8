"""What may stand in text that people write: it is shown, printed, signed, and sent in XML and in headers of mails."""

from __future__ import annotations

import json
import unicodedata

_BREAKS = frozenset("\n\r\t")
_ONE_LINE = "expected one line of text"
_CONTROL = "expected text without control characters"


def problem_of_text(text: str, *, lines: bool = False) -> str | None:
    r"""Return what was expected of a text that cannot be shown as it is; None where it can.

    Parameters
    ----------
    lines : bool
        Whether it may have several lines.

    Examples
    --------
    >>> problem_of_text("street\n## heading")
    'expected one line of text'
    >>> problem_of_text("first\nsecond", lines=True)
    >>> problem_of_text("bell \x07", lines=True), problem_of_text("a\udcffb")
    ('expected text without control characters', 'expected text')
    """
    for character in text:
        match unicodedata.category(character):
            case "Cs":  # half a character: bytes on the command line that are no UTF-8
                return "expected text"
            case "Cc" if not (lines and character in _BREAKS):
                return _ONE_LINE if character in _BREAKS else _CONTROL
            case "Zl" | "Zp" if not lines:
                return _ONE_LINE
            case "Cn" if ord(character) & 0xFFFE == 0xFFFE:  # noncharacters, which XML refuses
                return _CONTROL
    return None


def one_line(text: str) -> str:
    r"""Return a text on one line, so that none of its lines is taken for one of the page that it is printed on.

    Examples
    --------
    >>> one_line("street\n## heading")
    'street ## heading'
    """
    return " ".join(text.splitlines())


def printable(text: str) -> str:
    r"""Return a text with a question mark for each character that cannot be shown; its lines stay.

    Examples
    --------
    >>> printable("a\udcffb")
    'a?b'
    """
    return "".join("?" if problem_of_text(character, lines=True) else character for character in text)


def escaped(text: str) -> str:
    r"""Return a text as a terminal can show it: what moves its cursor, or turns a line round, written as in JSON.

    In a text of JSON it changes what stands inside strings alone, and nothing of what they say.

    Examples
    --------
    >>> print(escaped("a\x1b[2Jb\nc\u202ed 水"))
    a\u001b[2Jb\nc\u202ed 水
    """
    return "".join(
        one if one.isprintable() or unicodedata.category(one) == "Zs" else json.dumps(one)[1:-1] for one in text
    )

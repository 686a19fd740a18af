"""The judge of octets can fail: each kind of what must not be written is caught, and what Textual writes is not."""

import pytest

from tests.tui.pty_stream import Stream


def judged(*chunks: bytes, columns: int = 20, rows: int = 3) -> Stream:
    stream = Stream(columns, rows)
    for chunk in chunks:
        stream.feed(chunk)
    stream.end()
    return stream


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"\x1b]52;c;ZXZpbA==\x07", "escape sequence"),
        (b"\x1b]0;owned\x1b\\", "escape sequence"),
        (b"\x1b]8;;http://evil.example\x1b\\here\x1b]8;;\x1b\\", "escape sequence"),
        (b"\x1b]22;pointer;\x1b\\", "escape sequence"),
        (b"\x1bP$qm\x1b\\", "escape sequence"),
        (b"\x1b_hidden\x1b\\", "escape sequence"),
        (b"\x1bc", "escape sequence"),
        (b"\x1b(0", "escape sequence"),
        (b"\x1b#8", "escape sequence"),
        (b"\x1b[6n", "escape sequence"),
        (b"\x1b[?47h", "escape sequence"),
        (b"\x1b[8;1;1t", "escape sequence"),
        (b"\x1b[5A", "escape sequence"),
        (b"\x1b[3J", "escape sequence"),
        (b"\x1b[", "without its end"),
        (b"\x1b]52;c;", "without its end"),
        (b"\x1b", "without its end"),
        (b"\x07", "a control, U+0007"),
        (b"\x08", "a control"),
        (b"\x00", "a control"),
        (b"\x0e", "a control"),
        (b"\t", "a control"),
        (b"\x7f", "a control, U+007F"),
        ("\x9b2J".encode(), "a C1 control, U+009B"),
        (b"\x9b2J", "not UTF-8, 0x9b"),
        (b"\xff", "not UTF-8"),
        (b"\xe6\xb8", "without its end"),
        (b"\xed\xa0\x80", "not UTF-8"),
        ("\u2028".encode(), "line separator"),
        ("\u2029".encode(), "paragraph separator"),
        *((chr(code).encode(), "text-direction") for code in (0x61C, 0x200E, 0x200F, 0x202E, 0x2066, 0x2069)),
        *((chr(code).encode(), "invisible") for code in (0xAD, 0x200B, 0x200D, 0x2060, 0xFEFF, 0xE0041, 0x1D173)),
        *((chr(code).encode(), "an invisible character") for code in (0x34F, 0x115F, 0x3164, 0xFFA0, 0x180B)),
        (b"123456789012345678901", "beyond the right edge"),
        ("1234567890123456789渡".encode(), "beyond the right edge"),
        (b"\x1b[1;20H12", "beyond the right edge"),
    ],
    ids=lambda value: repr(value) if isinstance(value, bytes) else None,
)
def test_what_is_hostile_is_a_fault(octets: bytes, why: str) -> None:
    assert judged(b"before \x1b[31mred\x1b[0m\x1b[1;1H").faults == []
    (fault, *_) = judged(octets).faults
    assert why in fault
    singly = judged(*(octets[at : at + 1] for at in range(len(octets))))
    assert why in singly.faults[0], "the same however it is cut"


def test_what_textual_writes_is_drawn() -> None:
    stream = judged(
        b"\x1b[?1049h\x1b[?1000h\x1b[?25l\x1b[?2026$p\x1b[>1u\x1b]22;default\x07",
        "\x1b[?2026h\x1b[2;3H\x1b[38;2;1;2;3;1m渡辺 e\u0301\x1b[0m☎\ufe0f!\x1b[1;1Htop\x1b[?2026l".encode(),
        b"\x1b[?2026h\x1b[1;1Hto",
    )
    assert stream.faults == []
    assert stream.frames[-1] == "top\n  渡辺 e\u0301☎\ufe0f!\n", "half of a frame is no frame"
    assert not stream.is_whole
    assert stream.questions == ["\x1b[?2026$p"]
    assert stream.shown("渡辺 e\u0301")
    assert not stream.shown("辺渡")


def test_a_row_may_end_at_the_edge_and_no_later() -> None:
    assert judged("渡辺渡辺渡辺渡辺渡辺".encode()).faults == []
    assert judged(b"\x1b[3;1H" + b"x" * 20 + b"\r\n").faults == []

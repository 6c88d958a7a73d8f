"""What strangers name their files never steers a terminal."""

from vidigree.media.one_line import one_line


def test_escape_sequences_and_direction_marks_are_spelled_out() -> None:
    assert one_line("a\x1b[2Jb\u202ec") == "a\\x1b[2Jb\\u202ec"


def test_it_is_one_line_and_keeps_scripts_and_lone_bytes() -> None:
    assert one_line("né\n 视频\t🎬 \udcff") == "né 视频 🎬 \udcff"

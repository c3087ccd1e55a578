"""Files to texts: encodings, packed files, folders, what is no text, and where sentences end."""

import gzip

import pytest

from fastnn.common.errors import FileFormatError
from fastnn.text import corpus
from fastnn.text.corpus import files_of, sentences_end_of, texts
from fastnn.text.decoding import decoded, decoded_pieces

TEXT = "Grüße – “naïve” café.\r\n"


@pytest.mark.parametrize(
    ("raw", "want"),
    [
        (TEXT.encode(), "UTF-8"),
        (TEXT.encode("utf-8-sig"), "UTF-8"),
        (TEXT.encode("utf-16"), "UTF-16"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "UTF-16"),
        (TEXT.encode("utf-32"), "UTF-32"),
        (TEXT.encode("cp1252"), "Windows-1252"),
    ],
)
def test_encodings(raw, want):
    assert decoded(raw, "x") == (TEXT, want)


def test_latin_1():
    assert decoded("Grüße, café\n".encode("latin-1"), "x") == ("Grüße, café\n", "Latin-1")
    assert decoded(b"", "x") == ("", "UTF-8")
    assert decoded(b"end\x1a\x0c", "x").text == "end\x1a\x0c"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"PK\x03\x04\x00\x00\xff", "x is no plain text: byte 4 is zero"),
        (b"\x89PNG\r\n\x1a\n\x03\xff", "x is no plain text: byte 8 is 0x03"),
        (
            TEXT.encode()[:-1] + b"\xff",
            r"x is no UTF-8 text: byte 0xff at position \d+, line 2",
        ),  # one damaged byte, after \r
        (b"\xc3\xa9\r\xc3\xa9\r\n\xc3\xa9\n\xff\xc3\xa9", "at position 10, line 4"),
        (b"\xef\xbb\xbfcaf\xe9", "x is no UTF-8 text: byte 0xe9"),
        (b"\xff\xfea", "x begins with the mark of UTF-16, but is no such text"),
        (b"\xff\xfea\0\0\0b\0", "x begins with the mark of UTF-16, but character 1 is zero"),
    ],
)
def test_bytes_that_are_no_text(raw, said):
    with pytest.raises(FileFormatError, match=said):
        decoded(raw, "x")


def test_lines_are_counted_alike_wherever_a_text_is_cut():
    raw = b"\xc3\xa9\r\xc3\xa9\r\n\xc3\xa9\n\xff\xc3\xa9"
    for at in range(len(raw) + 1):
        with pytest.raises(FileFormatError, match="at position 10, line 4"):
            list(decoded_pieces([raw[:at], raw[at:]], "UTF-8", "x"))


def test_files_of_a_folder_by_name_and_packed_or_not(tmp_path):
    (tmp_path / "b" / "c").mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    for name in (".git/x", ".hidden", "b/c/2.dat"):
        (tmp_path / name).write_text(name, "utf-8")
    (tmp_path / "a").write_bytes(gzip.compress("eins é".encode("utf-16")))
    assert [(text.name, text.text, text.encoding) for text in texts(tmp_path)] == [
        (str(tmp_path / "a"), "eins é", "UTF-16"),
        (str(tmp_path / "b/c/2.dat"), "b/c/2.dat", "UTF-8"),
    ]
    assert files_of([tmp_path / "a", tmp_path / "b"]) == files_of(tmp_path)


def test_unusable_files(tmp_path, monkeypatch):
    with pytest.raises(FileFormatError, match="is a folder without files"):
        files_of(tmp_path)
    with pytest.raises(FileFormatError, match="absent' does not exist"):
        list(texts(tmp_path / "absent"))
    (tmp_path / "cut").write_bytes(gzip.compress(b"a b c d")[:-6])
    with pytest.raises(FileFormatError, match="cut' is cut short"):
        list(texts(tmp_path / "cut"))
    monkeypatch.setattr(corpus, "LARGEST_BYTES", 1000)
    (tmp_path / "bomb").write_bytes(gzip.compress(b"a" * 1001))
    with pytest.raises(FileFormatError, match="bomb' has more than 1,000 bytes of text"):
        list(texts(tmp_path / "bomb"))


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("A fox. Was it\nsly?\n" * 20, "punctuation"),
        (" the u.s. said <unk> n mr. fox is sly and old\n" * 2 + " no it was n't black monday\n" * 40, "lines"),
        ("anarchism originated as a term of abuse " * 100, "none"),
        ("", "punctuation"),
        ("word", "none"),
        ("我喜欢学习语言。今天天气很好。" * 50, "punctuation"),
        ("😀👨‍👩‍👧‍👦" * 500, "none"),
        ("one line\nand another", "none"),
        ("one line\nand another\nand this", "lines"),
    ],
)
def test_where_sentences_end(text, want):
    assert sentences_end_of(text) == want

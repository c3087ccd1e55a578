"""What commands print and write for other programs."""

import csv
import io

from fastnn.cli.output import csv_lines


def test_lines_of_csv_give_back_the_cells():
    """Tokens of characters, and cells of tables, may be ends of lines."""
    rows = [["text", "word"], ["a", "one\ntwo"], ["b", "\r"], ["c", "\r\n"], ["d", 'say "hi", then go'], ["e", ""]]
    text = "".join(f"{line}\n" for line in csv_lines(rows))
    assert list(csv.reader(io.StringIO(text, newline=""), strict=True)) == rows
    assert list(csv_lines(rows))[-2:] == ['d,"say ""hi"", then go"', "e,"]

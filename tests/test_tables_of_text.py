"""Tables as text, CSV and JSON lines: a column gives a sentence a row, and what is no sound row is named."""

import ast
import csv
import gzip
import io
import json
import warnings

import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_sources import PACKERS, SENTENCES, read, written

from firth.corpus import EncodedCorpus, encoded_corpus, files, json_lines, sample, separated
from firth.corpus.sources import find
from firth.errors import BadCorpus, BadOption
from firth.estimating.trials import sampled
from firth.options import CorpusOptions

HEADING = "id,text,stars\n"
CSV = HEADING + '1,the cat sat,5\n2,,4\n3,"on the\nmat",\n'
JSON_LINES = '{"id": 1, "text": "the cat sat"}\n{"id": 2, "text": null}\n\n{"id": 3}\n{"text": "on the mat", "id": 4}\n'


def cells_of(path, column="text"):
    """The cells of a column as they are cut, the empty ones left out."""
    (source,) = find(path, CorpusOptions(column=column))
    return [cell for block in source.blocks() for cell in block.strings.to_pylist()]


# ---- CSV ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        CSV,
        CSV.replace("\n", "\r\n"),
        "\ufeff" + CSV,
        CSV.rstrip("\n"),
        CSV.replace("\n", "\n\n"),
        CSV.replace(",", ";"),
        CSV.replace(",", "\t"),
        CSV.replace(",", "|"),
        CSV.replace(",", ", "),
        '"text"\n"the cat sat"\n""\n"on the mat"\n',
        "text\rthe cat sat\ron the mat\r",
        'n;"text";"Anteil, %"\n1,5;the cat sat;3\n2,5;"on the mat";4\n',
    ],
    ids=[
        "as it is",
        "crlf",
        "byte-order mark",
        "no final newline",
        "empty lines",
        "semicolons",
        "tabs",
        "bars",
        "spaces",
        "one column",
        "cr",
        "decimal commas",
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".TSV"])
def test_a_column_of_a_csv_file_gives_a_sentence_a_row(tmp_path, content, suffix):
    assert read(written(tmp_path / f"a{suffix}", content), column="text") == SENTENCES


@pytest.mark.parametrize("suffix", PACKERS)
@pytest.mark.parametrize(("kind", "content"), [("csv", CSV), ("jsonl", JSON_LINES)])
def test_packed_tables_are_unpacked(tmp_path, suffix, kind, content):
    path = written(tmp_path / f"a.{kind}.{suffix}", PACKERS[suffix](content.encode()))
    assert read(path, column="text") == SENTENCES


def test_folders_patterns_and_remote_places_are_read_by_column(tmp_path):
    written(tmp_path / "1.csv", HEADING + "1,the cat sat,5\n")
    written(tmp_path / "2.ndjson", '{"text": "on the mat"}\n')
    assert read(tmp_path, column="text") == SENTENCES
    assert read(str(tmp_path / "*"), column="text") == SENTENCES
    assert read((tmp_path / "2.ndjson").as_uri(), column="text") == SENTENCES[1:]
    with pytest.raises(BadOption, match=r"1\.csv has no column 'no'"):
        read(tmp_path, column="no")


def test_other_files_beside_tables_are_text(tmp_path):
    written(tmp_path / "1.csv", HEADING + "1,the cat sat,5\n")
    written(tmp_path / "2.txt", "on the mat\n")
    assert read(tmp_path, column="text") == SENTENCES


def test_a_tokenizer_gets_what_stands_in_a_cell(tmp_path):
    path = written(tmp_path / "a.csv", HEADING + '1,"Tea, ""hot"" tea!",5\n')
    assert read(path, column="text", tokenizer=lambda cell: [cell]) == [['Tea, "hot" tea!']]
    with encoded_corpus(path, CorpusOptions(column="text", tokenizer="words", cache=False)) as corpus:
        assert list(corpus) == [["tea", "hot", "tea"]]


CELL = st.text(st.sampled_from('ab,;"\r\n\t é\x0b\u2028'), max_size=8)


@settings(max_examples=200)
@given(
    st.lists(st.tuples(CELL, CELL, CELL), max_size=12),
    st.sampled_from(",;\t"),
    st.sampled_from([("\n", csv.QUOTE_ALL), ("\r\n", csv.QUOTE_MINIMAL)]),  # else Python before 3.13 leaves \r bare
    st.integers(1, 30),
)
def test_what_python_writes_as_csv_is_read_back(tmp_path_factory, rows, separator, how, block_bytes):
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator=how[0], quoting=how[1]).writerows([("x", "text", "y"), *rows])
    path = written(tmp_path_factory.mktemp("a") / "a.csv", text.getvalue())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "BLOCK_BYTES", block_bytes)
        cells = cells_of(path)
    again = csv.reader(io.StringIO(text.getvalue(), newline=""), delimiter=separator, skipinitialspace=True)
    assert cells == [row[1] for row in list(again)[1:] if row[1]]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("1,a,5\n2,b, c,4\n", r"line 3 of .*a\.csv has 4 cells, but the first line names 3 columns; put quotes around"),
        ('1,"a\nb",5\n\n2,c\n', "line 5 of .* has 2 cells, but the first line names 3 columns; .* holds a comma"),
        ('1,"a" b,5\n', "line 2 of .* cannot be read: ',' expected after '\"'; write a quote within a cell twice, and"),
        ('1,"a" ,5\n', "line 2 of .* cannot be read: .*; write .* and no space behind the one that ends it, or"),
        ('1,a,5\n2,"b,4\n3,"c",4\n', "line 4 of .*, in the row that begins in line 3: ',' expected after"),
        ('1,a,5\n2,b,"4\n3,c,4\n', r"in the row that begins in line 3: unexpected end of data; .*quoting=3\)"),
    ],
)
def test_a_broken_row_is_named_with_its_line(tmp_path, rows, message):
    with pytest.raises(BadCorpus, match=message):
        read(written(tmp_path / "a.csv", HEADING + rows), column="text")


def test_the_remedy_for_quotes_that_mean_nothing_works(tmp_path):
    path = written(tmp_path / "a.tsv", 'id\ttext\n1\t"the" cat sat\n2\ton the mat\n')
    with pytest.raises(BadCorpus, match=r"give the column itself, .*: (.*)$") as told:
        read(path, column="text")
    call = str(told.value).rpartition(": ")[2]
    cells = eval(call, {"pandas": pandas, "path": path, "column": "text"})
    assert read(cells) == [['"the"', "cat", "sat"], SENTENCES[1]]


def test_quotes_behind_backslashes_have_their_own_remedy(tmp_path):
    path = written(tmp_path / "a.csv", 'id;text\n1;"the \\"cat\\" sat"\n2;on the mat\n')
    with pytest.raises(BadCorpus, match=r"line 2 .* pandas\.read_csv with escapechar where backslashes stand before"):
        read(path, column="text")
    cells = pandas.read_csv(path, sep=";", escapechar="\\")["text"].dropna()
    assert list(cells) == ['the "cat" sat', "on the mat"]


def test_cells_that_look_like_lists_are_warned_of(tmp_path):
    path = written(tmp_path / "a.csv", "id,text\n1,\"['the', 'cat']\"\n2,[]\n")
    with pytest.warns(
        UserWarning, match=r"cells of 'text' in .*a\.csv look like lists \(the str .*, but are read as texts"
    ):
        assert read(path, column="text")[0] == ["['the',", "'cat']"]
    assert read(path, column="text", tokenizer=ast.literal_eval) == [["the", "cat"]]
    assert len(read(written(tmp_path / "b.csv", "text\n[sic] a\n"), column="text")) == 1


def test_a_quote_that_takes_all_of_a_file_is_found_before_it_fills_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(separated, "LONGEST_CELL", 1 << 20)
    monkeypatch.setattr(files, "BLOCK_BYTES", 1 << 16)
    path = written(tmp_path / "a.csv", HEADING + '1,"a,5\n' + "2,b c,5\n" * 1_000_000)
    (source,) = find(path, CorpusOptions(column="text"))
    before = csv.field_size_limit(1 << 20)
    try:
        with pytest.raises(BadCorpus, match=r"row that begins in line 2: field larger than field limit \(1048576\)"):
            list(source.blocks())
    finally:
        csv.field_size_limit(before)
    assert source.done < 3 << 20


def test_long_cells_and_lines_longer_than_a_block_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "BLOCK_BYTES", 50)
    for text in ("the cat " * 100_000, "line\n" * 100_000):
        path = written(tmp_path / "a.csv", f'{HEADING}1,"{text}",5\n')
        assert cells_of(path) == [text]


def test_the_columns_that_are_there_are_named(tmp_path):
    path = written(tmp_path / "a.csv", CSV)
    with pytest.raises(BadOption, match=r"a\.csv has no column 'Text'; its first line names id, text, stars\. If "):
        read(path, column="Text")
    path = written(tmp_path / "b.csv", "text;n;text\na;1;b\n")
    with pytest.raises(BadOption, match=r"b\.csv has 2 columns 'text'; give each its own name"):
        read(path, column="text")
    path = written(tmp_path / "c.csv", ",".join(f"c{n}" for n in range(50)))
    with pytest.raises(BadOption, match=r"names c0, .*, c19 and 30 more\."):
        read(path, column="text")


def test_a_table_without_a_row_is_an_empty_corpus(tmp_path):
    for name, content in (("a.csv", HEADING), ("b.csv", ""), ("c.tsv", "\ufeff\r\n"), ("d.jsonl", "\n")):
        with pytest.raises(BadCorpus, match="the corpus is empty"):
            read(written(tmp_path / name, content), column="text")


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", b"id,text\n1,some words\n2,caf\xe9 au lait\n"), ("a.jsonl", b'{"text": "a b"}\n{"text": "caf\xe9"}\n')],
)
def test_bytes_that_are_not_utf8_are_told_as_of_any_text(tmp_path, name, content):
    path = written(tmp_path / name, content)
    at = content.index(b"\xe9")
    with pytest.raises(BadCorpus, match=rf"{name} is not UTF-8: byte 0xe9 at position {at}; convert the file, or set"):
        read(path, column="text")
    (_, words) = read(path, column="text", encoding_errors="ignore")
    assert words[0] == "caf"


def test_a_damaged_packed_table_is_said_to_be_so(tmp_path):
    path = written(tmp_path / "a.csv.gz", gzip.compress(CSV.encode())[:-9])
    with pytest.raises(BadCorpus, match=r"a\.csv\.gz cannot be read to its end"):
        read(path, column="text")


# ---- JSON lines --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        JSON_LINES,
        JSON_LINES.replace("\n", "\r\n"),
        "\ufeff" + JSON_LINES.rstrip("\n"),
        '{"text": ["the", "cat", "sat"]}\n{"text": []}\n{"text": ["on", "the", "mat"]}\n',
        r'{"text": "the\ncat\u0020sat", "price": NaN}' + '\n{"text": "on\u2003the mat"}',
    ],
    ids=["strings", "crlf", "mark", "lists", "escapes"],
)
@pytest.mark.parametrize("suffix", ["jsonl", "ndjson", "json"])
@pytest.mark.parametrize("block_bytes", [5, 1 << 20])
def test_a_key_of_json_lines_gives_a_sentence_a_line(tmp_path, monkeypatch, content, suffix, block_bytes):
    monkeypatch.setattr(files, "BLOCK_BYTES", block_bytes)
    assert read(written(tmp_path / f"a.{suffix}", content), column="text") == SENTENCES


def test_lists_of_whole_numbers_are_their_digits_and_strings_keep_their_spaces(tmp_path):
    path = written(tmp_path / "a.jsonl", '{"items": [1, 20]}\n{"items": ["green tea", "-3"]}\n')
    assert read(path, column="items") == [["1", "20"], ["green tea", "-3"]]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('{"text": "a"}\n\n{"text": "b"\n', r"line 3 of .*a\.jsonl is no JSON: .*; JSON lines have a whole object on"),
        ('{\n  "text": "a"\n}\n', r"line 1 of .* is no JSON: "),
        ('{"text": "a"}\n"b"\n', r"line 2 of .* holds the str 'b'; JSON lines have an object on each line, such as"),
        ('{"text": "a"}\n{"text": 7}\n', "line 2 of .*: 'text' holds the int 7, but before it stood a str; write them"),
        ('{"text": "a"}\n{"text": ["b"]}\n', r"line 2 of .*: 'text' holds the list \['b'\], but before it stood a str"),
        ('{"text": 7}\n', "line 1 of .* holds the int 7, not a string, .*; where each row is one event, group those"),
        ('{"text": {"a": "b"}}\n', r"line 1 of .* holds the dict .*, not a string"),
        ('{"text": ["a", null]}\n', r"line 1 of .*: a list of tokens under 'text' must hold strings, .* got the list"),
        ('{"text": [1.5]}\n', "line 1 of .* must hold strings, or whole numbers, got"),
        ('{"text": [true]}\n', "line 1 of .* must hold strings, or whole numbers, got"),
        ('{"text": "a"}\n{"text": "x\\ud800"}\n', r"line 2 of .* holds the str 'x\\ud800', which UTF-8 cannot hold"),
        ('[\n{"text": "a"},\n', r"holds a JSON array of objects, .*: pandas\.read_json\(path\)\[column\]\.dropna\(\)$"),
        ('["a", "b"]\n["c"]\n', r"JSON arrays, not objects with keys; give .*: \[json\.loads\(line\) for line in open"),
        ('{"text": "' + "a " * 600_000, "has a line of more than 1 MiB"),
    ],
)
def test_a_line_that_is_none_is_named(tmp_path, monkeypatch, lines, message):
    monkeypatch.setattr(files, "LONGEST_LINE", 1 << 20)
    with pytest.raises(BadCorpus, match=message):
        read(written(tmp_path / "a.jsonl", lines), column="text")


def test_a_key_that_no_object_has_is_told_with_those_there_are(tmp_path, monkeypatch):
    path = written(tmp_path / "a.jsonl", '{"id": 1}\n{"body": "a", "id": 2}\n')
    with pytest.raises(BadOption, match=r"no column 'text': none of its first 2 objects has that key; they have id, b"):
        read(path, column="text")
    monkeypatch.setattr(json_lines, "LOOKED_FOR", 3)
    path = written(tmp_path / "a.jsonl", '{"id": 1}\n' * 3 + '{"text": "a b"}\n')
    with pytest.raises(BadOption, match="none of its first 3 objects"):
        read(path, column="text")
    path = written(tmp_path / "a.jsonl", '{"id": 1}\n{"text": null}\n' + '{"id": 1}\n' * 3 + '{"text": "a b"}\n')
    assert read(path, column="text") == [["a", "b"]]


# ---- without a column --------------------------------------------------------------------------


def test_a_table_read_as_text_is_warned_of(tmp_path):
    path = written(tmp_path / "a.csv", CSV)
    told = (
        r"a\.csv looks like a table \(id, text, stars\), but is read as plain text, .* option column, .* end in \.txt"
    )
    with pytest.warns(UserWarning, match=told):
        assert read(path)[0] == ["id,text,stars"]
    with pytest.warns(UserWarning, match="looks like a table"):
        read(written(tmp_path / "a.tsv.gz", gzip.compress(b"a\tb\n1\tc\n")))


@pytest.mark.parametrize(
    "content",
    ["the cat sat\non the mat\n", "bread,jam\ntea\nbread,tea,jam\n", "Tea, hot.\nTea is hot, they said, and so\n", ""],
    ids=["text", "baskets", "prose", "nothing"],
)
def test_what_is_no_table_is_read_as_text_without_a_word(tmp_path, content):
    (source,) = find(written(tmp_path / "a.csv", content))
    assert b"".join(bytes(block.data) for block in source.blocks()).decode() == content


def test_json_is_not_read_as_text(tmp_path):
    told = r"a\.jsonl holds JSON, not text \(it has id, text\); name the key to read with the option column, or, if it"
    with pytest.raises(BadOption, match=told):
        read(written(tmp_path / "a.jsonl", JSON_LINES))
    with pytest.raises(BadOption, match=r"b\.json holds JSON, not text; name the key"):
        read(written(tmp_path / "b.json", '{\n "a": 1}'))
    with pytest.raises(BadCorpus, match=r"c\.json holds a JSON array of objects, .* let the file's name end in \.txt"):
        read(written(tmp_path / "c.json", '[{"a": 1}]'))
    assert read(written(tmp_path / "d.jsonl", "the cat sat\n{on} the mat\n")) == [SENTENCES[0], ["{on}", "the", "mat"]]
    assert read(written(tmp_path / "e.txt", '{"a": 1}\n')) == [['{"a":', "1}"]]


def test_a_caller_s_own_tokenizer_may_read_the_lines_of_tables(tmp_path):
    path = written(tmp_path / "a.jsonl", '{"text": "the cat sat"}\n{"text": "on the mat"}\n')
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read(path, tokenizer=lambda line: json.loads(line)["text"].split()) == SENTENCES
        assert read(written(tmp_path / "a.csv", "a,b\n"), tokenizer=lambda line: line.split(",")) == [["a", "b"]]


# ---- elsewhere ---------------------------------------------------------------------------------


def test_each_column_of_a_table_is_kept_apart(tmp_path, monkeypatch):
    monkeypatch.setenv("FIRTH_CACHE", str(tmp_path / "cache"))
    path = written(tmp_path / "a.csv", "x,y\na,b\n")
    words = [encoded_corpus(path, CorpusOptions(column=each)).words.to_pylist() for each in "xyx"]
    assert words == [["a"], ["b"], ["a"]]
    assert len(list((tmp_path / "cache" / "corpora").iterdir())) == 2


def test_a_large_table_is_estimated_from_its_beginning(tmp_path, monkeypatch):
    path = written(tmp_path / "a.csv", HEADING + "1,the cat sat,5\n" * 50_000)
    monkeypatch.setattr(sample, "SAMPLE_BYTES", 1 << 18)
    monkeypatch.setattr(files, "BLOCK_BYTES", 1 << 14)
    (tmp_path / "part").mkdir()
    read_part = sample.read_sample(str(path), CorpusOptions(column="text", cache=False), tmp_path / "part", 1)
    assert 0.2 < read_part.share < 0.6
    assert EncodedCorpus(tmp_path / "part" / "whole").words.to_pylist() == ["cat", "sat", "the"]


def test_an_estimate_passes_warnings_on_once(tmp_path):
    path = written(tmp_path / "a.csv", HEADING + "1,the cat sat,5\n")
    with pytest.warns(UserWarning, match="looks like a table") as told:
        sampled([str(path)], CorpusOptions(cache=False), 1, tmp_path, several=False)
    assert len(told) == 1

"""The table that describes a model to a person."""

import pickle

import fastnn as fn


def parts_of(summary):
    """The lines of its table, and what it says of memory as one line."""
    lines = summary.splitlines()
    assert max(map(len, lines)) < 80
    assert not any(line.strip().startswith(("MB", "GB")) for line in lines), "a unit is parted from its number"
    first = next(i for i, line in enumerate(lines) if line.startswith("memory beside data"))
    return lines[:first], " ".join(map(str.strip, lines[first:]))


def table_of(model):
    return parts_of(model.summary())[0]


def test_summary_knows_counts_and_bytes():
    model = fn.Sequential([fn.Embedding(5, 2), fn.Flatten(), fn.Dense(4, activation="tanh")], input_shape=(3,))
    lines = table_of(model)
    assert lines[0] == "input (N, 3)"
    assert lines[2].split() == ["embedding", "(N,", "3,", "2)", "w", "(5,", "2)", "10"]
    assert lines[4].startswith("dense (tanh)")
    assert lines[-1] == f"38 parameters, float32, {(5 + 6 + 1) * 64} bytes with padding"
    assert "5 layers" not in repr(model)
    assert "38 parameters" in repr(model)


def test_a_sample_that_is_one_number_has_the_shape_of_the_batch():
    model = fn.Sequential([fn.Embedding(5, 2), fn.Dense(3)], input_shape=())
    lines = table_of(model)
    assert lines[0] == "input (N,)"
    assert lines[-1].startswith("19 parameters")


def test_columns_are_aligned_and_large_counts_have_commas():
    model = fn.Sequential([fn.Dense(1000), fn.Dense(2)], input_shape=(10,))
    _, *lines, last = table_of(model)
    assert len({len(line) for line in lines}) == 1
    assert lines[1].endswith("11,000")
    assert last.startswith("13,002 parameters")


def test_the_last_lines_tell_the_memory_to_predict_and_to_train():
    model = fn.Sequential([fn.Dense(1000), fn.Dense(2)], input_shape=(1000,))
    usual, large, other = (
        parts_of(model.summary(**given))[1] for given in ({}, {"batch_size": 50_000}, {"optimizer": fn.SGD(0.1)})
    )
    assert usual.startswith("memory beside data: 8.2 MB to predict; to train in batches of 32 by adam ")
    assert "optimizer 8.2 MB" in usual
    assert "step 6" in large  # 50,000 rows of 3 · 1,000 numbers and some more
    assert "optimizer" not in other
    trained = fn.Adam()
    model.summary(optimizer=trained)
    assert not trained.state


def test_a_summary_is_a_text_that_a_notebook_shows_as_a_table():
    model = fn.Sequential([fn.Dense(4, name="<first>"), fn.Dense(2)], input_shape=(3,))
    summary = model.summary()
    assert isinstance(summary, str)
    assert repr(summary) == str(summary) == "\n".join(summary.splitlines())
    again = pickle.loads(pickle.dumps(summary))
    assert (again, again._repr_html_()) == (summary, summary._repr_html_())
    for html in (summary._repr_html_(), model._repr_html_()):
        assert html.count("<tr>") == 3
        assert "&lt;first&gt;" in html
        assert "26 parameters" in html
    assert "memory beside data" in summary._repr_html_()

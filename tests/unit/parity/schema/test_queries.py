"""What the queries of the catalog are written in."""

from importlib.resources import files

import pytest

QUERIES = sorted(files("trueup.parity.schema").joinpath("queries").iterdir(), key=str)


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_query_can_be_sent_to_a_database_of_any_encoding(query):
    assert query.read_text(encoding="utf-8").isascii()

from trueup.parity.data.hashing.references import VALUES, disagreements, reference_query


def test_each_text_is_asked_for_in_a_row_and_alone() -> None:
    """Rows are hashed by both functions."""
    text = reference_query().decode()

    assert text.count("hashtextextended(") == len(VALUES["text"])
    assert text.count("hash_record_extended(") == sum(map(len, VALUES.values()))


def test_a_type_without_hashes_agrees_with_nothing() -> None:
    alike: dict[str, object] = {name: [1] for name in VALUES}

    assert disagreements(alike, alike) == frozenset()
    assert disagreements(alike, {**alike, "text": [1, 2]}) == {"text"}
    assert disagreements({}, {}) == frozenset(VALUES)

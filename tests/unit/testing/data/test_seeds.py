from trueup.testing.data.seeds import seed_of


def test_seed_of_a_test_depends_on_run_and_test_alone():
    assert seed_of(7, "test_a.py::test_one") == seed_of(7, "test_a.py::test_one")


def test_other_test_or_run_has_another_seed():
    assert len({seed_of(7, "a"), seed_of(7, "b"), seed_of(8, "a"), seed_of(77, "")}) == 4


def test_seed_is_the_same_in_every_process_and_version():
    """Python's own hash isn't."""
    assert seed_of(7, "test_a.py::test_one") == 16800833052846769655

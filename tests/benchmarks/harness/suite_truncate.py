from work import insert_three


def test_truncate(truncated, number):
    insert_three(truncated)

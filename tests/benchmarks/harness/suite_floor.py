from work import insert_three


def test_floor(kept, number):
    insert_three(kept)

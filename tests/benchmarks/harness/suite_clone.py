from work import insert_three


def test_clone(cloned, number):
    insert_three(cloned)

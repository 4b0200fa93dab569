def test_empty(number):
    pass

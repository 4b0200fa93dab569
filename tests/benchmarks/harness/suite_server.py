def test_server(server, number):
    pass

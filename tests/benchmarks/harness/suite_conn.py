from work import insert_three


def test_conn(conn, number):
    insert_three(conn)

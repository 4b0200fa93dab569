from threading import Event

from work import insert_three


def test_fresh_db(fresh_db, number):
    with fresh_db.connection() as connection:
        insert_three(connection)
    Event().wait(0.02)

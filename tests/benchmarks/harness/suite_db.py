from work import insert_three


def test_db(db, number):
    with db.connection() as connection:
        insert_three(connection)

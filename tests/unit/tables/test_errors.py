import pickle

from trueup.tables import CleanUpRefused
from trueup.tables.errors import Objection


def test_refused_clean_up_names_every_table_that_speaks_against_it():
    objections = [Objection(table=f"public.{name}", rows=2, reason=f"2 {name}") for name in ("a", "b")]

    refused = CleanUpRefused(*objections)

    assert str(refused) == "nothing was deleted: public.a: 2 a; public.b: 2 b"
    assert pickle.loads(pickle.dumps(refused)).objections == tuple(objections)

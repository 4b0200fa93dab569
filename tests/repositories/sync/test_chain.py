"""Many salons one after the other: none waits for another's luck, and no number of them needs more memory."""

import re
import tracemalloc

import psutil
import pytest
from tests.repositories.sync.conftest import SALON, fixture
from tests.repositories.sync.salon_server import PARTNER, USER, SalonServer, good, refusal

from ai_admin.sync import ApiUnreachable, Pace, SalonSync, YClients, sync_chain
from ai_admin.sync.pace import Limit
from trueup.conninfo import Secret

LISTS = {
    f"company/{SALON}/service_categories": "service_categories",
    f"company/{SALON}/services": "services",
    f"company/{SALON}/staff": "staff",
    f"company/{SALON}/clients/search": "clients",
}


class ChainServer(SalonServer):
    """Has any number of salons, each like the others."""

    def answer(self, path, asked, authorization):
        number = re.search("[0-9]+", path)[0]
        self.company = fixture("company") | {"id": int(number)}
        if path == f"company/{number}" or self.failures.get(path):
            return super().answer(path, asked, authorization)
        alike = path.replace(number, str(SALON), 1)
        self.lists.setdefault(alike, [])
        return super().answer(alike, asked, authorization)


@pytest.fixture
def chain():
    """Return a server that has any number of salons, each with the lists of the fixtures and nothing booked."""
    server = ChainServer()
    server.lists = {path: fixture(name) for path, name in LISTS.items()}
    yield server
    server.stop()


@pytest.fixture
def salons(chain, committing):
    """Return what gives the sync of a salon."""
    pace = Pace((Limit(100_000, 1.0),))
    api = YClients(chain.url, partner=Secret(PARTNER), user=Secret(USER), pace=pace, timeout_s=5.0)
    yield lambda company_id: SalonSync(committing, api, company_id)
    api.close()


def test_failure_of_one_salon_ends_that_one_alone(chain, salons, read):
    chain.failures["company/102/services"] = [refusal(503, {"Retry-After": "0.01"})] * 4
    chain.lists[f"company/{SALON}/clients/search"] = [{"id": 1, "name": "[TEST]"}]

    first, second, third = sync_chain(salons, [101, 102, 103])

    assert [each.company_id for each in (first, second, third)] == [101, 102, 103]
    assert [len(each.outcomes) for each in (first, second, third)] == [6, 1, 6]
    assert [type(each.failure) for each in (first, second, third)] == [type(None), ApiUnreachable, type(None)]
    assert [each.is_whole for each in (first, second, third)] == [True, False, True]
    assert read("select company_id, count(*) from clients where company_id > 0 group by 1 order by 1") == [
        (101, 1),
        (103, 1),
    ]


def test_salon_with_rejects_is_not_whole(chain, salons):
    chain.lists[f"company/{SALON}/clients/search"] = [{"id": 1, "name": "[TEST]"}, {"id": "x"}]

    (synced,) = sync_chain(salons, [101])

    assert (synced.failure, synced.is_whole, len(synced.outcomes)) == (None, False, 6)
    assert [len(each.rejects) for each in synced.outcomes if each.run.entity == "clients"] == [1]


def test_salons_are_synced_as_they_are_asked_for(chain, salons):
    next(sync_chain(salons, [101, 102]))

    assert chain.requests["company/101"] == 1
    assert chain.requests["company/102"] == 0


def test_answer_about_another_salon_is_refused(chain, salons):
    chain.failures["company/102"] = [good({"id": 101, "title": "[TEST]"}, [])]

    (synced,) = sync_chain(salons, [102])

    assert str(synced.failure) == "company 102 was asked for, and another one came"


def grown_bytes(synced_salons, *, after: int) -> int:
    """Return by how much the memory in use grows, from some salons on to the end."""
    held = []
    for number, synced in enumerate(synced_salons, 1):
        assert synced.is_whole, synced
        del synced
        if number >= after:
            held.append(tracemalloc.get_traced_memory()[0])
    return max(held) - held[0]


def test_chain_remembers_no_salon_that_is_over(chain, salons):
    clients = [{"id": number, "name": "[TEST] " + "x" * 2000} for number in range(1, 101)]
    chain.lists[f"company/{SALON}/clients/search"] = clients

    tracemalloc.start()
    grown = grown_bytes(sync_chain(salons, range(101, 106)), after=2)
    tracemalloc.stop()

    assert grown < len(clients) * 2000, "less than the names of one salon's clients"


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_200_salons_of_real_size_need_the_memory_of_one(chain, salons, read):
    """260,000 clients."""
    chain.lists |= {
        f"company/{SALON}/services": [{**fixture("services")[1], "id": number} for number in range(1, 61)],
        f"company/{SALON}/staff": [{**fixture("staff")[0], "id": number} for number in range(1, 13)],
        f"company/{SALON}/clients/search": [
            {**fixture("clients")[0], "id": number, "phone": f"+7000{number:07}"} for number in range(1, 1301)
        ],
    }
    process, held = psutil.Process(), []
    for synced in sync_chain(salons, range(1001, 1201)):
        assert synced.is_whole, synced
        held.append(process.memory_info().rss)

    told = ", ".join(f"{held[at] >> 20} MB after {at + 1}" for at in (0, 19, 199))
    print(f"{told}; {max(held) >> 20} MB at most")  # noqa: T201 — a figure for the page that quotes it
    assert max(held[20:]) - held[20] < 30 * 2**20
    assert read("select count(*), count(distinct company_id) from clients where company_id > 0") == [(260_000, 200)]

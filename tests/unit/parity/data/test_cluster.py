import gc

import pytest
from distributed import Client

from trueup.errors import Unverifiable, UsageError
from trueup.parity.data import open_cluster


@pytest.mark.parametrize(
    ("address", "error", "said"),
    [
        ("nowhere", UsageError, "missing port"),
        ("nowhere:x", UsageError, "invalid literal"),
        ("carrier-pigeon://nowhere:1", UsageError, "unknown address scheme"),
        ("scheduler.invalid:8786", Unverifiable, r"can't be reached \(gaierror\)"),
    ],
)
def test_address_that_is_none_is_told_and_leaves_no_client_that_waits(address, error, said):
    with pytest.raises(error, match=said), open_cluster(address):
        pytest.fail("there is no cluster")

    gc.collect()
    assert not Client._instances

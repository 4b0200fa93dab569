"""Real faults for tests: each ends with its block, and reaches nothing off this machine."""

from trueup.testing.faults.clock import Clock, age_rows
from trueup.testing.faults.disk import SmallDisk, small_disk
from trueup.testing.faults.pools import full_pool, hold
from trueup.testing.faults.proxy import Proxy
from trueup.testing.faults.servers import outage, pause, restart
from trueup.testing.faults.sessions import deadlock, hold_lock, terminate
from trueup.testing.faults.wire import Action, Fault

__all__ = [
    "Action",
    "Clock",
    "Fault",
    "Proxy",
    "SmallDisk",
    "age_rows",
    "deadlock",
    "full_pool",
    "hold",
    "hold_lock",
    "outage",
    "pause",
    "restart",
    "small_disk",
    "terminate",
]

"""Every way to open a connection from a process of tests, and to start what may do so, led through the gate."""

from trueup.testing.guard.doors.imports import Doors

__all__ = ["Doors"]

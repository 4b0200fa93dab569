"""How many examples a property is tried with: few on every save, many when asked (`--hypothesis-profile=thorough`)."""

import signal

from hypothesis import Phase, settings

QUICK = settings(deadline=None, max_examples=30, phases=set(Phase) - {Phase.explain})

settings.register_profile("quick", QUICK)
settings.register_profile("thorough", QUICK, max_examples=1_000)
settings.load_profile("quick")

pytest_plugins = ["pytester"]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As for whatever a shell starts in the background: tests of interruptions would wait for ever.
    signal.signal(signal.SIGINT, signal.default_int_handler)

"""The commands: parse, call, print, exit."""

from trueup.cli.main import main, trueup

__all__ = ["main", "trueup"]

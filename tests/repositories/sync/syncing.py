"""Syncs the clients of a salon, as a program that somebody may kill: python syncing.py COMPANY_ID."""

import sys

from ai_admin.app import syncs
from trueup.settings import Settings

if __name__ == "__main__":
    with syncs(Settings.load()) as sync:
        sync(int(sys.argv[1])).sync_clients()

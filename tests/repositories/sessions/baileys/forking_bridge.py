"""Serves the store of one company on a socket: each connection has a process of its own, which tests kill.

python forking_bridge.py SOCKET COMPANY_ID, with the database in TRUEUP_DATABASE.
"""

import json
import os
import signal
import socket
import sys

from ai_admin.sessions.bridge import serve
from ai_admin.sessions.store import SessionStore
from trueup.db import Database
from trueup.settings import DatabaseSettings


def main(path: str, company_id: str) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    settings = DatabaseSettings.from_env()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                with connection, connection.makefile("rwb") as stream, Database(settings) as db:
                    stream.write(json.dumps({"pid": os.getpid()}).encode() + b"\n")
                    stream.flush()
                    serve(SessionStore(db, company_id), stream, stream)
                os._exit(0)
            connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The TLS end of a server that was built without it: what clients send is decrypted here and passed on."""

import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path
from typing import Self

import trustme

SSL_REQUEST = bytes.fromhex("0000000804d2162f")


class TlsFront:
    """Is a port that speaks PostgreSQL's TLS for a server, with a certificate for `name`."""

    def __init__(self, port: int, authority: trustme.CA, name: str) -> None:
        self.server_port = port
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(self.context)
        self.encrypted = 0
        """Connections on which a client agreed to the certificate."""
        self.ends: list[socket.socket] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.listen, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut()

    def cut(self) -> None:
        """End every connection without a word."""
        for end in self.ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def listen(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client: socket.socket) -> None:
        """Agree to TLS, then pass on; any other first message (a cancel, as libpq before 17 sends it) goes as it is."""
        with client, suppress(OSError):
            first = client.recv(8, socket.MSG_WAITALL)
            if first == SSL_REQUEST:
                client.sendall(b"S")
                client = self.context.wrap_socket(client, server_side=True)
                self.encrypted += 1
                first = b""
            with client, socket.create_connection(("127.0.0.1", self.server_port)) as server:
                self.ends += [client, server]
                server.sendall(first)
                back = threading.Thread(target=pump, args=(server, client), daemon=True)
                back.start()
                pump(client, server)
                back.join()


def pump(source: socket.socket, sink: socket.socket) -> None:
    """Pass on what comes from `source` until one of the two ends."""
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def trust(authority: trustme.CA, folder: Path) -> str:
    """Return a file with the certificate that clients are to trust."""
    file = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    return str(file)

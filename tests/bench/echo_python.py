"""Python's socketserver, measured as echo.c measures ours: one client, 20 bytes there and back, best of 3."""
import os
import signal
import socket
import socketserver
import sys
import time

TRIPS, REPEATS = 5000, 3


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while True:
            data = self.request.recv(16384)
            if not data:
                break
            self.request.sendall(data.upper())


def measure(kind):
    server = kind(("127.0.0.1", 0), Echo)
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        server.serve_forever()
    best = 1e9
    for _ in range(REPEATS):
        with socket.create_connection(server.server_address) as client:
            start = time.monotonic()
            for _ in range(TRIPS):
                client.sendall(b"a line of 20 bytes.\n")
                size = 0
                while size < 20:
                    size += len(client.recv(16384))
            best = min(best, time.monotonic() - start)
    server.server_close()
    os.kill(pid, signal.SIGTERM)
    os.waitpid(pid, 0)
    return best / TRIPS * 1e6


for name in "ForkingTCPServer", "ThreadingTCPServer":
    print("%s of Python %s, and its client: %.2f us" % (name, sys.version.split()[0], measure(getattr(socketserver, name))))

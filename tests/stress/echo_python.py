"""Python's clients for the servers of chapter 11, and servers of all kinds for its echo_client.
echo_python.py client PORT | server PATH_OF_ECHO_CLIENT        exit 1 and a line, if something is wrong"""
import random
import socket
import subprocess
import sys
import threading


def receive(connection, size):
    data = b""
    while len(data) < size:
        piece = connection.recv(65536)
        if not piece:
            break
        data += piece
    return data


def one_client(port, seed, wrong):
    draw = random.Random(seed)
    text = bytes(draw.randrange(256) for _ in range(20000))
    with socket.create_connection(("127.0.0.1", port)) as connection:
        got = []
        reader = threading.Thread(target=lambda: got.append(receive(connection, len(text) + 1)))
        reader.start()
        at = 0
        while at < len(text):
            size = draw.choice((1, 7, 1000))
            connection.sendall(text[at:at + size])
            at += size
        connection.shutdown(socket.SHUT_WR)
        reader.join()
    if got != [text.upper()]:       # for bytes, upper() means ASCII
        wrong.append("client %d: other bytes came back" % seed)


def clients(port):
    wrong = []
    threads = [threading.Thread(target=one_client, args=(port, seed, wrong)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong


def run_client(path, text, serve):
    """echo_client with TEXT as its input, and a server that does what SERVE says; its output and its end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        client = subprocess.Popen([path, port], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        connection, _ = listener.accept()

        def play():
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                serve(connection)

        server = threading.Thread(target=play)
        server.start()
        if text is None:                # its input stays open: the server must end it
            out, err = client.stdout.read(), client.stderr.read()
            client.stdin.close()
            client.wait(10)
        else:
            out, err = client.communicate(text, timeout=10)
        server.join()
        return out, err, client.returncode


def byte_by_byte(connection):
    data = b""
    while piece := connection.recv(100):
        data += piece
    for byte in data.upper():
        connection.sendall(bytes([byte]))


def servers(path):
    wrong = []
    text = "gr\u00fc\u00dfe \u4f60\u597d \U0001f600\nno newline at the end \u00e9".encode()
    out, err, status = run_client(path, text, byte_by_byte)
    if (out, err, status) != (text.upper(), b"", 0):
        wrong.append("byte by byte: %r %r %r" % (out, err, status))
    for what, serve in (("ends at once", lambda connection: None),
                        ("ends halfway", lambda connection: connection.sendall(connection.recv(3)[:2].upper()))):
        for given in (text, None):
            out, err, status = run_client(path, given, serve if given else lambda connection: None)
            if status != 1 or not err.startswith(b"the server ended the talk") or err.count(b"\n") != 1:
                wrong.append("%s: %r %r %r" % (what, out, err, status))
    return wrong


if __name__ == "__main__":
    found = clients(int(sys.argv[2])) if sys.argv[1] == "client" else servers(sys.argv[2])
    sys.exit("\n".join(found) if found else 0)

"""A client's load on a published port: load.py WHAT ADDRESS PORT SECONDS PROCESSES.

connections  opens a connection, asks for a page, reads it to the end; again and again
requests     asks for a page over a connection that stays open
datagrams    sends UDP packets of 64 bytes

Does it for SECONDS at each line of input, and answers with a line: how often it was done, how often a second, and how many seconds of
processor time that took the client.
"""
import os
import resource
import socket
import struct
import sys
import time

what, address, port, seconds, processes = sys.argv[1:]
peer, seconds = (address, int(port)), float(seconds)
tcp = (socket.AF_INET, socket.SOCK_STREAM)


def connections():
    closing = b"GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n"
    # Closed by a reset, or the client would run out of ports.
    reset = struct.pack("ii", 1, 0)

    def load():
        with socket.socket(*tcp) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            connection.connect(peer)
            connection.sendall(closing)
            page = b""
            while more := connection.recv(4096):
                page += more
            assert page.startswith(b"HTTP/1.1 200 "), page

    return load


def requests():
    connection = socket.create_connection(peer)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def load():
        connection.sendall(b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n")
        page = connection.recv(4096)
        assert page.startswith(b"HTTP/1.1 200 "), page

    return load


def datagrams():
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.connect(peer)
    packet = b"x" * 64
    return lambda: sender.send(packet)


def child(start, report):
    load = globals()[what]()
    # The first is no part of it: neighbours are looked up, routes cached.
    load()
    os.write(report, b"ready\n")
    os.read(start, 1)
    count, begin = 0, time.monotonic()
    while (now := time.monotonic()) < begin + seconds:
        for _ in range(10):
            load()
        count += 10
    spent = resource.getrusage(resource.RUSAGE_SELF)
    os.write(report, b"%d %f %f\n" % (count, now - begin, spent.ru_utime + spent.ru_stime))


for _ in sys.stdin:
    start, begin = os.pipe()
    reports, report = os.pipe()
    for _ in range(int(processes)):
        if os.fork() == 0:
            os.close(begin)
            child(start, report)
            os._exit(0)
    os.close(report)
    with os.fdopen(reports) as lines:
        for _ in range(int(processes)):
            assert lines.readline() == "ready\n", "a process failed"
        os.write(begin, b"x" * int(processes))
        done = [[float(field) for field in line.split()] for line in lines]
    assert len(done) == int(processes), "a process failed"
    for end in (start, begin):
        os.close(end)
    for _ in done:
        os.wait()
    count, rate, spent = (sum(values) for values in zip(*[(c, c / s, cpu) for c, s, cpu in done]))
    print(f"{count:.0f} {rate} {spent}", flush=True)

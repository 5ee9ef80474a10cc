"""Traffic between two namespaces, for the benches.

    traffic.py serve                     takes bytes on TCP port 5001, sends UDP datagrams on port 5002 back; says "ready" first
    traffic.py throughput HOST SECONDS   prints MiB a second
    traffic.py latency HOST COUNT        prints the milliseconds of a round trip, on average

The server keeps to the last processor, the others to the first: where the scheduler puts two that wake each other makes more of a difference than any rule.
"""
import os
import socket
import sys
import threading
import time

block = bytes(1 << 20)


def serve():
    listener = socket.create_server(("0.0.0.0", 5001))
    echo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    echo.bind(("0.0.0.0", 5002))

    def answer():
        while True:
            data, sender = echo.recvfrom(64)
            echo.sendto(data, sender)

    threading.Thread(target=answer, daemon=True).start()
    print("ready", flush=True)
    buffer = bytearray(1 << 20)
    while True:
        connection, _ = listener.accept()
        while connection.recv_into(buffer) > 0:
            pass
        connection.close()


def throughput(host, seconds):
    connection = socket.create_connection((host, 5001))
    start = time.monotonic()
    sent = 0
    while time.monotonic() - start < float(seconds):
        sent += connection.send(block)
    print(sent / (time.monotonic() - start) / 1024 / 1024)


def latency(host, count):
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    link.settimeout(5)
    link.connect((host, 5002))
    for _ in range(100):
        link.send(b"x")
        link.recv(64)
    start = time.monotonic()
    for _ in range(int(count)):
        link.send(b"x")
        link.recv(64)
    print((time.monotonic() - start) / int(count) * 1000)


processors = sorted(os.sched_getaffinity(0))
os.sched_setaffinity(0, {processors[-1 if sys.argv[1] == "serve" else 0]})
{"serve": serve, "throughput": throughput, "latency": latency}[sys.argv[1]](*sys.argv[2:])

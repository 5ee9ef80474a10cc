"""Raw Ethernet frames, for the tests of the bridge driver.

    frames.py relay NAMESPACE TAP GUEST_NAMESPACE MAC   plugs a guest namespace's eth0 into a tap, as QEMU plugs a guest in
    frames.py send INTERFACE                            sends frames given in hex on stdin, one a line
    frames.py sniff INTERFACE MARK                      prints in hex each frame that comes in and holds MARK (text), once it listens "ready" first
"""
import ctypes
import errno
import fcntl
import os
import select
import socket
import struct
import subprocess
import sys

TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000
CLONE_NEWNET = 0x40000000
ETH_P_ALL = 3
PACKET_OUTGOING = 4


def enter(namespace):
    handle = os.open(namespace, os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(handle, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), namespace)
    os.close(handle)


def open_tap(name):
    handle = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(handle, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return handle


def relay(namespace, tap, guest_namespace, mac):
    enter(namespace)
    outer = open_tap(tap)
    enter(guest_namespace)
    inner = open_tap("eth0")
    for arguments in (["set", "dev", "eth0", "address", mac], ["set", "dev", "eth0", "up"], ["set", "dev", "lo", "up"]):
        subprocess.run(["ip", "link", *arguments], check=True)
    print("ready", flush=True)
    other = {outer: inner, inner: outer}
    while True:
        for handle in select.select([outer, inner], [], [])[0]:
            try:
                frame = os.read(handle, 65536)
            except OSError as error:
                if error.errno == errno.EBADFD:
                    return  # The link is gone.
                raise
            try:
                os.write(other[handle], frame)
            except OSError:
                pass  # The other end is down.


def send(interface):
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    raw.bind((interface, 0))
    for line in sys.stdin:
        raw.send(bytes.fromhex(line.strip()))


def sniff(interface, mark):
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    raw.bind((interface, ETH_P_ALL))
    print("ready", flush=True)
    while True:
        frame, address = raw.recvfrom(65536)
        if address[2] != PACKET_OUTGOING and mark.encode() in frame:
            print(frame.hex(), flush=True)


{"relay": relay, "send": send, "sniff": sniff}[sys.argv[1]](*sys.argv[2:])

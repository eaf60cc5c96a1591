"""server-witness.py SECONDS PACKETS SSH-PORT ADDRESS...: what server-witness.sh does with tcpdump, where that is not installed.

Prints packets of these addresses as a capture, until standard input ends. This text holds no single quote.
"""

import ctypes
import ipaddress
import os
import select
import socket
import struct
import sys
import time

SNAP = 128
LINKTYPE_RAW = 101
SOL_PACKET, PACKET_STATISTICS = 263, 6
SO_ATTACH_FILTER = 26
ETH_P_ALL = 3
RST_SYN = 0x06

seconds, most, ssh_port = (int(each) for each in sys.argv[1:4])
addresses = []
for text in sys.argv[4:]:
    try:
        address = ipaddress.ip_address(text.split("%")[0])
    except ValueError:
        continue
    addresses.append(getattr(address, "ipv4_mapped", None) or address)


def matching(address):
    """Instructions that accept a packet from or to this address (bpf(4)): load a word, compare it, go on or leave."""
    packed = address.packed
    words = struct.unpack("!%dI" % (len(packed) // 4), packed)
    for start in (12, 16) if address.version == 4 else (8, 24):
        for index, word in enumerate(words):
            yield 0x20, 0, 0, start + 4 * index
            yield 0x15, 0, 2 * (len(words) - index) - 1, word
        yield 0x06, 0, 0, SNAP


def program():
    """The kernel hands over no packet of anybody else, however many there are."""
    ipv4 = [each for address in addresses if address.version == 4 for each in matching(address)]
    ipv6 = [each for address in addresses if address.version == 6 for each in matching(address)]
    none = [(0x06, 0, 0, 0)]
    # The version stands in the first half of the first byte.
    return [(0x30, 0, 0, 0), (0x74, 0, 0, 4), (0x15, 1, 0, 4), (0x05, 0, 0, len(ipv4) + 1)] + ipv4 + none + ipv6 + none


def attach(receiver):
    code = b"".join(struct.pack("HBBI", *each) for each in program())
    text = ctypes.create_string_buffer(code)
    receiver.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", len(code) // 8, ctypes.addressof(text)))


def wanted(packet):
    """Its length on the wire; None for what tells nothing: TCP that neither opens nor resets, and ssh itself."""
    version = packet[0] >> 4
    if version == 4 and len(packet) >= 20:
        header, protocol, length = 4 * (packet[0] & 15), packet[9], struct.unpack_from("!H", packet, 2)[0]
    elif version == 6 and len(packet) >= 40:
        header, protocol, length = 40, packet[6], 40 + struct.unpack_from("!H", packet, 4)[0]
    else:
        return None
    if protocol == socket.IPPROTO_TCP:
        if len(packet) < header + 14 or not packet[header + 13] & RST_SYN:
            return None
        if ssh_port in struct.unpack_from("!HH", packet, header):
            return None
    return max(length, len(packet))


def put(data):
    while data:
        data = data[os.write(1, data) :]


def main():
    receiver = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    attach(receiver)
    put(struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, SNAP, LINKTYPE_RAW))
    print("listening on all interfaces", file=sys.stderr, flush=True)
    end = time.monotonic() + seconds
    seen = 0
    while seen < most and time.monotonic() < end:
        readable, _, _ = select.select([receiver, 0], [], [], max(0, end - time.monotonic()))
        if receiver in readable:
            packet = receiver.recv(SNAP)
            length = wanted(packet) if packet else None
            if length is not None:
                now = time.time()
                head = struct.pack("=IIII", int(now), int(now % 1 * 1e6), len(packet), length)
                put(head + packet)
                seen += 1
        elif 0 in readable and not os.read(0, 4096):
            break
    else:
        print("witness: ended early", file=sys.stderr)
    _, dropped = struct.unpack("II", receiver.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
    print("%d packets dropped by kernel" % dropped, file=sys.stderr)


try:
    main()
except BrokenPipeError:
    pass

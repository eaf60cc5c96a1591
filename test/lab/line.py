#!/usr/bin/env python3
"""A bad line between two network namespaces, for kernels without netem.

    line.py NAMESPACE DEVICE NAMESPACE DEVICE --counters FILE [--delay MS] [--jitter MS] [--loss PERCENT] [--seed N]

Makes a TAP device in each namespace and carries Ethernet frames between the two. Each direction is on its own: every frame is
lost with the given probability, or arrives after delay ± jitter (uniform), and never before one that was sent earlier.

FILE holds, as JSON, what was done so far in each direction: frames that came, were lost and were delivered, and mean and
standard deviation of the delay that they had. It appears when the line is ready, and is written anew ten times a second.

It is Python because Node.js can neither open a TAP device nor change its namespace.
"""

import argparse
import ctypes
import fcntl
import heapq
import json
import math
import os
import random
import select
import struct
import time

CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
WRITE_COUNTERS_EVERY_S = 0.1
MOST_FRAMES_AT_ONCE = 64  # so that frames that are due do not wait for a burst to be read
libc = ctypes.CDLL(None, use_errno=True)


class Direction:
    """Frames from one end to the other."""

    def __init__(self, source, sink):
        self.source, self.sink = source, sink
        self.last_due = 0.0
        self.came = self.lost = self.delivered = 0
        self.sum_ms = self.sum_of_squares = 0.0

    def delivered_after(self, delay_ms):
        self.delivered += 1
        self.sum_ms += delay_ms
        self.sum_of_squares += delay_ms * delay_ms

    def counters(self):
        count = max(1, self.delivered)
        mean = self.sum_ms / count
        deviation = math.sqrt(max(0.0, self.sum_of_squares / count - mean * mean))
        return {
            "came": self.came,
            "lost": self.lost,
            "delivered": self.delivered,
            "meanDelayMs": mean,
            "delayDeviationMs": deviation,
        }


def main():
    options = arguments()
    ends = [
        tap(options.namespace_a, options.device_a),
        tap(options.namespace_b, options.device_b),
    ]
    directions = [Direction(ends[0], ends[1]), Direction(ends[1], ends[0])]
    dice = random.Random(options.seed)
    poll = select.epoll()
    for end in ends:
        poll.register(end, select.EPOLLIN)
    under_way = []  # heap of (due, number, came at, direction, frame)
    number = 0
    counters_due = 0.0
    while True:
        now = time.monotonic()
        if now >= counters_due:
            write_counters(options.counters, directions)
            counters_due = now + WRITE_COUNTERS_EVERY_S
        next_due = min([counters_due] + [frame[0] for frame in under_way[:1]])
        for end, _ in poll.poll(max(0.0, next_due - now)):
            direction = directions[ends.index(end)]
            for frame in waiting_frames(end):
                direction.came += 1
                if dice.random() * 100 < options.loss:
                    direction.lost += 1
                    continue
                came_at = time.monotonic()
                delay_ms = options.delay + dice.uniform(-options.jitter, options.jitter)
                due = max(came_at + max(0.0, delay_ms) / 1000, direction.last_due)
                direction.last_due = due
                number += 1
                heapq.heappush(under_way, (due, number, came_at, direction, frame))
        while under_way and under_way[0][0] <= time.monotonic():
            _, _, came_at, direction, frame = heapq.heappop(under_way)
            deliver(direction, frame, came_at)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("namespace_a", "device_a", "namespace_b", "device_b"):
        parser.add_argument(name)
    parser.add_argument("--counters", required=True)
    for name in ("delay", "jitter", "loss"):
        parser.add_argument(f"--{name}", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def tap(namespace, device):
    with open(f"/run/netns/{namespace}", "rb") as handle:
        if libc.setns(handle.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter the namespace {namespace}")
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(end, TUNSETIFF, struct.pack("16sH22x", device.encode(), IFF_TAP | IFF_NO_PI))
    return end


def waiting_frames(end):
    for _ in range(MOST_FRAMES_AT_ONCE):
        try:
            yield os.read(end, 65536)
        except BlockingIOError:
            return


def deliver(direction, frame, came_at):
    try:
        os.write(direction.sink, frame)
    except OSError:
        return  # the device at the other end is switched off
    direction.delivered_after((time.monotonic() - came_at) * 1000)


def write_counters(path, directions):
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        json.dump([direction.counters() for direction in directions], file)
    os.replace(f"{path}.new", path)


main()

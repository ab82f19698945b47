"""
A link between two network namespaces, both of its own making: a TUN device in each, and every packet in between goes through here.
Rule: a packet is lost, delayed or held back for the rate, and never changed, duplicated or reordered; what is lost is drawn from the seed.
Nothing of it outlives this process and those that were started in the namespaces: they have no names and nothing to clean up. Needs root.

    link-emulator.py DEVICE DELAY_MS LOSS_PERCENT MEGABITS SEED      delay one way, rate of each direction

It says `ready NEAR FAR`, which are paths for `nsenter --net=`, and takes one command a line on stdin, each answered when it is in force:
`down` (what is sent and what is on its way is gone, and nobody is told), `up`, `delay MS`, `loss PERCENT`, and `counts`, answered by JSON;
`after BYTES` is answered when so many have crossed, both directions together. It ends when stdin does.
"""
import collections
import ctypes
import fcntl
import json
import os
import random
import select
import struct
import sys
import time

CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000
QUEUE_S = 0.1  # what waits for the rate; more is dropped, as a router does
BURST = 64  # packets taken from one end before the other has its turn


def end_of_link(device):
    """A new network namespace with one TUN device, down and without an address: the device, and a path by which others enter."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), 'no network namespace can be made')
    tun = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)  # of the namespace that we are in now
    fcntl.ioctl(tun, TUNSETIFF, struct.pack('16sH22x', device.encode(), IFF_TUN | IFF_NO_PI))
    return tun, f'/proc/{os.getpid()}/fd/{os.open("/proc/thread-self/ns/net", os.O_RDONLY)}'


class Direction:
    def __init__(self, link, source, sink, seed):
        self.link, self.source, self.sink = link, source, sink
        self.draw = random.Random(seed).random
        self.on_its_way = collections.deque()  # (when it is due, packet)
        self.free_at = 0.0  # when the rate lets the next one go
        self.counts = {'packets': 0, 'bytes': 0, 'lost': 0, 'overflowed': 0, 'unreachable': 0}

    def take(self):
        for _ in range(BURST):
            try:
                packet = os.read(self.source, 65536)
            except BlockingIOError:
                return
            now = time.monotonic()
            start = max(now, self.free_at)
            if self.link.down or self.draw() < self.link.loss:
                self.counts['lost'] += 1
            elif start - now > QUEUE_S:
                self.counts['overflowed'] += 1
            else:
                self.free_at = start + len(packet) * 8 / self.link.bits_per_s
                last = self.on_its_way[-1][0] if self.on_its_way else 0.0
                self.on_its_way.append((max(last, self.free_at + self.link.delay_s), packet))

    def give(self):
        while self.on_its_way and self.on_its_way[0][0] <= time.monotonic():
            packet = self.on_its_way.popleft()[1]
            try:
                os.write(self.sink, packet)
            except OSError:  # the interface is down
                self.counts['unreachable'] += 1
            else:
                self.counts['packets'] += 1
                self.counts['bytes'] += len(packet)

    def cut(self):
        self.counts['lost'] += len(self.on_its_way)
        self.on_its_way.clear()


class Link:
    def __init__(self, near, far, delay_ms, loss_percent, megabits, seed):
        self.delay_s, self.loss, self.bits_per_s = delay_ms / 1e3, loss_percent / 100, megabits * 1e6
        self.down = False
        self.up_way, self.down_way = self.ways = Direction(self, near, far, seed), Direction(self, far, near, seed + 1)
        self.marks = []

    def run(self):
        commands = b''
        while True:
            due = [way.on_its_way[0][0] for way in self.ways if way.on_its_way]
            wait_s = max(0.0, min(due) - time.monotonic()) if due else None
            readable, _, _ = select.select([0, *(way.source for way in self.ways)], [], [], wait_s)
            for way in self.ways:
                if way.source in readable:
                    way.take()
                way.give()
            if 0 in readable:
                chunk = os.read(0, 4096)
                if not chunk:
                    return
                *lines, commands = (commands + chunk).split(b'\n')
                for line in lines:
                    self.obey(*line.decode().split())
            if self.marks:
                self.tell_marks()

    def obey(self, command, value=None):
        if command in ('down', 'up'):
            self.down = command == 'down'
            for way in self.ways if self.down else ():
                way.cut()
        elif command == 'delay':
            self.delay_s = float(value) / 1e3
        elif command == 'loss':
            self.loss = float(value) / 100
        elif command == 'counts':
            say('counts', json.dumps({'up': self.up_way.counts, 'down': self.down_way.counts}))
            return
        elif command == 'after':
            self.marks.append(int(value))
            return
        else:
            raise ValueError(f'unknown command {command}')
        say(command, *([value] if value else []))

    def tell_marks(self):
        crossed = sum(way.counts['bytes'] for way in self.ways)
        for mark in [mark for mark in self.marks if mark <= crossed]:
            self.marks.remove(mark)
            say('after', mark)


def say(*words):
    print(*words, flush=True)


def main(device, *numbers):
    near, near_path = end_of_link(device)
    far, far_path = end_of_link(device)
    say('ready', near_path, far_path)
    delay_ms, loss_percent, megabits, seed = map(float, numbers)
    Link(near, far, delay_ms, loss_percent, megabits, int(seed)).run()


main(*sys.argv[1:])

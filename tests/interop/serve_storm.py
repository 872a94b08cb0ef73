"""Handshakes by the thousand that nobody means to finish: memory, descriptors and log stay bounded
and come back to what they were, others are served, and none costs the server more than a handshake
that is finished."""
import re
import resource
import socket
import time
import unittest

import support
from abuse_support import (GOOD_S, HANDSHAKE_S, REDUCED, Gauge, Starter, client_hello, get,
                           make_site, reset, wait_until)
from support import Server

support.need("openssl")
CA, PAIR, ROOT = make_site()
HELLO = client_hello()
MIB = 1 << 20

HALF_CLOSED = 2000 if REDUCED else 24000
RESET = 2000 if REDUCED else 18000
LEFT_OPEN = 1000 if REDUCED else 8000
BATCH = 400
# What a handshake that waits for the client's Finished may cost: some 11 KiB were measured, a half
# hello takes a buffer of 33 KiB, of which it touches a page or two. A sanitizer has its own ideas.
OPEN_COST = 24 << 10
# What the server holds whatever happens: itself, buffers of a burst, log queues.
REST = 96 * MIB
# Lines for each kind and period (CL_FAILURES_LINES), and the summary
LINES = 51


def raise_file_limit():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


FILES = raise_file_limit()


def told(server):
    """Failures that were told of, each or in sum."""
    text = server.errors.text()
    lines = len(re.findall(r"(?m)^cleat: 127\.\S+: handshake failed: ", text))
    more = sum(map(int, re.findall(r"(?m)^cleat: and (\d+) more like this: ", text)))
    return lines, more


class Storm(unittest.TestCase):
    def batches(self, num, leave):
        """Starts num handshakes; leave() is given each batch."""
        for _ in range(num // BATCH):
            leave([self.start(HELLO) for _ in range(BATCH)])

    def half_close(self, batch):
        for s in batch:
            s.shutdown(socket.SHUT_WR)
        for s in batch:
            support.read_to_end(s)
            s.close()

    def test_fifty_thousand_handshakes_that_are_left(self):
        num_open = min(LEFT_OPEN, FILES - 500)
        began = time.monotonic()
        with Server(*PAIR.args(), "--root", ROOT) as server:
            self.start = Starter(server)
            gauge = Gauge(server)
            waits = [get(server, CA)]
            files, rss = gauge.files(), gauge.rss()
            self.batches(HALF_CLOSED, self.half_close)
            waits.append(get(server, CA))
            self.batches(RESET, lambda batch: [reset(s) for s in batch])
            waits.append(get(server, CA))
            left = [self.start(HELLO if i % 2 else HELLO[:100]) for i in range(num_open)]
            waits.append(get(server, CA))
            most = gauge.most()
            # The clients stay; it is the server that lets go of them.
            wait_until(lambda: f"{gauge.files()} descriptors, {files} before",
                       lambda: gauge.files() <= files)
            waits.append(get(server, CA))
            for s in left:
                s.close()
            if not REDUCED:  # a sanitizer keeps what is freed
                self.assertLess(most, REST + num_open * OPEN_COST)
                wait_until(lambda: f"{gauge.rss() >> 20} MiB, {rss >> 20} before the storm",
                           lambda: gauge.rss() < rss + REST)
            after = gauge.rss()
        lines, more = told(server)
        num = HALF_CLOSED + RESET + num_open
        periods = (time.monotonic() - began) / 10 + 2
        # three kinds: truncated, reset, not in time
        self.assertLess(len(server.errors.lines), periods * 4 * LINES)
        self.assertGreater(lines + more, HALF_CLOSED)
        self.assertLessEqual(lines + more, num)
        print(f"\n{num} handshakes in {time.monotonic() - began:.1f} s: memory {rss / MIB:.1f} "
              f"MiB, at most {most / MIB:.1f}, then {after / MIB:.1f}; {lines} lines and {more} "
              f"failures in sums; a client that behaves waited {max(waits):.2f} s at most")

    def test_few_connections_allowed(self):
        """With all places taken by those who never finish, the others wait until the oldest of
        these have had their second."""
        num = 150
        with Server(*PAIR.args(), "--root", ROOT, "--threads", 1, "--max-connections",
                    num) as server:
            start = Starter(server)
            gauge = Gauge(server)
            files, rss = gauge.files(), gauge.rss()
            left = [start(HELLO[:7] if i % 2 else HELLO) for i in range(num)]
            wait_until(lambda: "places are free", lambda: gauge.files() >= files + num)
            took = get(server, CA)
            self.assertLess(took, 1 + GOOD_S)
            if not REDUCED:  # a sanitizer keeps what is freed
                self.assertLess(gauge.most(), rss + num * (64 << 10) + 8 * MIB)
            for s in left:
                s.close()
            wait_until(lambda: "descriptors are not given back", lambda: gauge.files() <= files)

    def test_clients_that_send_a_byte_a_second(self):
        num = 200
        with Server(*PAIR.args(), "--root", ROOT) as server:
            start = Starter(server)
            files = Gauge(server).files()
            began = time.monotonic()
            slow = [start(HELLO[:1]) for _ in range(num)]
            for i in range(1, HANDSHAKE_S - 1):
                time.sleep(max(0, began + i - time.monotonic()))
                for s in slow:
                    s.sendall(HELLO[i:i + 1])
                get(server, CA)
            self.assertGreaterEqual(Gauge(server).files(), files + num)
            for s in slow:
                support.read_to_end(s)
                s.close()
            took = time.monotonic() - began
            self.assertGreater(took, HANDSHAKE_S - 1)
            self.assertLess(took, HANDSHAKE_S + GOOD_S)
            server.errors.wait_for("handshake failed: LIMIT: .*not finished in time")


# ---- what each costs ----

NUM = 60 if REDUCED else 300


def finish(server, _):
    get(server, CA)


def leave_after(data):
    def leave(_, start):
        s = start(data)
        s.shutdown(socket.SHUT_WR)
        support.read_to_end(s)
        s.close()
    return leave


def in_records_of_one_byte(data):
    return b"".join(b"\x16\x03\x01\x00\x01" + data[5 + i:6 + i] for i in range(len(data) - 5))


# name, what a client does, how many times a whole handshake with its request it may cost
COSTS = [
    ("a handshake and a request", finish, 1),
    ("a ClientHello, then FIN", leave_after(HELLO), 1.5),
    ("half a ClientHello, then FIN", leave_after(HELLO[:200]), 1),
    ("a ClientHello in records of a byte", leave_after(in_records_of_one_byte(HELLO)), 2),
    ("no TLS at all", leave_after(b"\0" * 1000), 1),
    ("plain HTTP", leave_after(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 1),
    ("a record that is too long", leave_after(b"\x16\x03\x01\xff\xff" + bytes(20000)), 1),
    ("a hello of 16 MB announced", leave_after(b"\x16\x03\x01\x40\x00\x01\xff\xff\xff" +
                                               bytes(16380)), 1),
    ("a hello that is noise", leave_after(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc" + b"\x55" * 508),
     1),
    ("nothing", leave_after(b""), 1),
]


class Cost(unittest.TestCase):
    def test_no_abuse_costs_more_than_a_handshake_that_is_finished(self):
        print()
        whole = None
        with Server(*PAIR.args(), "--root", ROOT, "--access-log", "off") as server:
            start = Starter(server)
            gauge = Gauge(server)
            for _ in range(20):
                get(server, CA)
            for name, client, most in COSTS:
                before = gauge.cpu()
                for _ in range(NUM):
                    client(server, start)
                cost = (gauge.cpu() - before) / NUM
                whole = whole or cost
                print(f"{name:40} {cost * 1e6:8.0f} us {cost / whole:6.2f}")
                # generous: caches and a busy machine move figures about
                self.assertLess(cost, 2 * most * whole, name)


if __name__ == "__main__":
    support.main()

"""`cleat serve` and many connections over TLS that only stay, WebSockets and such that are kept
between requests: what each of them holds, and that new certificates leave them alone."""
import json
import os
import resource
import unittest

import support

LOAD = os.environ["CLEAT_LOAD"]
# A sanitizer makes every connection slow to open and large.
REDUCED = os.environ.get("CLEAT_INTEROP_REDUCED") == "1"
CONNECTIONS = 500 if REDUCED else 20000
# 10,000: they are kept for 75 seconds, in which a busy machine has to open them all; and enough
# that the ten megabytes which two workers keep of the rush, whatever the number, are a third of it.
KEPT = 10000
# 100: what each end has open beside a descriptor for each connection, and some
SPARE_FILES = 100
# 4 KiB: the bound; a quarter more than what was measured (3,170 bytes; docs/performance.md).
MAX_BYTES_EACH = 4096
CA = support.make_ca()


def allow_files(num):
    """Lets this process and its children open so many files, or as many as they may. How many."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    for limit in (max(num, hard), hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
            return limit
        except (OSError, ValueError):
            continue
    return hard


class Idle(unittest.TestCase):
    def hold(self, scheme, path, connections):
        pair = support.make_leaf(CA, "leaf")
        num = min(connections, allow_files(connections + SPARE_FILES) - SPARE_FILES)
        if num < connections:
            print(f"SKIP: no more than {num} of {connections} connections: the limit of open files")
        with support.Server(*pair.args(), "--ws-echo", "/echo", "--max-connections", num) as s:
            done = support.run([LOAD, "--ca", CA.cert, "--pid", str(s.process.pid), "--idle",
                                "--connections", str(num), "--seconds", "1", "--hup", "1",
                                f"{scheme}://localhost:{s.port}/{path}"], check=False, timeout=240)
            self.assertEqual(done.returncode, 0, done.stderr)
            told = json.loads(done.stdout)
            print(told)
            self.assertEqual(told["connections"], num)
            self.assertTrue(told["all_answer_after_reload"])
            if not REDUCED:
                self.assertLess(told["private_bytes_each"], MAX_BYTES_EACH)

    def test_websockets_hold_little_and_live_on_through_a_reload(self):
        self.hold("wss", "echo", CONNECTIONS)

    def test_connections_between_requests_hold_little_and_live_on_through_a_reload(self):
        self.hold("https", "not-there", min(CONNECTIONS, KEPT))


if __name__ == "__main__":
    support.main()

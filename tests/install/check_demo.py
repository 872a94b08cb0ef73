#!/usr/bin/env python3
"""check_demo.py SOURCE BUILD - scripts/demo serves its page to curl with the CA that it made, in a
folder that nobody else can read, and leaves in good order at Ctrl-C."""
import os
import pathlib
import re
import signal
import socket
import stat
import subprocess
import sys

SOURCE, BUILD = (pathlib.Path(p).resolve() for p in sys.argv[1:3])


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def curl(port, address):
    return subprocess.run(
        ["curl", "-sS", "--max-time", "10", "--noproxy", "*", "--cacert", BUILD / "demo/ca/ca.pem",
         "--resolve", f"localhost:{port}:{address}", f"https://localhost:{port}/"],
        stdout=subprocess.PIPE, check=True).stdout


def main():
    port = free_port()
    demo = subprocess.Popen([SOURCE / "scripts/demo", BUILD], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True,
                            env={**os.environ, "CLEAT_DEMO_PORT": str(port)})
    try:
        lines = []
        for line in demo.stderr:
            lines.append(line)
            if "listening" in line:
                break
        assert lines and "listening" in lines[-1], "".join(lines)
        page = curl(port, "127.0.0.1")
        assert page == (SOURCE / "web/index.html").read_bytes(), page[:200]
        if_inet6 = pathlib.Path("/proc/net/if_inet6")
        if if_inet6.exists() and re.search(r"^0*1 ", if_inet6.read_text(), re.M):
            assert curl(port, "[::1]") == page
        for path in (BUILD / "demo", BUILD / "demo/ca", BUILD / "demo/ca/ca-key.pem",
                     BUILD / "demo/localhost.key"):
            mode = stat.S_IMODE(path.stat().st_mode)
            assert mode & 0o077 == 0, f"{path}: {mode:o}"
    finally:
        demo.send_signal(signal.SIGINT)
        output, _ = demo.communicate(timeout=40)
    assert demo.returncode == 0, demo.returncode
    for word in (f"https://localhost:{port}", "demo/ca/ca.pem", "curl --cacert",
                 '"GET / HTTP/2.0" 200'):
        assert word in output, f"{word} is not in the output:\n{output}"
    print("the demo serves, and ends with exit code 0")


if __name__ == "__main__":
    main()

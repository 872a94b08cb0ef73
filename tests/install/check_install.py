#!/usr/bin/env python3
"""check_install.py CHECK SOURCE BUILD WORK - one check of the installed tree; see CMakeLists.txt.

`prepare` installs BUILD into WORK/prefix, builds the examples there with the CMake package and
makes a certificate for localhost; every other check is a function below and uses that.
"""
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading

SOURCE, BUILD, WORK = (pathlib.Path(p).resolve() for p in sys.argv[2:5])
PREFIX = WORK / "prefix"
WARNINGS = ["-Wall", "-Wextra", "-pedantic", "-Werror"]
LINES = b"hello\nand good bye\n"
# 400: a header that is longer does not fit in one's head
MAX_HEADER_LINES = 400


def run(*command, **options):
    """Run a command to its end; its output is shown and the check fails when it does."""
    command = [str(word) for word in command]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=100,
                          stdin=options.pop("stdin", subprocess.DEVNULL), **options)
    if done.returncode != 0:
        print("$", " ".join(command))
        print(done.stdout.decode(errors="replace"))
        sys.exit(f"exit code {done.returncode}")
    return done.stdout.decode(errors="replace")


def headers():
    found = sorted((PREFIX / "include/cleat").glob("*.h"))
    assert found, "no header is installed"
    return found


def library(pattern):
    found = sorted(PREFIX.glob(f"lib*/**/{pattern}"))
    assert found, f"{pattern} is not installed"
    return found[0]


def pkg_config_env(prefix):
    folder = next(prefix.glob("lib*/**/cleat.pc")).parent
    return {**os.environ, "PKG_CONFIG_PATH": str(folder), "LD_LIBRARY_PATH": str(folder.parent)}


def build_examples(folder, prefix, link):
    shutil.rmtree(folder, ignore_errors=True)
    run("cmake", "-S", SOURCE / "examples", "-B", folder, "-G", "Ninja",
        f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCLEAT_LINK={link}",
        "-DCMAKE_C_FLAGS=" + " ".join(WARNINGS))
    run("cmake", "--build", folder)


def make_certificate():
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-days", "2", "-subj", "/CN=test CA", "-keyout", WORK / "ca.key", "-out", WORK / "ca.pem",
        "-addext", "keyUsage=critical,keyCertSign")
    run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-subj", "/CN=localhost", "-keyout", WORK / "leaf.key", "-out", WORK / "leaf.csr")
    (WORK / "leaf.ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n"
                                   "extendedKeyUsage=serverAuth\nkeyUsage=digitalSignature\n"
                                   "basicConstraints=critical,CA:FALSE\n")
    run("openssl", "x509", "-req", "-in", WORK / "leaf.csr", "-CA", WORK / "ca.pem",
        "-CAkey", WORK / "ca.key", "-CAcreateserial", "-days", "2", "-extfile", WORK / "leaf.ext",
        "-out", WORK / "leaf.pem")


def prepare():
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    run("cmake", "--install", BUILD, "--prefix", PREFIX)
    build_examples(WORK / "examples", PREFIX, "cleat")
    make_certificate()


def headers_are_complete():
    names = {path.name for path in headers()}
    wanted = {path.name for path in (SOURCE / "include/cleat").glob("*.h")}
    assert names == wanted, f"installed {names}, in the tree {wanted}"


def headers_are_short():
    for path in headers():
        lines = len(path.read_text().splitlines())
        assert lines <= MAX_HEADER_LINES, f"{path.name} has {lines} lines"


def compile_headers(compiler, standard, suffix):
    for path in headers():
        source = WORK / f"alone_{path.stem}{suffix}"
        source.write_text(f"#include <cleat/{path.name}>\n")
        run(compiler, standard, *WARNINGS, f"-I{PREFIX}/include", "-fsyntax-only", source)


def headers_compile_as_c():
    compile_headers("gcc", "-std=c11", ".c")


def headers_compile_as_cxx():
    compile_headers("g++", "-std=c++17", ".cc")


def declared_functions():
    """The functions that the public headers promise."""
    names = set()
    for path in headers():
        text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
        text = re.sub(r"^\s*#.*?(?<!\\)$", "", text, flags=re.S | re.M)
        pattern = r"\b(cleat_\w+)\s*\((?!\*)[^;{}]*\)\s*(?:__attribute__[^;]*)?;"
        names.update(re.findall(pattern, text))
    return names


def exports_only_cleat():
    listing = run("nm", "-D", "--defined-only", "--format=posix", library("libcleat.so"))
    exported = {line.split()[0] for line in listing.splitlines() if line}
    strange = {name for name in exported if not name.startswith("cleat_")}
    assert not strange, f"exported beside cleat_*: {sorted(strange)}"
    promised = declared_functions()
    assert promised, "no function found in the headers"
    missing, extra = sorted(promised - exported), sorted(exported - promised)
    assert not missing, f"declared but not in the library: {missing}"
    assert not extra, f"exported but not declared: {extra}"
    listing = run("nm", "-g", "--defined-only", "--format=posix", library("libcleat.a"))
    names = {line.split()[0] for line in listing.splitlines() if len(line.split()) > 1}
    strange = {name for name in names if not re.match(r"(cleat|cl)_", name)}
    assert not strange, f"global in the static library: {sorted(strange)}"


def documents_are_there():
    assert os.access(PREFIX / "bin/cleat", os.X_OK), "bin/cleat"
    assert run(PREFIX / "bin/cleat", "--version").startswith("cleat ")
    for page in (SOURCE / "docs/man").glob("*.scd"):
        assert (PREFIX / "share/man/man1" / page.stem).stat().st_size > 0, page.stem
    for name in ("README.md", "LICENSE", "CHANGELOG.md", "examples/echo_client.c"):
        assert (PREFIX / "share/doc/cleat" / name).is_file(), name


def pkg_config_builds():
    out = WORK / "pkg-config"
    out.mkdir(exist_ok=True)
    env = pkg_config_env(PREFIX)
    run("make", "-B", "-C", SOURCE / "examples", f"OUT={out}", env=env)
    echo(out, env)
    # And statically: what `pkg-config --static` adds must be all that libcleat.a needs.
    flags = run("pkg-config", "--static", "--cflags", "--libs", "cleat", env=env).split()
    flags = ["-l:libcleat.a" if word == "-lcleat" else word for word in flags]
    for name in ("echo_client", "echo_server"):
        run("gcc", *WARNINGS, "-o", out / name, SOURCE / f"examples/{name}.c",
            *(SOURCE / f"examples/{part}.c" for part in ("config", "host", "stream")), *flags)
    assert "libcleat" not in run("ldd", out / "echo_client")
    echo(out)


def cmake_builds_shared():
    assert "libcleat.so" in run("ldd", WORK / "examples/echo_client")


def cmake_builds_static():
    build_examples(WORK / "static", PREFIX, "cleat_static")
    assert "libcleat" not in run("ldd", WORK / "static/echo_client")
    echo(WORK / "static")


def tree_can_be_moved():
    moved = WORK / "moved"
    shutil.rmtree(moved, ignore_errors=True)
    shutil.copytree(PREFIX, moved, symlinks=True)
    flags = run("pkg-config", "--cflags", "cleat", env=pkg_config_env(moved)).split()
    assert [os.path.realpath(word[2:]) for word in flags] == [str(moved / "include")], flags
    build_examples(WORK / "moved-examples", moved, "cleat")
    assert str(moved) in run("ldd", WORK / "moved-examples/echo_client")
    assert run(moved / "bin/cleat", "--version").startswith("cleat ")


def crypto_mb_goes_along():
    """Where the build tree has a copy of crypto_mb, what is installed uses one of its own."""
    copies = sorted(PREFIX.glob("lib*/**/cleat/libcrypto_mb.so.11"))
    if not copies:
        print("SKIP: the build tree has no copy of crypto_mb (see scripts/fetch-crypto-mb)")
        return
    moved = WORK / "moved-mb"
    shutil.rmtree(moved, ignore_errors=True)
    shutil.copytree(PREFIX, moved, symlinks=True)
    for prefix in (PREFIX, moved):
        done = subprocess.run([prefix / "bin/cleat", "--version", "-v"], capture_output=True,
                              env={**os.environ, "LD_DEBUG": "libs"}, text=True, timeout=60,
                              check=True)
        if "the processor lacks" in done.stdout:
            print("SKIP: the processor lacks AVX-512 IFMA: no library is looked for")
            return
        assert "handshakes: eight at a time: crypto_mb" in done.stdout, done.stdout
        loaded = re.findall(r"calling init: (\S*libcrypto_mb\S*)", done.stderr)
        ours = prefix / copies[0].relative_to(PREFIX)
        assert [os.path.realpath(path) for path in loaded] == [str(ours)], loaded


class Peer:
    """A server on loopback, ended by its own process id."""

    def __init__(self, *command, env=None, port_pattern=rb"^(\d+)\n"):
        self.process = subprocess.Popen([str(word) for word in command], env=env,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.port = None
        for line in self.process.stdout:
            found = re.search(port_pattern, line)
            if found:
                self.port = found.group(1).decode()
                break

    def __enter__(self):
        assert self.port, "the server did not start"
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate(timeout=20)


def echo_server(folder, env=None):
    return Peer(folder / "echo_server", "0", WORK / "leaf.pem", WORK / "leaf.key", env=env)


def hosts():
    """Names that the certificate is for and that this machine can resolve."""
    try:
        socket.getaddrinfo("localhost", None)
    except OSError:
        print("SKIP: this machine does not know localhost: by address only")
        return ["127.0.0.1"]
    return ["127.0.0.1", "localhost"]


def client(folder, port, host="127.0.0.1", ca="ca.pem", env=None):
    return subprocess.run([str(folder / "echo_client"), host, port, str(WORK / ca)], input=LINES,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, timeout=30)


def echo(folder, env=None):
    with echo_server(folder, env) as server:
        for host in hosts():
            done = client(folder, server.port, host=host, env=env)
            assert (done.returncode, done.stdout) == (0, LINES), done


def echo_to_ourselves():
    echo(WORK / "examples")


def echo_to_openssl_server():
    # -rev sends each line back reversed.
    with Peer("openssl", "s_server", "-accept", "127.0.0.1:0", "-rev", "-tls1_3",
              "-cert", WORK / "leaf.pem", "-key", WORK / "leaf.key",
              port_pattern=rb"^ACCEPT 127\.0\.0\.1:(\d+)") as server:
        done = client(WORK / "examples", server.port)
        reversed_lines = b"".join(line[::-1] + b"\n" for line in LINES.splitlines())
        assert (done.returncode, done.stdout) == (0, reversed_lines), done


def echo_from_openssl_client():
    with echo_server(WORK / "examples") as server:
        openssl = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-servername",
             "localhost", "-CAfile", str(WORK / "ca.pem"), "-verify_return_error", "-quiet",
             "-no_ign_eof"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        openssl.stdin.write(LINES)
        openssl.stdin.flush()
        got = b"".join(openssl.stdout.readline() for _ in LINES.splitlines())
        _, errors = openssl.communicate(timeout=20)
        assert got == LINES, (got, errors)


def echo_refuses_an_unknown_ca():
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-days", "2", "-subj", "/CN=another CA", "-keyout", WORK / "other.key", "-out",
        WORK / "other.pem")
    with echo_server(WORK / "examples") as server:
        done = client(WORK / "examples", server.port, ca="other.pem")
        assert done.returncode == 1 and done.stdout == b"", done
        assert b"CN=test CA is neither in the trust store nor in the chain" in done.stderr, done


def chat_between_clients():
    """Three members of a room, one of them `cleat ws`: what one says the others get."""
    folder, program = WORK / "examples", PREFIX / "bin/cleat"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with Peer(folder / "chat_server", "0", WORK / "leaf.pem", WORK / "leaf.key") as server:
        one, two = (subprocess.Popen([folder / "chat_client", "127.0.0.1", server.port,
                                      WORK / "ca.pem"], **pipes) for _ in range(2))
        three = subprocess.Popen([program, "ws", "-w", "0", "--cacert", WORK / "ca.pem",
                                  f"wss://127.0.0.1:{server.port}/"], **pipes)
        members = [one, two, three]
        # Who is not in the room yet hears nothing: each says its name until the others have.
        for speaker in members:
            for listener in members:
                if listener is not speaker:
                    meet(speaker, listener)
        long_line = b"x" * 4000
        for speaker, text in ((one, b"hello from one"), (three, "gr\u00fc\u00df dich".encode()),
                              (two, long_line)):
            speaker.stdin.write(text + b"\n")
            speaker.stdin.flush()
            for listener in members:
                if listener is not speaker:
                    heard = read_past_names(listener)
                    assert heard == text, (heard[:80], text[:80])
        for member in members:
            member.stdin.close()
            member.stdin = None
            assert member.wait(30) == 0, member.args
            member.stdout.close()


def meet(speaker, listener):
    """Says a name until it is heard there."""
    for _ in range(100):
        speaker.stdin.write(b"name\n")
        speaker.stdin.flush()
        if select.select([listener.stdout], [], [], 0.2)[0]:
            assert listener.stdout.readline() == b"name\n"
            return
    raise AssertionError("nobody was heard")


def read_past_names(listener):
    while (line := listener.stdout.readline().rstrip(b"\n")) == b"name":
        pass
    return line


# ---- a key in a process of its own ----

def signer(path, key="leaf.key", delay_ms=200):
    return Peer(WORK / "examples/signer", path, WORK / key, str(delay_ms),
                port_pattern=rb"^(ECDSA P-256)\n")


def signing_server(path):
    return Peer(WORK / "examples/signing_server", "0", WORK / "leaf.pem", path)


class SigningClient:
    """Connects to a signing_server: full handshakes, or resumed ones of the session before."""

    def __init__(self, server):
        self.port = int(server.port)
        self.context = ssl.create_default_context(cafile=str(WORK / "ca.pem"))
        self.session = None

    def echo(self, resumes=False):
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as s:
            with self.context.wrap_socket(s, server_hostname="localhost",
                                          session=self.session if resumes else None) as t:
                t.sendall(b"hello")
                assert t.recv(5) == b"hello"
                assert t.session_reused == resumes
                self.session = t.session

    def start(self, outcomes):
        """A full handshake in a thread; None or what went wrong goes to outcomes."""
        def attempt():
            try:
                SigningClient.echo(self)
                outcomes.append(None)
            except (OSError, AssertionError) as why:  # ssl.SSLError is an OSError
                outcomes.append(why)
        thread = threading.Thread(target=attempt)
        thread.start()
        return thread


def signer_in_a_process_of_its_own():
    """While five wait for a slow signer, fifty others resume; then the five are served."""
    path = pathlib.Path(tempfile.mkdtemp()) / "signer"
    with signer(path) as slow:
        asks_for_something_else(path)
        with signing_server(path) as server:
            one = SigningClient(server)
            one.echo()
            outcomes = []
            # Stopped, so that it is slower than any machine that runs this.
            slow.process.send_signal(signal.SIGSTOP)
            waiting = [SigningClient(server).start(outcomes) for _ in range(5)]
            for _ in range(50):
                one.echo(resumes=True)
            assert not outcomes, outcomes
            slow.process.send_signal(signal.SIGCONT)
            for thread in waiting:
                thread.join(60)
            assert outcomes == [None] * 5, outcomes
    shutil.rmtree(path.parent)


def asks_for_something_else(path):
    """Bytes that are no TLS 1.3 handshake are not signed."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.connect(str(path))
        s.send(struct.pack("=QHH260s", 7, 0x0403, 130, b"a certificate".ljust(260, b"x")))
        number, length = struct.unpack("=QH", s.recv(2048)[:10])
        assert (number, length) == (7, 0), (number, length)


def signer_that_dies():
    path = pathlib.Path(tempfile.mkdtemp()) / "signer"
    with signer(path) as dying, signing_server(path) as server:
        one = SigningClient(server)
        one.echo()
        outcomes = []
        dying.process.send_signal(signal.SIGSTOP)
        waiting = [SigningClient(server).start(outcomes) for _ in range(5)]
        one.echo(resumes=True)
        # Those who wait fail, and are told so; the others go on.
        dying.process.kill()
        for thread in waiting:
            thread.join(60)
        assert len(outcomes) == 5, outcomes
        # Who came when it was gone is told the same as who waited for it.
        assert all("alert internal error" in str(why).lower().replace("_", " ")
                   for why in outcomes), outcomes
        one.echo(resumes=True)
        # A signer with another key is found out; one with the right key is taken.
        with signer(path, key="ca.key"):
            one.start(outcomes).join(60)
            assert outcomes[5] is not None
            one.echo(resumes=True)
        with signer(path):
            one.echo()
    shutil.rmtree(path.parent)


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    print(f"{sys.argv[1]}: passed")

"""The recordings of tests/replay: which handshake each is of, why it is there, and how it is made.

scripts/record makes them anew; the interop test `record` makes them into a folder of its own, and
replays them there.
"""
import base64
import contextlib
import hashlib
import pathlib
import socket
import threading
import time

import get_support
import support
from get_support import Peer, free_port

PSK_HEX = "00112233445566778899aabbccddeeff" * 2
KINDS = ("ecdsa", "rsa")


class World:
    """Certificates and files that the cases share."""

    def __init__(self):
        self.folder = support.folder()
        self.ca = support.make_ca()
        self.pairs = {kind: support.make_leaf(self.ca, f"localhost-{kind}", kind)
                      for kind in KINDS}
        self.elsewhere = support.make_leaf(self.ca, "elsewhere", hosts=("elsewhere.example",))
        self.client = support.make_leaf(self.ca, "client", purpose="clientAuth")
        self.authority = get_support.Authority(self.folder / "dated")
        self.expired = self.authority.leaf("expired", dates=("20240101000000Z", "20240201000000Z"))
        self.psk = self.folder / "psk.txt"
        self.psk.write_text(f"device:7:{PSK_HEX}\n")
        self.psk.chmod(0o600)
        self.site = self.folder / "site"
        self.site.mkdir(exist_ok=True)
        (self.site / "index.html").write_text("the application's own data\n")
        self.ech = {name: self.make_ech(name) for name in ("one", "two")}

    def make_ech(self, name):
        path = self.folder / f"ech-{name}.pem"
        support.run([support.CLEAT, "ech", "keygen", "-o", path, "elsewhere.example"])
        return path


@contextlib.contextmanager
def serve(world, *args, kind="ecdsa", pair=None):
    pair = pair or world.pairs[kind]
    with support.Server(*pair.args(), "--root", world.site, *args) as server:
        yield server.port


@contextlib.contextmanager
def s_server(world, *args, kind="ecdsa", cert=None, key=None):
    port = free_port()
    pair = world.pairs[kind]
    files = () if "-nocert" in args else ("-cert", cert or pair.cert, "-key", key or pair.key)
    with Peer(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", *files, "-www", "-quiet",
               *args], port, world.folder):
        yield port


class Relay:
    """Between client and server: spoils what the server sends. change(data, sent) returns what goes
    on to the client, or None to end the connection there."""

    def __init__(self, port, change):
        self.target, self.change = port, change
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _up(self, client, server):
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                server.sendall(data)

    def _run(self):
        self.listener.settimeout(support.PATIENCE)
        with contextlib.suppress(OSError):
            client, _ = self.listener.accept()
            with client, socket.create_connection(("127.0.0.1", self.target)) as server:
                threading.Thread(target=self._up, args=(client, server), daemon=True).start()
                sent = 0
                while data := server.recv(65536):
                    changed = self.change(data, sent)
                    if changed is None:
                        break
                    client.sendall(changed)
                    sent += len(data)
                client.shutdown(socket.SHUT_WR)
                time.sleep(0.2)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.thread.join(support.PATIENCE)
        self.listener.close()


def record(world, path, port, *args, code=0, secrets=False, host="localhost", env=None, ca=None):
    """One `cleat get --record`."""
    done = get_support.get("-sS", "--cacert", ca or world.ca.cert, "--record", path,
                           *(["--record-secrets"] if secrets else []), "--resolve",
                           f"{host}:{port}:127.0.0.1", "-o", "/dev/null", *args,
                           f"https://{host}:{port}/", env=env)
    if done.returncode != code:
        raise AssertionError(f"{path}: exit {done.returncode}, not {code}: "
                             + done.stderr.decode(errors="replace"))


def resumed(world, path, port, *args, env=None):
    """A first connection for its session, then the one that is recorded."""
    sessions = pathlib.Path(path).with_suffix(".sessions")
    for name in (f"{path}.first", path):
        record(world, name, port, "--ssl-sessions", sessions, *args, env=env)
    for name in (f"{path}.first", sessions):
        pathlib.Path(name).unlink()


# ---- the cases ----

CASES = {}


def case(name, why):
    def keep(function):
        CASES[name] = (why, function)
        return function
    return keep


def simple(name, why, server_args=(), get_args=(), kind="ecdsa", code=0, secrets=False):
    """A case with `cleat serve` and one get."""
    def make(world, path, env=None):
        with serve(world, *server_args, kind=kind) as port:
            record(world, path, port, *get_args, code=code, secrets=secrets, env=env)
    CASES[name] = (why, make)


OLD = ("--tls-max", "1.2")
simple("13-ecdsa", "TLS 1.3, X25519MLKEM768, ECDSA")
simple("13-rsa", "TLS 1.3 with an RSA certificate (PSS)", kind="rsa")
simple("13-x25519", "the second key share is taken", ("--curves", "X25519"))
simple("13-retry", "HelloRetryRequest: a third group", ("--curves", "P-384"))
simple("13-secrets", "a whole connection with its application data", secrets=True)
simple("12-ecdsa", "TLS 1.2, ECDHE, ECDSA", get_args=OLD)
simple("12-rsa", "TLS 1.2, ECDHE, RSA", get_args=OLD, kind="rsa")
simple("12-secrets", "TLS 1.2 with its application data", get_args=OLD, secrets=True)
simple("no-shared-group", "the server's alert: nothing in common", ("--curves", "P-384"),
       ("--curves", "X25519"), code=35)
simple("insecure", "-k: the application decides", get_args=("-k", "--cacert", "/dev/null"))


@case("13-resumed", "TLS 1.3 with a ticket: binder, no certificate")
def _(world, path, env=None):
    with serve(world) as port:
        resumed(world, path, port, env=env)


@case("12-resumed", "TLS 1.2 with a ticket")
def _(world, path, env=None):
    with serve(world) as port:
        resumed(world, path, port, *OLD, env=env)


@case("12-session-id", "TLS 1.2 with a session that the server keeps")
def _(world, path, env=None):
    with s_server(world, "-no_ticket") as port:
        resumed(world, path, port, *OLD, env=env)


@case("13-early-data-refused", "early data is offered, and refused with a retry")
def _(world, path, env=None):
    with serve(world, "--early-data", "--curves", "P-384") as port:
        resumed(world, path, port, "--tls-earlydata", env=env)


@case("13-early-data", "early data is accepted: EndOfEarlyData")
def _(world, path, env=None):
    with serve(world, "--early-data") as port:
        time.sleep(10.3)  # a server takes none in its first ten seconds
        resumed(world, path, port, "--tls-earlydata", env=env)


@case("13-psk", "an external PSK instead of certificates")
def _(world, path, env=None):
    with s_server(world, "-psk", PSK_HEX, "-psk_identity", "device:7", "-nocert",
                  "-tls1_3") as port:
        record(world, path, port, "--psk", world.psk, env=env)


def client_certificate(name, why, *versions):
    def make(world, path, env=None):
        with serve(world, "--client-ca", world.ca.cert) as port:
            record(world, path, port, "--cert", world.client.cert, "--key", world.client.key,
                   *versions, env=env)
    CASES[name] = (why, make)


client_certificate("13-client-certificate", "TLS 1.3 with a client certificate")
client_certificate("12-client-certificate", "TLS 1.2 with a client certificate", *OLD)


@case("13-client-certificate-missing", "the alert comes after our handshake is over")
def _(world, path, env=None):
    with serve(world, "--client-ca", world.ca.cert) as port:
        record(world, path, port, code=56, env=env)


@case("13-late-certificate", "a certificate after the handshake, with the data around it")
def _(world, path, env=None):
    with serve(world, "--client-ca", world.ca.cert, "--client-auth-path", "/") as port:
        record(world, path, port, "--cert", world.client.cert, "--key", world.client.key,
               secrets=True, env=env)


@case("raw-key", "a raw public key instead of certificates, on both sides")
def _(world, path, env=None):
    ours, theirs = world.client.key, world.pairs["ecdsa"].key
    with support.Server("--raw-public-key", theirs, "--client-raw-key-pin", pin_of(ours), "--root",
                        world.site) as server:
        record(world, path, server.port, "--raw-key-pin", pin_of(theirs), "--raw-public-key", ours,
               env=env)


def pin_of(key):
    spki = support.run(["openssl", "pkey", "-in", key, "-pubout", "-outform", "DER"]).stdout
    return "sha256//" + base64.b64encode(hashlib.sha256(spki).digest()).decode()


@case("ech-accepted", "Encrypted Client Hello is accepted")
def _(world, path, env=None):
    with serve(world, f"--ech-key={world.ech['one']}") as port:
        record(world, path, port, "--ech", f"@{world.ech['one']}", env=env)


@case("ech-rejected", "Encrypted Client Hello is rejected, with other configurations")
def _(world, path, env=None):
    with serve(world, f"--ech-key={world.ech['two']}", pair=both_names(world)) as port:
        record(world, path, port, "--ech", f"@{world.ech['one']}", env=env)
    pathlib.Path(f"{path}.2").unlink()


def both_names(world):
    if not hasattr(world, "both"):
        world.both = support.make_leaf(world.ca, "both", hosts=("localhost", "elsewhere.example"))
    return world.both


@case("expired", "verification fails: expired")
def _(world, path, env=None):
    cert, key = world.expired
    with s_server(world, cert=cert, key=key) as port:
        record(world, path, port, code=60, env=env, ca=world.authority.cert)


@case("wrong-name", "verification fails: another name")
def _(world, path, env=None):
    with serve(world, pair=world.elsewhere) as port:
        record(world, path, port, code=60, env=env)


@case("unknown-issuer", "verification fails: no anchor")
def _(world, path, env=None):
    with serve(world) as port:
        record(world, path, port, code=60, env=env, ca=world.authority.cert)


@case("not-tls", "something else answers")
def _(world, path, env=None):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer_in_clear, args=(listener,), daemon=True)
        thread.start()
        record(world, path, listener.getsockname()[1], code=35, env=env)
        thread.join(support.PATIENCE)


def answer_in_clear(listener):
    client, _ = listener.accept()
    with client:
        client.recv(65536)
        client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        time.sleep(0.2)


def relayed(name, why, change, *get_args, code=35):
    def make(world, path, env=None):
        with serve(world) as port, Relay(port, change) as relay:
            record(world, path, relay.port, *get_args, code=code, env=env)
    CASES[name] = (why, make)


def cut(data, sent):
    """The first half of what the server says, in small portions' time."""
    return None if sent else data[:300]


def spoil(data, sent):
    """A bit of the first encrypted record, which follows ServerHello and change_cipher_spec."""
    if sent:
        return data
    at = 5 + int.from_bytes(data[3:5], "big") + 6 + 5 + 20
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


relayed("truncated", "the server goes away within its flight", cut)
relayed("bad-record", "a record that was changed on the way", spoil)


@case("12-legacy", "RSA key exchange and AES-CBC, switched on by name")
def _(world, path, env=None):
    with s_server(world, "-cipher", "AES128-SHA:@SECLEVEL=0", kind="rsa") as port:
        record(world, path, port, "--profile", "legacy", *OLD, "--ciphers", "AES128-SHA", env=env)

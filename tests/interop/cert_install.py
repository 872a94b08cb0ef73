#!/usr/bin/env python3
"""`cleat cert dev --install` and `--uninstall` on this machine's own stores, overlaid in a mount
namespace: what they change is seen by the test alone, and is gone with it."""
import os
import shutil
import sys
import unittest

import support
from support import CLEAT, main, run

support.need("unshare", "mount", "certutil", "openssl")
INSIDE = "CLEAT_TEST_IN_NAMESPACE"
FOLDERS = ("etc", "usr/local/share")


def enter_namespace():
    """Runs this program again where /etc and /usr/local/share may be written to."""
    script = ["mount -t tmpfs none /mnt"]
    for name in FOLDERS:
        script.append(f"mkdir -p /mnt/upper/{name} /mnt/work/{name}")
        script.append(f"mount -t overlay none -o lowerdir=/{name},upperdir=/mnt/upper/{name},"
                      f"workdir=/mnt/work/{name} /{name}")
    mounts = " && ".join(script)
    if run(["unshare", "-m", "sh", "-c", mounts], check=False).returncode != 0:
        support.skip_all("there is no namespace with an overlay for us")
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ["unshare", "-m", "sh", "-c", mounts + ' && exec "$@"', "sh",
                          sys.executable, *sys.argv])


if INSIDE not in os.environ:
    enter_namespace()
# Debian's Java copies the store into its own each time, which takes seconds.
if os.path.exists("/etc/ca-certificates/update.d/jks-keystore"):
    os.unlink("/etc/ca-certificates/update.d/jks-keystore")


def java_home():
    """That of the keytool on the PATH, if its keystore lies where the overlay is."""
    tool = shutil.which("keytool")
    home = os.path.dirname(os.path.dirname(os.path.realpath(tool))) if tool else ""
    store = os.path.realpath(os.path.join(home, "lib/security/cacerts"))
    return home if store.startswith("/etc/") and os.path.exists(store) else None


class Install(unittest.TestCase):
    def setUp(self):
        self.home = support.folder() / self.id().rsplit(".", 1)[1]
        self.profile = self.home / ".mozilla/firefox/abc.default"
        self.snap = self.home / "snap/firefox/common/.mozilla/firefox/x.snap"
        self.nssdb = self.home / ".pki/nssdb"
        self.databases = [self.profile, self.snap, self.nssdb]
        for path in self.databases:
            path.mkdir(parents=True)
            self.certutil(path, "-N", "--empty-password")
        (self.home / ".mozilla/firefox/Crash Reports").mkdir()
        self.environment = {k: v for k, v in os.environ.items()
                            if k not in ("CAROOT", "CLEAT_CA_DIR", "XDG_DATA_HOME", "JAVA_HOME",
                                         "TRUST_STORES", "SUDO_USER")}
        self.environment["HOME"] = str(self.home)

    def certutil(self, path, *args, **more):
        return run(["certutil", "-d", f"sql:{path}", *args], **more).stdout.decode()

    def dev(self, *args, code=0, **env):
        done = run([CLEAT, "cert", "dev", *args], check=False, cwd=self.home,
                   env={**self.environment, **env})
        self.assertEqual(done.returncode, code, (done.stdout, done.stderr))
        return (done.stdout + done.stderr).decode()

    def system_trusts(self, cert):
        return run(["openssl", "verify", "-CAfile", "/etc/ssl/certs/ca-certificates.crt",
                    self.home / cert], check=False).returncode == 0

    def nicknames(self, path):
        return [line for line in self.certutil(path, "-L").splitlines() if "Cleat dev CA" in line]

    @unittest.skipUnless(shutil.which("update-ca-certificates"), "no Debian's system store")
    def test_every_store_and_out_of_all_of_them_again(self):
        java = java_home()
        env = {"JAVA_HOME": java} if java else {}
        files = set(os.listdir("/usr/local/share/ca-certificates"))
        told = self.dev("--install", "localhost", **env)
        self.assertEqual(told.count(": trusted"), 5 if java else 4, told)
        self.assertTrue(self.system_trusts("localhost.pem"))
        for path in self.databases:
            self.assertEqual(len(self.nicknames(path)), 1)
            self.assertRegex(self.nicknames(path)[0], r" C,, *$")
        again = self.dev("--install", **env)
        self.assertEqual(again.count(": already trusted"), 5 if java else 4, again)
        with support.Server("--cert", self.home / "localhost.pem", "--key",
                            self.home / "localhost-key.pem", "--root", self.home) as server:
            page = run(["curl", "-sS", "-o", os.devnull, "-w", "%{ssl_verify_result}", server.url],
                       check=False)
            self.assertIn(page.stdout, (b"0",), page.stderr)
        if java:
            alias = run([f"{java}/bin/keytool", "-list", "-cacerts", "-storepass", "changeit"])
            self.assertIn(b"cleat dev ca ", alias.stdout.lower())
        out = self.dev("--uninstall", **env)
        self.assertEqual(out.count(": taken out"), 5 if java else 4, out)
        self.assertFalse(self.system_trusts("localhost.pem"))
        self.assertEqual(set(os.listdir("/usr/local/share/ca-certificates")), files)
        for path in self.databases:
            self.assertEqual(self.nicknames(path), [])
        self.assertNotIn(": taken out", self.dev("--uninstall"))

    def test_nothing_but_ours_is_taken_out(self):
        self.dev("--install", TRUST_STORES="nss")
        other = support.folder() / "other"
        self.dev("--ca-dir", other, "--install", TRUST_STORES="nss")
        foreign = self.home / "foreign.pem"
        run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-keyout", self.home / "f.key", "-out", foreign, "-subj", "/CN=Foreign"])
        # the name that was told before there was --install, on somebody else's certificate
        self.certutil(self.nssdb, "-A", "-t", "C,,", "-n", "Cleat dev CA", "-i", foreign)
        self.assertEqual(len(self.nicknames(self.nssdb)), 3)
        self.dev("--uninstall", TRUST_STORES="nss")
        self.assertEqual(len(self.nicknames(self.nssdb)), 2)
        self.dev("--ca-dir", other, "--uninstall", TRUST_STORES="nss")
        self.assertEqual([line.split("  ")[0] for line in self.nicknames(self.nssdb)],
                         ["Cleat dev CA"])

    def test_the_name_that_was_typed_before_is_ours_too(self):
        self.dev("a.test")
        ca = self.home / ".local/share/cleat/ca/ca.pem"
        self.certutil(self.nssdb, "-A", "-t", "C,,", "-n", "Cleat dev CA", "-i", ca)
        self.assertIn(".pki/nssdb: already trusted", self.dev("--install", TRUST_STORES="nss"))
        self.assertIn(".pki/nssdb: taken out", self.dev("--uninstall", TRUST_STORES="nss"))
        self.assertEqual(self.nicknames(self.nssdb), [])

    def test_other_distributions_folders_and_programs(self):
        tools = self.home / "tools"
        tools.mkdir()
        for name in ("update-ca-trust", "trust", "update-ca-certificates"):
            (tools / name).write_text(f'#!/bin/sh\necho "$0 $*" >> {self.home}/ran\n')
            (tools / name).chmod(0o755)
        env = {"PATH": f"{tools}:{os.environ['PATH']}", "TRUST_STORES": "system"}
        debian = "/usr/local/share/ca-certificates"
        hidden = debian + ".hidden"
        shutil.copytree(debian, hidden)
        shutil.rmtree(debian)
        self.addCleanup(os.rename, hidden, debian)
        for folder, suffix, tool in (
                ("/etc/pki/ca-trust/source/anchors", "pem", "update-ca-trust extract"),
                ("/etc/ca-certificates/trust-source/anchors", "crt", "trust extract-compat"),
                ("/etc/pki/trust/anchors", "pem", "update-ca-certificates")):
            with self.subTest(folder):
                os.makedirs(folder)
                (self.home / "ran").write_text("")
                self.dev("--install", **env)
                (name,) = os.listdir(folder)
                self.assertRegex(name, rf"^cleat-dev-ca-[0-9a-f]{{32}}\.{suffix}$")
                self.assertEqual(os.stat(f"{folder}/{name}").st_mode & 0o777, 0o644)
                self.assertIn(tool, (self.home / "ran").read_text())
                self.dev("--uninstall", **env)
                self.assertEqual(os.listdir(folder), [])
                self.assertEqual((self.home / "ran").read_text().count(tool), 2)
                shutil.rmtree(folder)
        self.assertIn("none of the folders", self.dev("--install", code=1, **env))

    def test_a_program_that_fails_is_told(self):
        tools = self.home / "tools"
        tools.mkdir()
        (tools / "update-ca-certificates").write_text("#!/bin/sh\necho it is broken >&2\nexit 3\n")
        (tools / "update-ca-certificates").chmod(0o755)
        env = {"PATH": f"{tools}:{os.environ['PATH']}", "TRUST_STORES": "system"}
        self.assertIn("failed: it is broken", self.dev("--install", code=1, **env))
        self.dev("--uninstall", code=1, **env)
        self.assertIn("no bin/keytool", self.dev("--install", code=1, TRUST_STORES="java",
                                                 JAVA_HOME="/nowhere"))
        only = self.home / "only"
        only.mkdir()
        told = self.dev("--install", code=1, TRUST_STORES="nss", PATH=str(only))
        self.assertIn("there is no certutil", told)
        self.assertIn("nothing to take out", self.dev("--uninstall", "--ca-dir", "/nowhere/ca"))
        self.assertFalse(os.path.exists("/nowhere"))

    def test_without_root_the_command_is_told(self):
        shutil.copytree(support.folder(), "/mnt/as-nobody", dirs_exist_ok=True)
        run(["chown", "-R", "nobody", "/mnt/as-nobody"])
        home = "/mnt/as-nobody/" + self.home.name
        program = "/mnt/cleat"
        shutil.copy(CLEAT, program)
        done = run(["setpriv", "--reuid", "nobody", "--clear-groups", program, "cert", "dev",
                    "--install"], check=False, cwd=home,
                   env={**self.environment, "HOME": home, "TRUST_STORES": "system,nss"})
        told = done.stdout.decode()
        self.assertEqual(done.returncode, 1, (told, done.stderr))
        self.assertIn("run: sudo install -m 644", told)
        self.assertEqual(told.count(": trusted"), 3, told)

    def test_a_ca_that_others_may_have_is_refused(self):
        self.dev("a.test")
        folder = self.home / ".local/share/cleat/ca"
        for path, mode, words in ((folder / "ca-key.pem", 0o640, "others can read"),
                                  (folder, 0o777, "others can write")):
            with self.subTest(words):
                before = path.stat().st_mode
                path.chmod(mode)
                for args in (("b.test",), ("--install",)):
                    told = self.dev(*args, code=1, TRUST_STORES="nss")
                    self.assertIn(words, told)
                    self.assertIn("chmod", told)
                path.chmod(before)
        self.dev("b.test")

    def test_mkcerts_folder_is_used_as_it_is(self):
        self.dev("a.test")
        own, root = self.home / ".local/share/cleat/ca", self.home / "mkcert"
        root.mkdir(mode=0o755)
        shutil.copy(own / "ca.pem", root / "rootCA.pem")
        shutil.copy(own / "ca-key.pem", root / "rootCA-key.pem")
        self.assertEqual(self.dev("--CAROOT", CAROOT=str(root)).strip(), str(root))
        self.dev("b.test", CAROOT=str(root))
        run(["openssl", "verify", "-CAfile", root / "rootCA.pem", self.home / "b.test.pem"])
        self.assertEqual(sorted(os.listdir(root)), ["rootCA-key.pem", "rootCA.pem"])
        # as on a second machine, which trusts and does not sign
        (root / "rootCA-key.pem").unlink()
        self.dev("--install", CAROOT=str(root), TRUST_STORES="nss")
        self.assertIn("rootCA-key.pem", self.dev("c.test", code=1, CAROOT=str(root)))

    def test_pkcs12_has_the_key_and_both_certificates(self):
        for args, name in ((("--p12", "a.test"), "a.test.p12"),
                           (("--pkcs12", "--client", "a@a.test"), "a@a.test-client.p12"),
                           (("--p12-file", "mine.p12", "a.test", "b.test"), "mine.p12")):
            with self.subTest(name):
                self.assertIn('password "changeit"', self.dev(*args))
                path = self.home / name
                self.assertEqual(path.stat().st_mode & 0o777, 0o600)
                text = run(["openssl", "pkcs12", "-in", path, "-passin", "pass:changeit",
                            "-nodes"]).stdout.decode()
                self.assertEqual(text.count("BEGIN CERTIFICATE"), 2)
                self.assertEqual(text.count("BEGIN PRIVATE KEY"), 1)
                run(["pk12util", "-d", f"sql:{self.nssdb}", "-i", path, "-W", "changeit",
                     "-K", ""])
        self.assertFalse((self.home / "a.test.pem").exists())

    def test_what_does_not_go_together(self):
        for args in ((), ("--install", "--uninstall"), ("--uninstall", "a.test"),
                     ("--p12", "--cert-file", "x", "a.test")):
            with self.subTest(args):
                self.dev(*args, code=2)
        self.assertIn("system, java and nss", self.dev("--install", code=2, TRUST_STORES="windows"))


if __name__ == "__main__":
    main()

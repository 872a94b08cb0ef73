#!/usr/bin/env python3
"""`cleat cert lint` about certificates, requests and lists that the openssl command made wrong in
one way each; and about the chains of large sites, which have no error (x509-limbo's)."""
import json
import os
import pathlib

from get_support import PROGRAM, GetTest, openssl
from support import main, run

DATA = os.environ.get("CLEAT_TEST_DATA")
GOOD = {"basicConstraints": "critical,CA:FALSE", "keyUsage": "critical,digitalSignature",
        "extendedKeyUsage": "serverAuth", "subjectAltName": "DNS:lint.test",
        "subjectKeyIdentifier": "hash", "authorityKeyIdentifier": "keyid",
        "crlDistributionPoints": "URI:http://crl.test/l",
        "authorityInfoAccess": "caIssuers;URI:http://ca.test/c"}


class Lint(GetTest):
    def file(self, name):
        return self.folder / name

    def leaf(self, subject="/CN=lint.test", days=90, key=("ec", "ec_paramgen_curve:P-256"),
             serial="0x0123456789abcdef0123", more=(), **changes):
        """A certificate of the test's CA: GOOD, but for what is named; None leaves it out."""
        exts = {**GOOD, **changes}
        config, csr, out = (self.file(f"l.{end}") for end in ("cnf", "csr", "pem"))
        config.write_text("[e]\n" + "".join(f"{name}={value}\n" for name, value in exts.items()
                                            if value is not None))
        openssl("req", "-new", "-newkey", key[0], "-pkeyopt", key[1], "-nodes", "-keyout",
                self.file("l.key"), "-subj", subject, "-out", csr)
        openssl("x509", "-req", "-in", csr, "-CA", self.ca.cert, "-CAkey", self.ca.key, "-days",
                days, "-set_serial", serial, "-extfile", config, "-extensions", "e", "-out", out,
                *more)
        return out

    def lint(self, *args, code=None):
        done = run([PROGRAM, "cert", "lint", "--json", "--cacert", self.ca.cert, *args],
                   check=False)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        seen = json.loads(done.stdout)
        if code is not None:
            self.assertEqual(done.returncode, code, seen)
        self.assertEqual(seen["schema"], 1)
        return {f["rule"]: f["level"] for f in seen["findings"]}

    def test_a_good_certificate_has_notices_at_most(self):
        rules = self.lint(self.leaf(), code=0)
        self.assertEqual(set(rules), {"not_logged", "internal_name"})
        self.assertEqual(set(rules.values()), {"notice"})
        self.assertEqual(self.lint("--profile", "rfc5280", self.leaf(), code=0), {})

    def test_each_fault_is_found(self):
        rows = (
            ("has_san", "error", {"subjectAltName": None}),
            ("common_name_in_san", "warning", {"subject": "/CN=other.test"}),
            ("underscore", "error", {"subjectAltName": "DNS:lint.test,DNS:a_b.test"}),
            ("odd_wildcard", "error", {"subjectAltName": "DNS:lint.test,DNS:f*.test"}),
            ("no_public_wildcard", "warning", {"subjectAltName": "DNS:lint.test,DNS:*.test"}),
            ("repeated_name", "warning", {"subjectAltName": "DNS:lint.test,DNS:lint.test"}),
            ("dns_and_ip_only", "error", {"subjectAltName": "DNS:lint.test,URI:http://x"}),
            ("lifetime", "notice", {"days": 300}),
            ("lifetime", "error", {"days": 900}),
            ("serial_entropy", "warning", {"serial": "0x1234"}),
            ("serial_short", "error", {"serial": "0x" + "11" * 21}),
            ("has_eku", "warning", {"extendedKeyUsage": None}),
            ("usage", "error", {"extendedKeyUsage": "clientAuth"}),
            ("no_any_eku", "error", {"extendedKeyUsage": "serverAuth,anyExtendedKeyUsage"}),
            ("client_too", "notice", {"extendedKeyUsage": "serverAuth,clientAuth"}),
            ("usage", "error", {"keyUsage": "critical,keyAgreement"}),
            ("ec_encipherment", "warning", {"keyUsage": "digitalSignature,keyEncipherment"}),
            ("cert_sign_of_ca", "error", {"keyUsage": "digitalSignature,keyCertSign"}),
            ("no_status", "notice", {"crlDistributionPoints": None}),
            ("no_issuer_url", "notice", {"authorityInfoAccess": None}),
            ("secure_urls", "warning", {"crlDistributionPoints": "URI:https://crl.test/l"}),
            ("must_staple", "error", {"tlsfeature": "status_request"}),
            ("must_staple", "notice", {"tlsfeature": "status_request", "authorityInfoAccess":
                                       "OCSP;URI:http://o.test,caIssuers;URI:http://ca.test/c"}),
            ("aki_key_id", "error", {"authorityKeyIdentifier": "none"}),
            ("unknown_critical", "error", {"1.2.3.4": "critical,DER:0500"}),
            ("strength", "error", {"key": ("rsa", "rsa_keygen_bits:1024")}),
            ("key_known", "warning", {"key": ("ec", "ec_paramgen_curve:secp256k1")}),
            ("strength", "error", {"more": ("-sha1",)}),
            ("organizational_unit", None, {"subject": "/OU=x/CN=lint.test"}),
        )
        for rule, level, changes in rows:
            with self.subTest(rule, changes=changes):
                rules = self.lint(self.leaf(**changes))
                self.assertEqual(rules.get(rule), level, rules)

    def test_chains(self):
        leaf, chain, key = self.leaf(), self.file("chain.pem"), self.file("m.key")
        chain.write_bytes(leaf.read_bytes() + self.ca.cert.read_bytes())
        self.assertEqual(self.lint(chain, code=1)["root"], "warning")
        chain.write_bytes(self.ca.cert.read_bytes() + leaf.read_bytes())
        self.assertEqual(self.lint(chain, code=1)["leaf_first"], "error")
        chain.write_bytes(leaf.read_bytes() * 2)
        self.assertEqual(self.lint(chain, code=1)["in_order"], "warning")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", key, "-subj", "/CN=Stranger", "-out", self.file("s.pem"))
        self.assertEqual(self.lint("--cacert", self.file("s.pem"), leaf, code=1)["complete"],
                         "warning")
        self.assertEqual(self.lint("--at", "2035-01-01", leaf, code=1)["validity"], "error")
        # a bundle of CAs is not a chain in the wrong order
        chain.write_bytes(self.ca.cert.read_bytes() + self.file("s.pem").read_bytes())
        self.assertTrue({"leaf_first", "in_order", "root"}.isdisjoint(self.lint(chain)))

    def test_requests(self):
        csr = self.file("r.csr")
        new = ("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
               "-keyout", self.file("r.key"), "-subj", "/CN=r.test", "-out", csr)
        openssl(*new)
        self.assertEqual(self.lint(csr, code=1)["request_without_names"], "warning")
        openssl(*new, "-addext", "subjectAltName=DNS:a_b.test")
        self.assertEqual(self.lint(csr, code=1)["underscore"], "error")
        openssl(*new, "-addext", "subjectAltName=DNS:r.test", "-addext",
                "basicConstraints=CA:TRUE", "-addext", "tlsfeature=status_request")
        rules = self.lint(csr, code=0)
        self.assertEqual((rules["wants_to_be_ca"], rules["wants_must_staple"]),
                         ("notice", "notice"))
        der = bytearray(run([PROGRAM, "cert", "convert", csr]).stdout)
        der[der.index(b"r.test")] ^= 1
        csr.write_bytes(der)
        self.assertEqual(self.lint(csr, code=1)["request_signature"], "error")

    def test_lists(self):
        folder, crl = self.file("lint-db"), self.file("l.crl")
        folder.mkdir()
        (folder / "index.txt").touch()
        config = folder / "ca.cnf"
        config.write_text(f"[ca]\ndefault_ca=c\n[c]\ndatabase={folder}/index.txt\n"
                          "default_md=sha256\n")
        openssl("ca", "-config", config, "-gencrl", "-cert", self.ca.cert, "-keyfile", self.ca.key,
                "-crldays", "30", "-out", crl)
        rules = self.lint(crl, code=1)
        self.assertEqual(rules, {"lasts_long": "notice", "no_number": "error",
                                 "no_key_id": "error"})
        rules = self.lint("--at", "2035-01-01", crl, code=1)
        self.assertEqual(rules["outdated"], "error")
        self.assertEqual(self.lint("--at", "2020-01-01", crl)["from_future"], "error")

    def test_what_we_make_has_notices_at_most(self):
        ca, key, csr = self.file("own.pem"), self.file("own.key"), self.file("own.csr")
        run([PROGRAM, "cert", "csr", "--new-key", key, "--common-name", "Own", "-o", csr])
        run([PROGRAM, "cert", "sign", "--root", "--ca-key", key, "--csr", csr, "-o", ca])
        sign = (PROGRAM, "cert", "sign", "--ca", ca, "--ca-key", key)
        run([*sign, "--crl", "-o", self.file("own.crl")])
        run([PROGRAM, "cert", "csr", "--new-key", self.file("o.key"), "-o", self.file("o.csr"),
             "own.test"])
        run([*sign, "--csr", self.file("o.csr"), "-o", self.file("o.pem")])
        rules = self.lint("--cacert", ca, self.file("o.csr"), self.file("o.pem"),
                          self.file("own.crl"), ca, code=0)
        self.assertEqual(set(rules.values()), {"notice"}, rules)

    def test_what_a_pkcs12_file_holds_is_looked_at(self):
        cert, file, word = self.leaf(subjectAltName=None), self.file("l.p12"), self.file("word")
        word.touch(mode=0o600)
        word.write_text("a word\n")
        openssl("pkcs12", "-export", "-in", cert, "-inkey", self.file("l.key"), "-passout",
                f"file:{word}", "-out", file)
        rules = self.lint("--passin", f"file:{word}", file, code=1)
        self.assertEqual(rules, self.lint(cert, code=1))
        self.assertIn("has_san", rules)
        word.write_text("another\n")
        done = run([PROGRAM, "cert", "lint", "--passin", f"file:{word}", file], check=False)
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"passphrase", done.stderr)

    def test_exit_codes_and_levels(self):
        def code(*args):
            return run([PROGRAM, "cert", "lint", "--cacert", self.ca.cert, *args],
                       check=False).returncode
        leaf = self.leaf(serial="0x12")
        self.assertEqual([code("--level", level, leaf) for level in ("error", "warning", "notice")],
                         [0, 1, 1])
        self.assertEqual(code(leaf, self.file("l.key")), 3)
        self.assertEqual(code(self.file("nothing")), 3)
        self.assertEqual(code("--cacert", self.file("nothing"), leaf), 3)
        self.assertEqual([code(), code("--level", "bad", leaf), code("--profile", "x", leaf)],
                         [2, 2, 2])
        text = run([PROGRAM, "cert", "lint", "--cacert", self.ca.cert, leaf], check=False).stdout
        self.assertIn(b"warning  serial_entropy: its serial number has 1 bytes", text)
        self.assertIn(b"[CABF BR 7.1]", text)
        cut = self.file("cut.der")
        der = bytearray(openssl("x509", "-in", leaf, "-outform", "DER").stdout)
        der[der.index(b"lint.test") - 2] = 0x1f  # a string of no type
        cut.write_bytes(der)
        self.assertEqual(self.lint(cut, code=1).get("form"), "error")

    def test_large_sites_have_no_error(self):
        path = pathlib.Path(DATA or "/nowhere") / "limbo" / "core.json"
        if not path.exists():
            self.skipTest("no CLEAT_TEST_DATA with limbo")
        seen = 0
        for case in json.loads(path.read_text())["testcases"]:
            if not case["id"].startswith("online::"):
                continue
            chain = self.file("online.pem")
            chain.write_text("".join(c.strip() + "\n" for c in (
                case["peer_certificate"], *case["untrusted_intermediates"])))
            with self.subTest(case["id"]):
                rules = self.lint("--at", case["validation_time"].replace("+00:00", "Z"), chain)
                self.assertNotIn("error", rules.values(), rules)
                seen += 1
        self.assertGreaterEqual(seen, 10)


if __name__ == "__main__":
    main()

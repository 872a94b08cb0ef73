#!/usr/bin/env python3
"""`cleat cert show` of everything that the openssl command makes: for people and as JSON."""
import base64
import hashlib
import json
import os
import subprocess
import sys

from get_support import PROGRAM, GetTest, openssl
from support import main, run


class Show(GetTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.key = cls.folder / "show-key.pem"
        run([PROGRAM, "cert", "key", "-o", cls.key])
        spki = openssl("pkey", "-in", cls.key, "-pubout", "-outform", "DER").stdout
        cls.pin = base64.b64encode(hashlib.sha256(spki).digest()).decode()

    def show(self, *args, **more):
        return run([PROGRAM, "cert", "show", *args], **more).stdout.decode()

    def item(self, *args):
        return json.loads(self.show("--json", *args))["items"][0]

    def file(self, name, *command):
        path = self.folder / name
        openssl(*command, "-out", path)
        return path

    def test_keys_in_every_form_show_what_they_publish(self):
        forms = (("pkcs8", "private key", "PKCS#8", ("pkey",)),
                 ("sec1", "private key", "SEC1", ("pkey", "-traditional")),
                 ("der", "private key", "PKCS#8", ("pkcs8", "-topk8", "-nocrypt", "-outform",
                                                   "DER")),
                 ("public", "public key", None, ("pkey", "-pubout")))
        secret = openssl("pkey", "-in", self.key, "-noout", "-text").stdout.decode()
        digits = "".join(secret.split("priv:")[1].split("pub:")[0].split()).replace(":", "")
        for name, kind, form, command in forms:
            with self.subTest(name):
                path = self.file(name, *command, "-in", self.key)
                item = self.item(path)
                self.assertEqual(item["kind"], kind)
                self.assertEqual(item.get("form"), form)
                self.assertEqual(item["spki_pin_sha256"], self.pin)
                self.assertEqual((item["key"], item["key_bits"]), ("ECDSA P-256", 256))
                text = self.show(path)
                self.assertIn(self.pin, text)
                self.assertNotIn(digits[2:], text.replace(":", "").lower())

    def test_an_encrypted_key_from_outside_and_inside(self):
        path = self.file("sealed", "pkcs8", "-topk8", "-in", self.key, "-passout", "pass:x")
        item = self.item(path)
        self.assertTrue(item["encrypted"])
        self.assertIn("AES-256-CBC", item["encryption"])
        self.assertNotIn("spki_pin_sha256", item)
        self.assertEqual(self.item("--passin", "pass:x", path)["spki_pin_sha256"], self.pin)
        wrong = subprocess.run([PROGRAM, "cert", "show", "--passin", "pass:y", path],
                               capture_output=True, check=False)
        self.assertEqual(wrong.returncode, 1)
        self.assertIn(b"passphrase is wrong", wrong.stderr)

    def test_a_request(self):
        path = self.file("r.csr", "req", "-new", "-key", self.key, "-subj", "/CN=shown", "-addext",
                         "subjectAltName=DNS:a.test,IP:192.0.2.1")
        item = self.item(path)
        self.assertEqual([n["value"] for n in item["names"]], ["a.test", "192.0.2.1"])
        self.assertTrue(item["signature_good"])
        self.assertEqual(item["subject"], "CN=shown")

    def revoked(self, num):
        """A list of `openssl ca` with that many entries."""
        index = "".join(f"R\t351231235959Z\t261101000000Z,keyCompromise\t{n + 256:04X}\tunknown"
                        f"\t/CN={n}\n" for n in range(num))
        (self.folder / "index.txt").write_text(index)
        (self.folder / "crlnumber").write_text("07\n")
        conf = self.folder / "ca.conf"
        conf.write_text(f"[ca]\ndefault_ca=c\n[c]\ndatabase={self.folder}/index.txt\n"
                        f"crlnumber={self.folder}/crlnumber\ndefault_md=sha256\n"
                        "default_crl_days=5\ncrl_extensions=e\n[e]\n"
                        "issuingDistributionPoint=critical,@i\n[i]\n"
                        "fullname=URI:http://crl.test/a.crl\nonlyuser=TRUE\n")
        return self.file("ca.crl", "ca", "-config", conf, "-gencrl", "-keyfile", self.ca.key,
                         "-cert", self.ca.cert)

    def test_a_revocation_list(self):
        path = self.revoked(25)
        item = self.item(path)
        self.assertEqual((item["num_entries"], len(item["entries"])), (25, 20))
        self.assertEqual(item["number"], "07")
        self.assertEqual(item["distribution_points"], [{"name": "http://crl.test/a.crl"}])
        self.assertEqual(item["only"], "certificates of end entities")
        self.assertEqual(item["entries"][0]["serial"], "0100")
        self.assertEqual(item["entries"][0]["reason"], "keyCompromise")
        self.assertEqual(item["entries"][0]["revoked_at"], "2026-11-01T00:00:00Z")
        self.assertEqual(len(self.item("--entries", "all", path)["entries"]), 25)
        self.assertEqual(len(self.item("--serial", "0x1:05", path)["entries"]), 1)
        self.assertEqual(self.item("--serial", "99", path)["num_matching"], 0)
        self.assertIn("and 5 more", self.show(path))
        self.assertIn("not listed", self.show("--serial", "99", path))

    def test_an_ocsp_response(self):
        cert = self.file("leaf.pem", "req", "-x509", "-new", "-key", self.key, "-subj", "/CN=leaf",
                         "-CA", self.ca.cert, "-CAkey", self.ca.key, "-set_serial", "0x0badcafe")
        index = self.folder / "ocsp-index.txt"
        index.write_text("R\t351231235959Z\t261101000000Z,superseded\t0BADCAFE\tunknown"
                         "\t/CN=leaf\n")
        path = self.folder / "answer.der"
        openssl("ocsp", "-index", index, "-CA", self.ca.cert, "-rsigner", self.ca.cert, "-rkey",
                self.ca.key, "-issuer", self.ca.cert, "-cert", cert, "-ndays", "3", "-respout",
                path)
        item = self.item(path)
        self.assertEqual(item["response_status"], "successful")
        self.assertEqual(item["responder"], "CN=Interop CA")
        self.assertEqual(len(item["certificates"]), 1)
        answer = item["answers"][0]
        self.assertEqual((answer["status"], answer["reason"], answer["serial"]),
                         ("REVOKED", "superseded", "0badcafe"))
        self.assertIsNotNone(answer["next_update"])

    def test_timestamps(self):
        sct = (b"\0" + bytes(range(32)) + (1700000000000).to_bytes(8, "big") + b"\0\0\4\3\0\4abcd")
        one = len(sct).to_bytes(2, "big") + sct
        whole = (2 * len(one)).to_bytes(2, "big") + one + one
        for name, data, num in (("one", sct, 1), ("list", whole, 2),
                                ("octets", b"\x04" + bytes([len(whole)]) + whole, 2)):
            with self.subTest(name):
                path = self.folder / name
                path.write_bytes(data)
                item = self.item(path)
                self.assertEqual(item["num_timestamps"], num)
                self.assertEqual(item["timestamps"][0]["log_id_hex"], bytes(range(32)).hex())
                self.assertEqual(item["timestamps"][0]["time"], "2023-11-14T22:13:20Z")

    def test_logs_of_timestamps_have_their_names(self):
        """Of lists and of certificates, with the list named, found, broken and not there."""
        log = openssl("pkey", "-in", self.key, "-pubout", "-outform", "DER").stdout
        log_id = hashlib.sha256(log).digest()
        logs = self.folder / "logs.json"
        logs.write_text(json.dumps({"version": "1.0", "operators": [{"name": "Interop", "logs": [
            {"description": "the log a", "log_id": base64.b64encode(log_id).decode(),
             "key": base64.b64encode(log).decode(),
             "state": {"usable": {"timestamp": "2024-01-01T00:00:00Z"}}}]}]}))
        known, strange = (b"\0" + i + (1700000000000).to_bytes(8, "big") + b"\0\0\4\3\0\4abcd"
                          for i in (log_id, bytes(32)))
        framed = b"".join(len(sct).to_bytes(2, "big") + sct for sct in (known, strange))
        whole = len(framed).to_bytes(2, "big") + framed
        (self.folder / "a.sct").write_bytes(whole)

        def cert(name, value):
            octets = bytes([4, len(value)]) if len(value) < 128 else bytes([4, 0x81, len(value)])
            return self.file(name, "req", "-x509", "-key", self.key, "-subj", "/CN=logged",
                             "-addext", "1.3.6.1.4.1.11129.2.4.2=DER:" + (octets + value).hex())
        embedded = cert("logged.pem", whole)
        names = {"log": "the log a", "operator": "Interop", "state": "usable"}
        none = {key: None for key in names}
        for source, kind in ((self.folder / "a.sct", "items"), (embedded, "certificates")):
            for more, env, wanted in ((("--ct-logs", logs), {}, names),
                                      ((), {"CLEAT_CT_LOGS": str(logs)}, names), ((), {}, none)):
                with self.subTest(kind, more=more):
                    env = {**os.environ, "XDG_DATA_HOME": "/nowhere", **env}
                    told = json.loads(self.show("--json", *more, source, env=env))[kind][0]
                    first, second = told["timestamps"]
                    self.assertEqual({key: first[key] for key in names}, wanted)
                    self.assertEqual(first["log_id"], base64.b64encode(log_id).decode())
                    self.assertEqual({key: second[key] for key in names}, none)
            text = self.show("--ct-logs", logs, source)
            self.assertIn("the log a (Interop, usable)", text)
            self.assertIn("AAAAAAA= (not in the list of logs)", text)
        self.assertIn("broken behind number 0", self.show(
            cert("torn.pem", b"\0\x03\0\x09a")))
        self.assertEqual(json.loads(self.show("--json", self.ca.cert))["certificates"][0]
                         ["timestamps"], [])
        logs.write_text("{")
        for more, env, code in ((("--ct-logs", logs), {}, 77),
                                ((), {"CLEAT_CT_LOGS": str(logs)}, 0)):
            done = subprocess.run([PROGRAM, "cert", "show", *more, embedded], check=False,
                                  capture_output=True, env={**os.environ, **env})
            self.assertEqual(done.returncode, code)
            self.assertIn(b"cannot use the list of logs in " + str(logs).encode(), done.stderr)
            self.assertEqual(b"Log " in done.stdout, code == 0)

    def test_several_at_once_and_what_is_none(self):
        html = self.folder / "page"
        html.write_text("<!DOCTYPE html><p>log in")
        done = subprocess.run([PROGRAM, "cert", "show", "--json", self.key, html, self.ca.cert],
                              capture_output=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"looks like a web page", done.stderr)
        first, second, third = json.loads(done.stdout)
        self.assertEqual(first["items"][0]["kind"], "private key")
        self.assertIsNone(second)
        self.assertEqual(third["certificates"][0]["common_name"], "Interop CA")


if __name__ == "__main__":
    sys.exit(main())

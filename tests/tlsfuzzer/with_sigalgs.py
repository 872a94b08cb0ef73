"""with_sigalgs.py SCRIPT [ARGUMENT...] - run a script of tlsfuzzer, as it is, with
signature_algorithms in those ClientHellos of TLS 1.2 that have none: without it they mean SHA-1
(RFC 5246 7.4.1.4.1), and what these scripts test has nothing to do with that."""
import runpy
import sys

from tlsfuzzer import messages
from tlsfuzzer.helpers import SIG_ALL
from tlslite.constants import ExtensionType
from tlslite.extensions import SignatureAlgorithmsExtension

plain = messages.ClientHelloGenerator.__init__


def with_algorithms(self, ciphers=None, extensions=None, version=None, *rest, **named):
    if not named.get("ssl2") and version in (None, (3, 3)):
        extensions = dict(extensions or {})
        extensions.setdefault(ExtensionType.signature_algorithms,
                              SignatureAlgorithmsExtension().create(SIG_ALL))
    plain(self, ciphers, extensions, version, *rest, **named)


messages.ClientHelloGenerator.__init__ = with_algorithms
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")

"""with_gcm.py SCRIPT [ARGUMENT...] - run a script of tlsfuzzer, as it is, with AES-GCM where it
names AES-CBC: many take an ECDHE suite with CBC for their handshakes and have no argument to say
another, and what they test has nothing to do with the cipher."""
import runpy
import sys

from tlslite.constants import CipherSuite

CipherSuite.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA = CipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
CipherSuite.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA = CipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA = \
    CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256

sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")

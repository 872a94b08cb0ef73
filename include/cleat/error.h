/* cleat/error.h - what went wrong, in a form that programs and people can both use.
 *
 * Every function of this library that can fail returns an int: CLEAT_OK (0) or one of the negative
 * codes below. Codes are stable: a name and its number never change meaning. The detail (alert,
 * section of the standard, one sentence with the actual values, what to do about it) is a
 * struct cleat_error, kept in the object that failed; the first failure wins.
 */
#ifndef CLEAT_ERROR_H
#define CLEAT_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, number, TLS alert sent for it (RFC 9846 6; 0 = none of its own), sentence).
 * Numbers below -100 belong to TLS, below -200 to X.509, below -300 to HTTP, below -400 to
 * WebSocket. */
/* clang-format off */
#define CLEAT_ERROR_LIST(X)                                                                        \
    X(NOMEM, -1, 80, "out of memory")                                                              \
    X(USAGE, -2, 80, "the function was called in a way that its contract forbids")                 \
    X(INTERNAL, -3, 80, "an invariant of the library does not hold")                               \
    X(RANDOM, -4, 80, "the source of randomness failed")                                           \
    X(CRYPTO, -5, 80, "the cryptographic library failed")                                          \
    X(UNSUPPORTED, -6, 80, "a feature that this build or library does not have")                   \
    X(LIMIT, -7, 80, "a limit was exceeded")                                                       \
    X(BAD_PEM, -8, 0, "not valid PEM")                                                             \
    X(BAD_KEY, -9, 0, "not a usable key")                                                          \
    X(BAD_CONFIG, -10, 0, "the configuration contradicts itself or is incomplete")                 \
    X(KEY_MISMATCH, -11, 0, "the private key does not belong to the certificate")                  \
    X(NEEDS_PASSPHRASE, -12, 0, "the private key is encrypted")                                    \
    X(SYSTEM, -13, 0, "the operating system refused")                                              \
    X(BAD_PASSPHRASE, -14, 0, "the passphrase is wrong")                                           \
    X(BAD_PKCS12, -15, 0, "not a usable PKCS#12 file")                                             \
                                                                                                   \
    X(DECODE, -100, 50, "a message could not be decoded")                                          \
    X(UNEXPECTED_MESSAGE, -101, 10, "a message that is not allowed at this point")                 \
    X(BAD_RECORD_MAC, -102, 20, "a record failed authentication")                                  \
    X(RECORD_OVERFLOW, -103, 22, "a record longer than allowed")                                   \
    X(ILLEGAL_PARAMETER, -104, 47, "a field with a forbidden value")                               \
    X(MISSING_EXTENSION, -105, 109, "a mandatory extension is missing")                            \
    X(UNSUPPORTED_EXTENSION, -106, 110, "an extension that was not offered")                       \
    X(PROTOCOL_VERSION, -107, 70, "no protocol version in common")                                 \
    X(NO_SHARED_CIPHER, -108, 40, "no cipher suite in common")                                     \
    X(NO_SHARED_GROUP, -109, 40, "no key-exchange group in common")                                \
    X(NO_SHARED_SIGNATURE, -110, 40, "no signature scheme in common that a certificate can use")   \
    X(NO_SHARED_ALPN, -111, 120, "no application protocol in common")                              \
    X(UNRECOGNIZED_NAME, -112, 112, "no configuration for the requested server name")              \
    X(DECRYPT_ERROR, -113, 51, "a handshake signature, binder or Finished is wrong")               \
    X(CERTIFICATE_REQUIRED, -114, 116, "the client sent no certificate where one is required")     \
    X(BAD_KEY_SHARE, -115, 47, "the peer's key share is not a valid public key")                   \
    X(TRUNCATED, -116, 0, "connection closed early: no close_notify before the end")               \
    X(PEER_ALERT, -117, 0, "the peer ended the connection with a fatal alert")                     \
    X(HTTP_ON_TLS_PORT, -118, 0, "the peer speaks plain HTTP on a TLS port")                       \
    X(SSLV2_HELLO, -119, 70, "the peer sent an SSL 2.0 ClientHello")                               \
    X(NOT_TLS, -120, 70, "the peer's first bytes are not TLS")                                     \
    X(TOO_MANY_RECORDS, -121, 10, "too many records or messages without progress")                 \
    X(HANDSHAKE_TOO_LARGE, -122, 50, "a handshake message larger than the limit")                  \
    X(DOWNGRADE, -123, 47, "the handshake was tampered with to negotiate an older version")        \
    X(CLOSED, -124, 0, "the connection is already closed in this direction")                       \
    X(REFUSED, -125, 40, "the application refused the connection")                                 \
    X(UNKNOWN_PSK, -126, 115, "no acceptable pre-shared key")                                      \
    X(INAPPROPRIATE_FALLBACK, -127, 86, "a fallback to an older version that is not needed")       \
    X(NO_EXTENDED_MASTER_SECRET, -129, 40, "the peer does not bind its TLS 1.2 handshake")         \
    X(TOO_MUCH_EARLY_DATA, -130, 10, "more early data than the ticket allows")                     \
    X(ECH_REJECTED, -131, 121, "the server rejected Encrypted Client Hello")                       \
    X(BAD_ECH_CONFIG, -132, 80, "not a valid configuration for Encrypted Client Hello")            \
    X(JOB_FAILED, -128, 80, "a job of asymmetric cryptography failed")                             \
                                                                                                   \
    X(BAD_CERTIFICATE, -200, 42, "a certificate is malformed")                                     \
    X(UNSUPPORTED_CERTIFICATE, -201, 43, "a certificate of an unsupported kind")                   \
    X(CERT_EXPIRED, -202, 45, "a certificate has expired")                                         \
    X(CERT_NOT_YET_VALID, -203, 45, "a certificate is not yet valid")                              \
    X(UNKNOWN_ISSUER, -204, 48, "no path to a trust anchor")                                       \
    X(SELF_SIGNED, -205, 48, "a self-signed certificate that is not a trust anchor")               \
    X(BAD_SIGNATURE, -206, 42, "a certificate's signature is wrong")                               \
    X(NAME_MISMATCH, -207, 42, "the certificate is not for this name")                             \
    X(NOT_A_CA, -208, 42, "an issuer is not a certification authority")                            \
    X(PATH_TOO_LONG, -209, 42, "more intermediates than an issuer permits")                        \
    X(BAD_KEY_USAGE, -210, 43, "the key may not be used for this purpose")                         \
    X(NAME_CONSTRAINT, -211, 42, "a name outside an issuer's name constraints")                    \
    X(UNKNOWN_CRITICAL, -212, 43, "a critical extension that is not understood")                   \
    X(WEAK_KEY, -213, 43, "a key or signature algorithm that is too weak")                         \
    X(TOO_COMPLEX, -214, 42, "path building exceeded its limits of work")                          \
    X(POLICY_VIOLATION, -215, 42, "a certificate violates the certificate policies")               \
    X(REVOKED, -216, 44, "a certificate has been revoked")                                         \
    X(NO_CERTIFICATE, -217, 42, "there is no certificate")                                         \
    X(REVOCATION_UNKNOWN, -218, 46, "whether a certificate has been revoked is not known")         \
    X(NOT_TRANSPARENT, -220, 42, "a certificate without enough certificate timestamps")            \
    X(DANE_NO_MATCH, -222, 42, "no TLSA record matches the certificates")                          \
    X(BAD_TLSA, -223, 0, "not a valid TLSA record")                                                \
    X(OCSP_NONCE, -224, 0, "an OCSP response that does not answer this request")                   \
    X(UNKNOWN_KEY, -219, 46, "a raw public key that is not pinned")                                \
    X(PIN_MISMATCH, -221, 46, "the peer's key is none of those that are pinned")                   \
                                                                                                   \
    X(HTTP_SYNTAX, -300, 0, "not a valid HTTP message")                                            \
    X(HTTP_AMBIGUOUS, -301, 0, "an HTTP message whose length is ambiguous (request smuggling)")    \
    X(HTTP_TOO_LARGE, -302, 0, "an HTTP message beyond a limit")                                   \
    X(HTTP_VERSION, -303, 0, "an HTTP version that is not supported")                              \
    X(HTTP_TRUNCATED, -304, 0, "an HTTP message that ended early")                                 \
    X(BAD_URL, -305, 0, "not a valid URL")                                                         \
    X(HTTP_STATUS, -306, 0, "an HTTP status that means failure")                                   \
    X(CODING, -307, 0, "content that is not what its coding says")                                 \
                                                                                                   \
    X(WS_HANDSHAKE, -400, 0, "not a valid WebSocket handshake")                                    \
    X(WS_VERSION, -401, 0, "a WebSocket version that is not supported")                            \
    X(WS_ORIGIN, -402, 0, "an origin that is not allowed to connect")                              \
    X(WS_PROTOCOL, -403, 0, "a frame that breaks the WebSocket protocol")                          \
    X(WS_UTF8, -404, 0, "text that is not UTF-8")                                                  \
    X(WS_TOO_LARGE, -405, 0, "a WebSocket message or frame beyond a limit")                        \
    X(WS_DEFLATE, -406, 0, "a compressed message that cannot be decompressed")                     \
    X(WS_POLICY, -407, 0, "a WebSocket peer that does what is not allowed here")                   \
    X(WS_QUEUE_FULL, -408, 0, "the queue of outgoing messages is full")                            \
    X(WS_UNCLEAN, -409, 0, "a WebSocket connection that ended without a closing handshake")        \
    X(WS_TIMEOUT, -410, 0, "a WebSocket peer that did not answer in time")
/* clang-format on */

enum cleat_code {
    CLEAT_OK = 0,
#define CLEAT_X(name, number, alert, sentence) CLEAT_ERR_##name = (number),
    CLEAT_ERROR_LIST(CLEAT_X)
#undef CLEAT_X
};

/* struct cleat_error is the detail of a failure. Plain data: copy it, keep it, drop it. */
struct cleat_error {
    int code;         /* one of enum cleat_code; 0 = no error */
    uint8_t alert;    /* TLS alert sent or received (RFC 9846 6), 0 if none */
    bool from_peer;   /* the alert came from the peer */
    char section[32]; /* "RFC 9846 4.3.8", or empty */
    char text[360];   /* one sentence with the actual values; UTF-8, never from a secret */
    char hint[280];   /* what to do about it, or empty */
};

/* cleat_error_name returns the symbolic name of a code, "CERT_EXPIRED"; "UNKNOWN" for a number
 * that is no code. Static storage. Any thread. */
const char *cleat_error_name(int code);

/* cleat_error_sentence returns the general sentence for a code. Static storage. Any thread. */
const char *cleat_error_sentence(int code);

/* cleat_alert_name returns the name of a TLS alert as RFC 9846 6 spells it, "bad_record_mac";
 * "unknown_alert" for a number that is not registered. Static storage. Any thread. */
const char *cleat_alert_name(uint8_t alert);

#ifdef __cplusplus
}
#endif
#endif

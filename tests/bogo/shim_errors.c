/* tests/bogo/shim_errors.c - see shim_errors.h.
 *
 * The first row that fits names the failure: the same code, and, where the row says so, a part of
 * the sentence. BoringSSL sometimes tells apart what is one thing here, and sometimes not.
 */
#include "bogo/shim_errors.h"

#include <stdio.h>
#include <string.h>

struct row {
    int code;
    const char *text; /* a part of the sentence, or NULL: any */
    const char *name;
};

/* What BoringSSL leaves in its error queue for a malformed extension. */
#define BAD_EXTENSION "ERROR_PARSING_EXTENSION: :PARSE_TLSEXT: :DECODE_ERROR"

static const struct row rows[] = {
    {CLEAT_ERR_REFUSED, "CONNECTION_REJECTED", "CONNECTION_REJECTED"},
    {CLEAT_ERR_REFUSED, "CERT_CB_ERROR", "CERT_CB_ERROR"},
    {CLEAT_ERR_REFUSED, "OCSP_CB_ERROR", "OCSP_CB_ERROR"},
    {CLEAT_ERR_REFUSED, "NO_APPLICATION_PROTOCOL", "NO_APPLICATION_PROTOCOL"},
    {CLEAT_ERR_REFUSED, "asks for renegotiation", "NO_RENEGOTIATION"},
    {CLEAT_ERR_REFUSED, NULL, "CERTIFICATE_VERIFY_FAILED"},
    {CLEAT_ERR_HTTP_ON_TLS_PORT, "\"CONN", "HTTPS_PROXY_REQUEST"},
    {CLEAT_ERR_HTTP_ON_TLS_PORT, NULL, "HTTP_REQUEST"},
    {CLEAT_ERR_NOT_TLS, NULL, "WRONG_VERSION_NUMBER"},
    {CLEAT_ERR_SSLV2_HELLO, NULL, "WRONG_VERSION_NUMBER"},
    {CLEAT_ERR_BAD_RECORD_MAC, NULL, "DECRYPTION_FAILED_OR_BAD_RECORD_MAC: :BAD_DECRYPT"},
    {CLEAT_ERR_RECORD_OVERFLOW, "announces", "ENCRYPTED_LENGTH_TOO_LONG"},
    {CLEAT_ERR_RECORD_OVERFLOW, NULL, "DATA_LENGTH_TOO_LONG"},
    {CLEAT_ERR_HANDSHAKE_TOO_LARGE, NULL, "EXCESSIVE_MESSAGE_SIZE"},
    {CLEAT_ERR_TOO_MANY_RECORDS, "KeyUpdate", "TOO_MANY_KEY_UPDATES"},
    {CLEAT_ERR_TOO_MANY_RECORDS, "empty records", "TOO_MANY_EMPTY_FRAGMENTS"},
    {CLEAT_ERR_TOO_MANY_RECORDS, "change_cipher_spec", "TOO_MANY_EMPTY_FRAGMENTS"},
    {CLEAT_ERR_TOO_MANY_RECORDS, "alerts in a row", "TOO_MANY_WARNING_ALERTS"},
    {CLEAT_ERR_PROTOCOL_VERSION, "answers early data", "WRONG_VERSION_ON_EARLY_DATA"},
    {CLEAT_ERR_PROTOCOL_VERSION, "after a HelloRetryRequest",
     "SECOND_SERVERHELLO_VERSION_MISMATCH"},
    {CLEAT_ERR_PROTOCOL_VERSION, NULL, "UNSUPPORTED_PROTOCOL"},
    {CLEAT_ERR_TOO_MUCH_EARLY_DATA, "than is skipped", "TOO_MUCH_SKIPPED_EARLY_DATA"},
    {CLEAT_ERR_TOO_MUCH_EARLY_DATA, NULL, "TOO_MUCH_READ_EARLY_DATA"},
    {CLEAT_ERR_DOWNGRADE, NULL, "TLS13_DOWNGRADE"},
    {CLEAT_ERR_INAPPROPRIATE_FALLBACK, NULL, "INAPPROPRIATE_FALLBACK"},
    {CLEAT_ERR_NO_EXTENDED_MASTER_SECRET, "renegotiation_info",
     "UNSAFE_LEGACY_RENEGOTIATION_DISABLED"},
    {CLEAT_ERR_NO_EXTENDED_MASTER_SECRET, "a session without",
     "RESUMED_EMS_SESSION_WITHOUT_EMS_EXTENSION"},
    {CLEAT_ERR_NO_SHARED_CIPHER, NULL, "NO_SHARED_CIPHER"},
    {CLEAT_ERR_NO_SHARED_GROUP, "curve of the certificate's key", "WRONG_CURVE"},
    {CLEAT_ERR_NO_SHARED_GROUP, "certificate can be used", "NO_SHARED_CIPHER"},
    {CLEAT_ERR_NO_SHARED_GROUP, NULL, "NO_SHARED_GROUP"},
    {CLEAT_ERR_NO_SHARED_SIGNATURE, "names none of its issuers", "NO_MATCHING_ISSUER"},
    {CLEAT_ERR_NO_SHARED_SIGNATURE, "does without a signature", "NO_SHARED_CIPHER"},
    {CLEAT_ERR_NO_SHARED_SIGNATURE, "another certificate type", "UNKNOWN_CERTIFICATE_TYPE"},
    {CLEAT_ERR_NO_SHARED_SIGNATURE, "keys of this kind", "UNKNOWN_CERTIFICATE_TYPE"},
    {CLEAT_ERR_NO_SHARED_SIGNATURE, NULL, "NO_COMMON_SIGNATURE_ALGORITHMS"},
    {CLEAT_ERR_NO_SHARED_ALPN, NULL, "NO_APPLICATION_PROTOCOL"},
    {CLEAT_ERR_CERTIFICATE_REQUIRED, NULL, "PEER_DID_NOT_RETURN_A_CERTIFICATE"},
    {CLEAT_ERR_BAD_KEY_SHARE, NULL, "BAD_ECPOINT"},
    {CLEAT_ERR_DECRYPT_ERROR, "encrypted_client_hello", "DECRYPTION_FAILED"},
    {CLEAT_ERR_DECRYPT_ERROR, "the signature in", "BAD_SIGNATURE"},
    {CLEAT_ERR_DECRYPT_ERROR, NULL, "DIGEST_CHECK_FAILED"},
    {CLEAT_ERR_BAD_CERTIFICATE, "of certificates; taken are", "UNCOMPRESSED_CERT_TOO_LARGE"},
    {CLEAT_ERR_BAD_CERTIFICATE, "do not expand to", "CERT_DECOMPRESSION_FAILED"},
    {CLEAT_ERR_BAD_CERTIFICATE, NULL, "CANNOT_PARSE_LEAF_CERT"},
    {CLEAT_ERR_NO_CERTIFICATE, NULL, "DECODE_ERROR: :PEER_DID_NOT_RETURN_A_CERTIFICATE"},
    {CLEAT_ERR_BAD_KEY_USAGE, NULL, "KEY_USAGE_BIT_INCORRECT"},
    {CLEAT_ERR_UNSUPPORTED_CERTIFICATE, "certificate type", "UNSUPPORTED_CERTIFICATE"},
    {CLEAT_ERR_UNSUPPORTED_CERTIFICATE, NULL, "UNKNOWN_CERTIFICATE_TYPE"},
    {CLEAT_ERR_MISSING_EXTENSION, "key_share", "MISSING_KEY_SHARE"},
    {CLEAT_ERR_MISSING_EXTENSION, "CertificateRequest has no", "DECODE_ERROR"},
    {CLEAT_ERR_MISSING_EXTENSION, "has no signature_algorithms", "NO_COMMON_SIGNATURE_ALGORITHMS"},
    {CLEAT_ERR_MISSING_EXTENSION, "has no supported_groups", "NO_SHARED_GROUP"},
    {CLEAT_ERR_UNKNOWN_ISSUER, "instead of using a PSK", "MISSING_EXTENSION"},
    {CLEAT_ERR_MISSING_EXTENSION, NULL, "MISSING_EXTENSION"},
    {CLEAT_ERR_UNSUPPORTED_EXTENSION, NULL, "UNEXPECTED_EXTENSION"},
    {CLEAT_ERR_UNEXPECTED_MESSAGE, "handshake bytes follow", "EXCESS_HANDSHAKE_DATA"},
    {CLEAT_ERR_UNEXPECTED_MESSAGE, "other contents than 0x01", "BAD_CHANGE_CIPHER_SPEC"},
    {CLEAT_ERR_UNEXPECTED_MESSAGE, "change_cipher_spec", "UNEXPECTED_RECORD"},
    {CLEAT_ERR_UNEXPECTED_MESSAGE, "_WAIT_CCS", "UNEXPECTED_RECORD"},
    {CLEAT_ERR_UNEXPECTED_MESSAGE, "padding alone", "DECRYPTION_FAILED_OR_BAD_RECORD_MAC"},
    {CLEAT_ERR_UNEXPECTED_MESSAGE, "of outer type", "INVALID_OUTER_RECORD_TYPE"},
    {CLEAT_ERR_UNEXPECTED_MESSAGE, "record", "UNEXPECTED_RECORD"},
    {CLEAT_ERR_UNEXPECTED_MESSAGE, NULL, "UNEXPECTED_MESSAGE"},
    {CLEAT_ERR_ECH_REJECTED, NULL, "ECH_REJECTED"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "the inner ClientHello ", "INVALID_CLIENT_HELLO_INNER"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "ech_outer_extensions refers", "INVALID_OUTER_EXTENSION"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "refers to the outer", "INVALID_OUTER_EXTENSION"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "confirmed ECH in its", "INCONSISTENT_ECH_NEGOTIATION"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "a record with version", "WRONG_VERSION_NUMBER"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "second ServerHello has legacy_version", "DECODE_ERROR"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "has legacy_version", "UNSUPPORTED_PROTOCOL"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "of TLS 1.3 in TLS 1.2", "OLD_SESSION_VERSION_NOT_RETURNED"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "after a HelloRetryRequest",
     "SECOND_SERVERHELLO_VERSION_MISMATCH"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "does not belong into EncryptedExtensions",
     "UNEXPECTED_EXTENSION: :ERROR_PARSING_EXTENSION"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "does not belong into", "UNEXPECTED_EXTENSION"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "has extension", "DUPLICATE_EXTENSION"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "two key shares", "DUPLICATE_KEY_SHARE"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "go with a key of type RSA-PSS", "UNSUPPORTED_ALGORITHM"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "does not go with a key of type", "WRONG_CERTIFICATE_TYPE"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "a curve that was not offered", "BAD_ECC_CERT: :WRONG_CURVE"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "resumes a session that was not",
     "SERVER_ECHOED_INVALID_SESSION_ID"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "resumes under another cipher suite",
     "OLD_SESSION_CIPHER_NOT_RETURNED"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "early data with another cipher",
     "CIPHER_MISMATCH_ON_EARLY_DATA"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "early data with another app", "ALPN_MISMATCH_ON_EARLY_DATA"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "early data without the ticket", "UNEXPECTED_EXTENSION"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "cipher suite", "WRONG_CIPHER_RETURNED"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "session ID is not", "SERVER_ECHOED_INVALID_SESSION_ID"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "asks for no change", "EMPTY_HELLO_RETRY_REQUEST"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "has no key share", "MISSING_KEY_SHARE"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "exactly one key share", "WRONG_CURVE"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "group 0x", "WRONG_CURVE"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "key of type RSA-PSS", "UNSUPPORTED_ALGORITHM"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "signature scheme", "WRONG_SIGNATURE_TYPE"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "with a key of type", "WRONG_SIGNATURE_TYPE"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "belongs to another hash", "OLD_SESSION_PRF_HASH_MISMATCH"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "a PSK of the outer", "UNEXPECTED_EXTENSION"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "the server selected PSK", "PSK_IDENTITY_NOT_FOUND"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "identities but", "PSK_IDENTITY_BINDER_COUNT_MISMATCH"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "not the last extension", "PRE_SHARED_KEY_MUST_BE_LAST"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "chose the protocol", "INVALID_ALPN_PROTOCOL"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "null compression", "INVALID_COMPRESSION_LIST"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "compression methods other", "INVALID_COMPRESSION_LIST"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "compression method",
     "UNSUPPORTED_COMPRESSION_ALGORITHM: :DECODE_ERROR"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "compress_certificate", BAD_EXTENSION},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "compresses with algorithm", "UNKNOWN_CERT_COMPRESSION_ALG"},
    {CLEAT_ERR_ILLEGAL_PARAMETER, "ec_point_formats", BAD_EXTENSION},
    {CLEAT_ERR_ILLEGAL_PARAMETER, NULL, "DECODE_ERROR"},
    {CLEAT_ERR_DECODE, "an alert", "BAD_ALERT"},
    {CLEAT_ERR_DECODE, "ClientHello is malformed", "CLIENTHELLO_PARSE_FAILED: :DECODE_ERROR"},
    {CLEAT_ERR_DECODE, "ALPN extension", BAD_EXTENSION},
    {CLEAT_ERR_DECODE, "encrypted_client_hello", BAD_EXTENSION},
    {CLEAT_ERR_DECODE, "certificate_authorities", BAD_EXTENSION},
    {CLEAT_ERR_DECODE, "server_name", BAD_EXTENSION},
    {CLEAT_ERR_DECODE, "renegotiation_info", BAD_EXTENSION},
    {CLEAT_ERR_DECODE, "signed_certificate_timestamp", BAD_EXTENSION},
    {CLEAT_ERR_DECODE, "status_request", BAD_EXTENSION},
    {CLEAT_ERR_DECODE, "raw public key", "INVALID_RAW_PUBLIC_KEY: :DECODE_ERROR"},
    {CLEAT_ERR_DECODE, NULL, "DECODE_ERROR"},
    {CLEAT_ERR_TRUNCATED, NULL, "UNEXPECTED_EOF"},
};

/* Alerts received, as BoringSSL names them. */
static const struct {
    uint8_t alert;
    const char *name;
} alerts[] = {
    {10, "SSLV3_ALERT_UNEXPECTED_MESSAGE"},    {20, "SSLV3_ALERT_BAD_RECORD_MAC"},
    {22, "TLSV1_ALERT_RECORD_OVERFLOW"},       {30, "SSLV3_ALERT_DECOMPRESSION_FAILURE"},
    {40, "SSLV3_ALERT_HANDSHAKE_FAILURE"},     {47, "SSLV3_ALERT_ILLEGAL_PARAMETER"},
    {49, "TLSV1_ALERT_ACCESS_DENIED"},         {50, "TLSV1_ALERT_DECODE_ERROR"},
    {51, "TLSV1_ALERT_DECRYPT_ERROR"},         {70, "TLSV1_ALERT_PROTOCOL_VERSION"},
    {71, "TLSV1_ALERT_INSUFFICIENT_SECURITY"}, {80, "TLSV1_ALERT_INTERNAL_ERROR"},
    {116, "TLSV1_ALERT_CERTIFICATE_REQUIRED"}, {120, "TLSV1_ALERT_NO_APPLICATION_PROTOCOL"},
};

static const char *alert_name(uint8_t alert)
{
    for (size_t i = 0; i < sizeof(alerts) / sizeof(alerts[0]); i++) {
        if (alerts[i].alert == alert) {
            return alerts[i].name;
        }
    }
    return "UNKNOWN_ALERT_TYPE";
}

static const char *error_name(const struct cleat_error *error)
{
    if (error->code == CLEAT_ERR_PEER_ALERT) {
        /* where a ServerHello was due */
        return error->alert == 40 && strstr(error->text, "C_WAIT_SERVER_HELLO") != NULL
                   ? "HANDSHAKE_FAILURE_ON_CLIENT_HELLO"
                   : alert_name(error->alert);
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].code == error->code &&
            (rows[i].text == NULL || strstr(error->text, rows[i].text) != NULL)) {
            return rows[i].name;
        }
    }
    return "INTERNAL_ERROR";
}

void shim_print_error(const struct cleat_error *error)
{
    (void)fprintf(stderr, ":%s: %s: %s (%s), alert %u\n", error_name(error),
                  cleat_error_name(error->code), error->text, error->section, error->alert);
}

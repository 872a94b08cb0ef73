/* tls/wire.h - numbers of the wire, by their IANA names (RFC 9846 B; RFC 5246 7.4). */
#ifndef CL_TLS_WIRE_H
#define CL_TLS_WIRE_H

enum cl_content_type {
    CL_CT_CHANGE_CIPHER_SPEC = 20,
    CL_CT_ALERT = 21,
    CL_CT_HANDSHAKE = 22,
    CL_CT_APPLICATION_DATA = 23,
};

enum cl_handshake_type {
    CL_HT_HELLO_REQUEST = 0,
    CL_HT_CLIENT_HELLO = 1,
    CL_HT_SERVER_HELLO = 2,
    CL_HT_NEW_SESSION_TICKET = 4,
    CL_HT_END_OF_EARLY_DATA = 5,
    CL_HT_ENCRYPTED_EXTENSIONS = 8,
    CL_HT_CERTIFICATE = 11,
    CL_HT_SERVER_KEY_EXCHANGE = 12,
    CL_HT_CERTIFICATE_REQUEST = 13,
    CL_HT_SERVER_HELLO_DONE = 14,
    CL_HT_CERTIFICATE_VERIFY = 15,
    CL_HT_CLIENT_KEY_EXCHANGE = 16,
    CL_HT_FINISHED = 20,
    CL_HT_CERTIFICATE_STATUS = 22,
    CL_HT_KEY_UPDATE = 24,
    CL_HT_COMPRESSED_CERTIFICATE = 25,
    CL_HT_MESSAGE_HASH = 254,
};

enum cl_extension_type {
    CL_ET_SERVER_NAME = 0,
    CL_ET_STATUS_REQUEST = 5,
    CL_ET_SUPPORTED_GROUPS = 10,
    CL_ET_EC_POINT_FORMATS = 11,
    CL_ET_SIGNATURE_ALGORITHMS = 13,
    CL_ET_ALPN = 16,
    CL_ET_SCTS = 18,
    CL_ET_CLIENT_CERTIFICATE_TYPE = 19,
    CL_ET_SERVER_CERTIFICATE_TYPE = 20,
    CL_ET_PADDING = 21,
    CL_ET_ENCRYPT_THEN_MAC = 22,
    CL_ET_EXTENDED_MASTER_SECRET = 23,
    CL_ET_COMPRESS_CERTIFICATE = 27,
    CL_ET_RECORD_SIZE_LIMIT = 28,
    CL_ET_SESSION_TICKET = 35,
    CL_ET_PRE_SHARED_KEY = 41,
    CL_ET_EARLY_DATA = 42,
    CL_ET_SUPPORTED_VERSIONS = 43,
    CL_ET_COOKIE = 44,
    CL_ET_PSK_KEY_EXCHANGE_MODES = 45,
    CL_ET_CERTIFICATE_AUTHORITIES = 47,
    CL_ET_OID_FILTERS = 48,
    CL_ET_POST_HANDSHAKE_AUTH = 49,
    CL_ET_SIGNATURE_ALGORITHMS_CERT = 50,
    CL_ET_KEY_SHARE = 51,
    CL_ET_TICKET_REQUEST = 58,
    CL_ET_ECH_OUTER_EXTENSIONS = 0xfd00,
    CL_ET_ENCRYPTED_CLIENT_HELLO = 0xfe0d,
    CL_ET_RENEGOTIATION_INFO = 0xff01,
};

enum cl_alert_level {
    CL_ALERT_WARNING = 1,
    CL_ALERT_FATAL = 2,
};

#define CL_ALERT_CLOSE_NOTIFY          0
#define CL_ALERT_INSUFFICIENT_SECURITY 71
#define CL_ALERT_USER_CANCELED         90
#define CL_ALERT_NO_RENEGOTIATION      100

#define CL_PSK_MODE_KE     0
#define CL_PSK_MODE_DHE_KE 1

#define CL_RANDOM_LEN            32
/* TLS 1.2 (RFC 5246 7.4.9, 8.1) */
#define CL_VERIFY_DATA_LEN       12
#define CL_MASTER_SECRET_LEN     48
/* signalling cipher suites: RFC 5746 3.3, RFC 7507 2 */
#define CL_SCSV_RENEGOTIATION    0x00ff
#define CL_SCSV_FALLBACK         0x5600
/* 2^14 (RFC 9846 5.1), and with the inner content type and expansion (5.2) */
#define CL_RECORD_MAX_PLAIN      16384
#define CL_RECORD_MAX_EXPANSION  256
#define CL_RECORD_MAX_CIPHER     (CL_RECORD_MAX_PLAIN + CL_RECORD_MAX_EXPANSION)
#define CL_RECORD_HEADER_LEN     5
/* RFC 8449 4: "Endpoints MUST NOT send a "record_size_limit" extension with a value smaller than
 * 64" */
#define CL_RECORD_SIZE_LIMIT_MIN 64

/* cl_handshake_name returns "ClientHello" and so on; "unknown message" for a number not known. */
const char *cl_handshake_name(unsigned type);

#endif

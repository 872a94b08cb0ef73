/* tls/client_hello.h - a ClientHello as parsed, independent of version (RFC 9846 4.2.2). */
#ifndef CL_TLS_CLIENT_HELLO_H
#define CL_TLS_CLIENT_HELLO_H

#include "base/bytes.h"
#include "base/result.h"

/* 255: RFC 6066 3 HostName on the wire may be longer, a DNS name may not (RFC 1035 2.3.4) */
#define CL_SNI_MAX 255

/* Views into the message; p == NULL where the extension is absent. */
struct cl_client_hello {
    uint16_t legacy_version;
    struct cl_rd random;
    struct cl_rd session_id;
    struct cl_rd suites;
    struct cl_rd compression;
    struct cl_rd extensions;

    char server_name[CL_SNI_MAX + 1]; /* lower case, NUL-terminated; empty: none */
    struct cl_rd alpn;                /* ProtocolNameList */
    struct cl_rd groups;              /* NamedGroup[] */
    struct cl_rd key_shares;          /* KeyShareEntry[] */
    struct cl_rd schemes;             /* SignatureScheme[] */
    struct cl_rd schemes_cert;
    struct cl_rd authorities;  /* DistinguishedName[] */
    struct cl_rd versions;     /* ProtocolVersion[] */
    struct cl_rd client_types; /* CertificateType[] (RFC 7250) */
    struct cl_rd server_types;
    struct cl_rd compressions; /* CertificateCompressionAlgorithm[] */
    struct cl_rd cookie;
    struct cl_rd ech;            /* ECHClientHello, well-formed */
    struct cl_rd psk_identities; /* PskIdentity[] */
    struct cl_rd psk_binders;    /* PskBinderEntry[] */
    bool psk_dhe_ke;
    bool psk_ke;
    bool has_psk_modes;
    bool early_data;
    bool post_handshake_auth;
    bool has_ticket_request;
    uint8_t tickets_new;
    uint8_t tickets_resumed;
    uint16_t record_size_limit; /* 0: absent */
    /* TLS 1.2 */
    bool extended_master_secret;
    bool renegotiation_info;
    bool encrypt_then_mac;
    struct cl_rd point_formats;
    bool has_session_ticket;
    struct cl_rd session_ticket; /* empty: the client wants one */
    /* Bytes of the message in front of the binders list, which binders are computed over. */
    size_t binders_at;
};

/* cl_list16_has says whether a list of 16-bit numbers contains one. */
bool cl_list16_has(struct cl_rd list, uint16_t wanted);

#endif

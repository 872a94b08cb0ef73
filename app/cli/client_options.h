/* cli/client_options.h - options of every command that connects to a server: whom to trust, who we
 * are, what to offer in TLS, which address to take, what to tell. They mean what curl's mean.
 *
 * A command's table of options takes the rows from the macros below, so that --help has one order.
 */
#ifndef CL_CLI_CLIENT_OPTIONS_H
#define CL_CLI_CLIENT_OPTIONS_H

#include <sys/socket.h>

#include "cli/setters.h"
#include "net/passphrase.h"

struct client_options {
    struct cl_words resolves;
    struct cl_words connect_tos;
    struct cl_words raw_key_pins;
    struct cl_words crl_files;
    struct cl_words ocsp_responses;
    struct cl_words tlsa;
    struct cl_words proxy_headers;
    const char *revocation;       /* --revocation; NULL: not said */
    const char *revocation_cache; /* a folder, "none" or "off"; NULL: the user's own */
    const char *pinned;           /* --pinnedpubkey */
    const char *ct_logs;          /* --ct-logs; NULL: the usual places */
    const char *cacert;
    const char *capath;
    const char *cert;
    const char *cert_type; /* --cert-type; NULL: as its contents say */
    const char *key;
    const char *pass;   /* --pass: the passphrase itself */
    const char *passin; /* --passin: where it is */
    const char *profile;
    const char *ciphers;
    const char *tls13_ciphers;
    const char *curves;
    const char *sigalgs;
    const char *psk;
    const char *cert_compression;
    const char *ech;
    const char *raw_public_key;
    const char *proxy;   /* --proxy; "": none; NULL: as the environment says */
    const char *noproxy; /* --noproxy; NULL: as the environment says */
    const char *proxy_user;
    const char *proxy_cacert;
    const char *doh_url; /* --doh-url; NULL: the name servers are asked */
    const char *alpn;    /* the command's choice; NULL: offer none */
    const char *trace_json;
    const char *pcap; /* NULL: no capture */
    const char *record;
    bool record_secrets;
    bool verbose, insecure, false_start, fallback_scsv, no_sessions;
    bool hard_fail, cert_status, aia, ct, proxy_insecure, doh_insecure;
    int family; /* AF_UNSPEC, AF_INET, AF_INET6 */
    uint16_t tls_min, tls_max;
    uint64_t connect_timeout_ms;    /* 0: none */
    uint64_t revocation_timeout_ms; /* of a request; 0: not said */
};

/* Numbers from 1,000: a command's own begin at 1. */
enum client_option_id {
    CLIENT_AIA = 1000,
    CLIENT_CACERT,
    CLIENT_CAPATH,
    CLIENT_CERT,
    CLIENT_CERT_COMPRESSION,
    CLIENT_CERT_STATUS,
    CLIENT_CERT_TYPE,
    CLIENT_CIPHERS,
    CLIENT_CONNECT_TIMEOUT,
    CLIENT_CONNECT_TO,
    CLIENT_CRL_FILE,
    CLIENT_CT,
    CLIENT_CT_LOGS,
    CLIENT_CURVES,
    CLIENT_DOH_INSECURE,
    CLIENT_DOH_URL,
    CLIENT_ECH,
    CLIENT_HARD_FAIL,
    CLIENT_INSECURE,
    CLIENT_IPV4,
    CLIENT_IPV6,
    CLIENT_KEY,
    CLIENT_NOPROXY,
    CLIENT_OCSP_RESPONSE,
    CLIENT_PASS,
    CLIENT_PASSIN,
    CLIENT_PCAP,
    CLIENT_PINNED,
    CLIENT_PROFILE,
    CLIENT_PROXY,
    CLIENT_PROXY_CACERT,
    CLIENT_PROXY_HEADER,
    CLIENT_PROXY_INSECURE,
    CLIENT_PROXY_USER,
    CLIENT_PSK,
    CLIENT_RAW_KEY,
    CLIENT_RECORD,
    CLIENT_RECORD_SECRETS,
    CLIENT_RAW_KEY_PIN,
    CLIENT_RESOLVE,
    CLIENT_REVOCATION,
    CLIENT_REVOCATION_CACHE,
    CLIENT_REVOCATION_TIMEOUT,
    CLIENT_SIGALGS,
    CLIENT_TLS12,
    CLIENT_TLS13,
    CLIENT_TLS13_CIPHERS,
    CLIENT_TLS_MAX,
    CLIENT_TLS_MIN,
    CLIENT_TLSA,
    CLIENT_TRACE_JSON,
    CLIENT_VERBOSE,
};

/* clang-format off */
#define CLIENT_TRACE_ROWS                                                                          \
    {CLIENT_VERBOSE, 'v', "verbose", NULL, "tell the whole story on standard error"},              \
    {CLIENT_TRACE_JSON, 0, "trace-json", "FILE", "write the same story to FILE as JSON lines"}

#define CLIENT_PCAP_ROW                                                                            \
    {CLIENT_PCAP, 0, "pcap", "FILE",                                                               \
     "write what goes over the wire to FILE for Wireshark (pcapng), with the\n"                    \
     "secrets that decrypt it"}

#define CLIENT_CONNECTION_ROWS                                                                     \
    {CLIENT_RESOLVE, 0, "resolve", "HOST:PORT:ADDR", "use this address instead of asking DNS"},    \
    {CLIENT_CONNECT_TO, 0, "connect-to", "H1:P1:H2:P2",                                            \
     "connect to H2:P2 where the URL says H1:P1;\nempty parts mean any, or the same"},             \
    {CLIENT_IPV4, '4', "ipv4", NULL, "IPv4 only"},                                                 \
    {CLIENT_IPV6, '6', "ipv6", NULL, "IPv6 only"},                                                 \
    {CLIENT_CONNECT_TIMEOUT, 0, "connect-timeout", "SECONDS",                                      \
     "limit for DNS, TCP and TLS together"}

/* For commands that ask for names. */
#define CLIENT_DOH_ROWS                                                                            \
    {CLIENT_DOH_URL, 0, "doh-url", "URL",                                                          \
     "ask this server for names (DNS over HTTPS), and nobody else"},                               \
    {CLIENT_DOH_INSECURE, 0, "doh-insecure", NULL, "accept any certificate of that server"}

/* For commands that go through proxies; x: the short option, as curl has it, unless the command has
 * another use for it (0). */
#define CLIENT_PROXY_ROWS(x)                                                                       \
    {CLIENT_PROXY, x, "proxy", "URL",                                                              \
     "connect through this proxy: http://, https://, socks5:// or socks5h://\n"                    \
     "[USER:PASSWORD@]HOST:PORT (the default: as https_proxy, http_proxy and\n"                    \
     "all_proxy say); \"\": through none"},                                                        \
    {CLIENT_NOPROXY, 0, "noproxy", "LIST",                                                         \
     "hosts, domains, addresses and networks that need none; \"*\": all (the\n"                    \
     "default: as no_proxy says)"},                                                                \
    {CLIENT_PROXY_USER, 'U', "proxy-user", "USER:PASSWORD", "log in to the proxy (Basic)"},        \
    {CLIENT_PROXY_HEADER, 0, "proxy-header", "LINE",                                               \
     "add \"Name: value\" to what the proxy is asked (CONNECT); @FILE reads lines"},               \
    {CLIENT_PROXY_CACERT, 0, "proxy-cacert", "FILE",                                               \
     "trust these CA certificates for an https proxy, instead of the system's"},                   \
    {CLIENT_PROXY_INSECURE, 0, "proxy-insecure", NULL,                                             \
     "accept any certificate of an https proxy"}

#define CLIENT_PINNED_ROW                                                                          \
    {CLIENT_PINNED, 0, "pinnedpubkey", "PINS",                                                     \
     "demand that the server's key is one of these: sha256//BASE64, several with\n"                \
     "\";\" between, or a file with a public key"}

#define CLIENT_TLS_ROWS                                                                            \
    {CLIENT_INSECURE, 'k', "insecure", NULL,                                                       \
     "accept any certificate (tells what is wrong with -v)"},                                      \
    {CLIENT_CACERT, 0, "cacert", "FILE",                                                           \
     "trust these CA certificates instead of the system's"},                                       \
    {CLIENT_CAPATH, 0, "capath", "DIR", "trust the CA certificates in the files of DIR"},          \
    {CLIENT_CERT, 'E', "cert", "FILE",                                                             \
     "our certificate chain (PEM or PKCS#12), should the server ask"},                             \
    {CLIENT_CERT_TYPE, 0, "cert-type", "TYPE",                                                     \
     "PEM or P12: refuse another file (the default: as it turns out to be)"},                      \
    {CLIENT_KEY, 0, "key", "FILE", "its private key, if it is not in the same file"},              \
    {CLIENT_PASSIN, 0, "passin", "SOURCE",                                                         \
     "where the passphrase of the key is, if it is encrypted:\n" CL_PASSPHRASE_SOURCES             \
     "\n(default: it is asked for on the terminal)"},                                              \
    {CLIENT_PASS, 0, "pass", "PHRASE", "the passphrase itself, which other users may see"},        \
    CLIENT_PINNED_ROW,                                                                             \
    {CLIENT_RAW_KEY_PIN, 0, "raw-key-pin", "PIN",                                                  \
     "take a raw public key (RFC 7250) instead of a certificate: the one whose\n"                  \
     "SHA-256 is PIN (sha256//BASE64); repeat for more"},                                          \
    {CLIENT_RAW_KEY, 0, "raw-public-key", "FILE",                                                  \
     "our private key (PEM), whose public half is shown without a certificate,\n"                  \
     "should the server ask"},                                                                     \
    {CLIENT_PROFILE, 0, "profile", "NAME",                                                         \
     "public (default), internal, high-security, iot, legacy;\n"                                   \
     "'cleat profile show NAME' tells more"},                                                      \
    {CLIENT_TLS_MIN, 0, "tls-min", "VERSION", "lowest TLS version: 1.2, 1.3"},                     \
    {CLIENT_TLS12, 0, "tlsv1.2", NULL, "as --tls-min 1.2"},                                        \
    {CLIENT_TLS13, 0, "tlsv1.3", NULL, "as --tls-min 1.3"},                                        \
    {CLIENT_TLS_MAX, 0, "tls-max", "VERSION", "highest TLS version"},                              \
    {CLIENT_CIPHERS, 0, "ciphers", "LIST",                                                         \
     "cipher suites in order of preference; a version whose\n"                                     \
     "suites are not in the list keeps its own"},                                                  \
    {CLIENT_TLS13_CIPHERS, 0, "tls13-ciphers", "LIST", "as --ciphers, for TLS 1.3"},               \
    {CLIENT_CURVES, 0, "curves", "LIST", "key-exchange groups in order of preference"},            \
    {CLIENT_SIGALGS, 0, "sigalgs", "LIST", "signature schemes in order of preference"},            \
    {CLIENT_PSK, 0, "psk", "FILE", "pre-shared keys to offer, a line each: IDENTITY:HEXKEY"},      \
    {CLIENT_CERT_COMPRESSION, 0, "cert-compression", "LIST",                                       \
     "take certificates compressed by brotli, zstd, zlib (the default: all), or\n"                 \
     "none"}

/* For commands that say whether a certificate was revoked. */
#define CLIENT_REVOCATION_ROWS                                                                     \
    {CLIENT_REVOCATION, 0, "revocation", "SOURCES",                                                \
     "what says that a certificate was revoked: crl, ocsp or crl,ocsp, fetched\n"                  \
     "from where the certificates say; or off"},                                                   \
    {CLIENT_HARD_FAIL, 0, "hard-fail", NULL,                                                       \
     "refuse also what none of them says anything about"},                                         \
    {CLIENT_CRL_FILE, 0, "crlfile", "FILE",                                                        \
     "look in this list of revoked certificates (PEM or DER); repeat for more"},                   \
    {CLIENT_OCSP_RESPONSE, 0, "ocsp-response", "FILE",                                             \
     "look in this OCSP response (DER); repeat for more"},                                         \
    {CLIENT_REVOCATION_TIMEOUT, 0, "revocation-timeout", "SECONDS",                                \
     "limit for each thing that is fetched (5)"},                                                  \
    {CLIENT_REVOCATION_CACHE, 0, "revocation-cache", "DIR",                                        \
     "where it is kept until it expires (~/.cache/cleat), or none"},                               \
    {CLIENT_AIA, 0, "aia", NULL,                                                                   \
     "fetch intermediates that are missing from where the certificates say"}

/* And for those that shake hands with it. */
#define CLIENT_CERT_STATUS_ROW                                                                     \
    {CLIENT_CERT_STATUS, 0, "cert-status", NULL,                                                   \
     "demand that the server staples an OCSP response that says \"good\""}

/* For commands that verify the server of one name and port. */
#define CLIENT_DANE_ROW                                                                            \
    {CLIENT_TLSA, 0, "tlsa", "RECORD",                                                             \
     "verify the server by this TLSA record (DANE), that DNSSEC has validated:\n"                  \
     "\"3 1 1 HEX\", or a line of a zone file; @FILE has several; repeat for more"}

/* For commands that look at a server's certificate timestamps. */
#define CLIENT_CT_ROWS                                                                             \
    {CLIENT_CT, 0, "ct", NULL,                                                                     \
     "demand that the certificate was logged (Certificate Transparency), as\n"                     \
     "browsers do"},                                                                               \
    {CLIENT_CT_LOGS, 0, "ct-logs", "FILE",                                                         \
     "the list of logs (JSON, as browsers have it); alone: tell, do not demand"}

/* For commands that ask DNS where to connect. */
#define CLIENT_ECH_ROWS                                                                            \
    {CLIENT_ECH, 0, "ech", "HOW",                                                                  \
     "Encrypted Client Hello: grease (a dummy, the default), true (as the HTTPS\n"                 \
     "record in DNS says), hard (not without), false, or with the configuration\n"                 \
     "ecl:BASE64 or @FILE"}
/* clang-format on */

/* client_options_set does what option id says. As cl_setters_apply. */
int client_options_set(struct client_options *o, int id, const struct cl_options *from);

/* client_options_check: 0, or CL_EXIT_USAGE with a message on stderr about what does not go
 * together. */
int client_options_check(const struct client_options *o, const struct cl_usage *usage);
void client_options_deinit(struct client_options *o);

#endif

/* cli/serve_options.c - see serve_options.h. */
#include "cli/serve_options.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/cert_items.h"
#include "cli/cli.h"
#include "cli/serve_http.h"
#include "cli/serve_ws.h"
#include "serve/demo.h"

enum {
    OPT_HELP = CL_SERVE_OPT_HELP,
    OPT_CONFIG = CL_SERVE_OPT_CONFIG,
    OPT_LISTEN,
    OPT_CERT,
    OPT_KEY,
    OPT_KEY_PASSPHRASE,
    OPT_STAPLE,
    OPT_SCT,
    OPT_NO_STAPLING,
    OPT_STAPLE_DIR,
    OPT_STAPLE_RESPONDER,
    OPT_RAW_KEY,
    OPT_ROOT,
    OPT_DEMO,
    OPT_CLIENT_CA,
    OPT_CLIENT_AUTH,
    OPT_CLIENT_ALLOW,
    OPT_CLIENT_DENY,
    OPT_CLIENT_PIN,
    OPT_CLIENT_CACHE,
    OPT_ALPN,
    OPT_NO_HTTP2,
    OPT_CIPHERS,
    OPT_CURVES,
    OPT_SIGALGS,
    OPT_PSK,
    OPT_CERT_COMPRESSION,
    OPT_PROFILE,
    OPT_CLIENT_AUTH_PATH,
    OPT_PSK_KE,
    OPT_TLS13_CIPHERS,
    OPT_TICKET_KEY,
    OPT_SESSION_CACHE,
    OPT_TLS_MIN,
    OPT_TLS_MAX,
    OPT_EARLY_DATA,
    OPT_ECH_KEY,
    OPT_DENY_JA4,
    OPT_ALLOW_JA4,
    OPT_THREADS,
    OPT_GRACE,
    OPT_MAX_CONNECTIONS,
    OPT_ACCESS_LOG,
    OPT_PCAP,
    OPT_PCAP_MAX_FILES,
    OPT_PCAP_MAX_BYTES,
    OPT_QUIET,
    OPT_VERBOSE,
    OPT_INSECURE_LISTEN,
    OPT_REDIRECT,
};

static const struct cl_option options[] = {
    {0, 0, "Where", NULL, NULL},
    {OPT_CONFIG, 0, "config", "FILE", "read options from this file; those of the command line win"},
    {OPT_LISTEN, 'l', "listen", "ADDR:PORT",
     "listen there; may be repeated; port 0 takes a free one\n"
     "(default: 0.0.0.0:8443 and [::]:8443)"},
    {OPT_ROOT, 'r', "root", "DIR", "folder to serve (default: the current one)"},
    {OPT_DEMO, 0, "demo", NULL,
     "serve no folder but a page that shows visitors their own connection, with\n"
     "a WebSocket at /echo"},
    {OPT_INSECURE_LISTEN, 0, "insecure-listen", "ADDR:PORT",
     "listen there without TLS, on a loopback address only: for tests"},
    {OPT_REDIRECT, 0, "redirect", "ADDR:PORT",
     "send clients that come there without TLS to the same URL over HTTPS (308),\n"
     "but for /.well-known/acme-challenge/; may be repeated"},
    {0, 0, "Certificates", NULL, NULL},
    {OPT_CERT, 'c', "cert", "FILE",
     "certificate chain in PEM, the server's own first; repeat --cert and\n"
     "--key for more: chosen by server name, then by the client's algorithms;\n"
     "or PKCS#12, with the key in it"},
    {OPT_KEY, 'k', "key", "FILE",
     "its private key in PEM (PKCS#8, SEC1 or PKCS#1); not needed for .p12 and .pfx"},
    {OPT_KEY_PASSPHRASE, 0, "key-passphrase", "SOURCE",
     "where the passphrase of keys is that are encrypted:\n" CL_PASSPHRASE_SOURCES "\n"
     "(default: it is asked for on the terminal)"},
    {OPT_STAPLE, 0, "staple", "FILE",
     "send this OCSP response (DER) with the --cert in front; for certificates\n"
     "without it that name a responder one is fetched, and kept fresh"},
    {OPT_NO_STAPLING, 0, "no-stapling", NULL, "fetch none"},
    {OPT_STAPLE_DIR, 0, "staple-dir", "DIR",
     "keep those fetched in DIR for the next start (default: staples in systemd's\n"
     "StateDirectory, else ~/.local/state/cleat/staples)"},
    {OPT_STAPLE_RESPONDER, 0, "staple-responder", "URL",
     "ask this responder (http) for all of them, whatever certificates name"},
    {OPT_SCT, 0, "sct", "FILE", "send this list of certificate timestamps with it (RFC 6962)"},
    {OPT_RAW_KEY, 0, "raw-public-key", "KEYFILE",
     "show the public half of this private key (PEM), without a certificate, to\n"
     "clients that take raw public keys (RFC 7250); no --cert is then needed"},
    {OPT_CLIENT_CA, 0, "client-ca", "FILE", "ask clients for a certificate from these CAs (PEM)"},
    {OPT_CLIENT_AUTH, 0, "client-auth", "MODE",
     "optional or required (default: required, with --client-ca or\n"
     "--client-raw-key-pin; with --client-auth-path the handshake does not ask)"},
    {OPT_CLIENT_AUTH_PATH, 0, "client-auth-path", "PATH",
     "only clients with a certificate get PATH and what is below it; they are\n"
     "asked for it when they ask for that (TLS 1.3); repeat for more"},
    {OPT_CLIENT_ALLOW, 0, "client-allow", "NAME",
     "of these clients let in only who has NAME in the certificate: DNS name,\n"
     "mailbox, URI, IP address, CN:name or SHA-256 fingerprint; repeat for more"},
    {OPT_CLIENT_DENY, 0, "client-deny", "HOW", "the others get a 403 (default), or no handshake"},
    {OPT_CLIENT_PIN, 0, "client-raw-key-pin", "PIN",
     "ask clients for a raw public key, and let in the one whose SHA-256 is PIN\n"
     "(sha256//BASE64); repeat for more; beside --client-ca either will do"},
    {OPT_CLIENT_CACHE, 0, "client-cache", "N",
     "remember the chains of N clients that verified, for ten minutes at most\n"
     "(default: 512; 0: verify every one)"},
    {0, 0, "TLS", NULL, NULL},
    {OPT_ALPN, 0, "alpn", "LIST",
     "application protocols, the preferred one first (default: h2,http/1.1)"},
    {OPT_NO_HTTP2, 0, "no-http2", NULL, "HTTP/1.1 alone: h2 is left out of --alpn"},
    {OPT_PROFILE, 0, "profile", "NAME",
     "public (default), internal, high-security, iot or legacy;\n"
     "'cleat profile show NAME' tells what it means"},
    {OPT_CIPHERS, 0, "ciphers", "LIST",
     "cipher suites, the preferred one first; a version whose suites\n"
     "are not in the list keeps its own"},
    {OPT_TLS13_CIPHERS, 0, "tls13-ciphers", "LIST", "the same, for TLS 1.3"},
    {OPT_CURVES, 0, "curves", "LIST", "key-exchange groups, the preferred one first"},
    {OPT_SIGALGS, 0, "sigalgs", "LIST", "signature schemes, the preferred one first"},
    {OPT_PSK, 0, "psk", "FILE",
     "take these pre-shared keys, a line each: IDENTITY:HEXKEY; no\n"
     "certificate is then needed"},
    {OPT_PSK_KE, 0, "psk-ke", NULL,
     "take them also from clients that do no key exchange beside: whoever learns\n"
     "the key later reads what was recorded"},
    {OPT_CERT_COMPRESSION, 0, "cert-compression", "LIST",
     "compress certificates for clients that take it, with the first of brotli,\n"
     "zstd, zlib that they know (the default), or none"},
    {OPT_TLS_MIN, 0, "tls-min", "VERSION", "lowest version, 1.2 or 1.3 (default: 1.2)"},
    {OPT_TLS_MAX, 0, "tls-max", "VERSION", "highest version, 1.2 or 1.3 (default: 1.3)"},
    {OPT_TICKET_KEY, 0, "ticket-key", "FILE",
     "seal session tickets with the key in FILE (48 or 80 random bytes);\n"
     "may be repeated: the first seals, all open\n"
     "(default: keys of our own that rotate by themselves)"},
    {OPT_ECH_KEY, 0, "ech-key", "FILE|DIR",
     "take Encrypted Client Hellos with the key in FILE ('cleat ech keygen'), or\n"
     "those of DIR; may be repeated: clients with an old configuration are given\n"
     "the first's, of a folder that of the last name"},
    {OPT_DENY_JA4, 0, "deny-ja4", "LIST",
     "refuse clients with these JA4 fingerprints, before any work is done for\n"
     "them: FILE (with a '/' or '.' in its name), or fingerprints separated by\n"
     "','; '*' stands for any characters; may be repeated"},
    {OPT_ALLOW_JA4, 0, "allow-ja4", "LIST", "let in only clients with these"},
    {OPT_SESSION_CACHE, 0, "session-cache", "KIB",
     "memory for sessions of TLS 1.2 clients without tickets (default: 1024;\n"
     "0: none)"},
    {OPT_EARLY_DATA, 0, "early-data", NULL,
     "answer GET and HEAD that come with the first bytes of a resumption (0-RTT);\n"
     "off by default: whoever records such a request can send it again elsewhere"},
    CL_SERVE_HTTP_OPTIONS,
    CL_SERVE_WS_OPTIONS,
    {0, 0, "Running", NULL, NULL},
    {OPT_THREADS, 't', "threads", "N", "worker threads (default: one for each processor)"},
    {OPT_GRACE, 0, "grace", "SECONDS",
     "after SIGINT or SIGTERM, let what is in flight finish that long\n(default: 30)"},
    {OPT_MAX_CONNECTIONS, 0, "max-connections", "N",
     "connections of each worker (default: 8192); beyond, unfinished handshakes\n"
     "and idle connections make room"},
    {OPT_ACCESS_LOG, 0, "access-log", "FILE",
     "append requests to FILE; '-' is standard output\n"
     "(default), 'off' is nowhere"},
    {OPT_PCAP, 0, "pcap", "DIR",
     "write every connection to a file in DIR for Wireshark (pcapng), with the\n"
     "secrets that decrypt it"},
    {OPT_PCAP_MAX_FILES, 0, "pcap-max-files", "N",
     "stop that when DIR holds so many of them (default: 1000)"},
    {OPT_PCAP_MAX_BYTES, 0, "pcap-max-bytes", "BYTES", "or so many bytes (default: 1073741824)"},
    {OPT_QUIET, 'q', "quiet", NULL, "no messages but warnings and failures"},
    {OPT_VERBOSE, 'v', "verbose", NULL, "a line for every connection"},
    {OPT_HELP, 'h', "help", NULL, "print this text"},
};

const struct cl_option *cl_serve_option_rows(size_t *out_num)
{
    *out_num = sizeof(options) / sizeof(options[0]);
    return options;
}

/* What the table of options does not say. */
static const struct trait {
    int id;
    unsigned traits;
    int group; /* 0: its own */
} traits[] = {
    {OPT_HELP, CL_SERVE_NO_KEY, 0},
    {OPT_CONFIG, CL_SERVE_NO_KEY | CL_SERVE_PATH, 0},
    {OPT_LISTEN, CL_SERVE_REPEATS, 0},
    {OPT_INSECURE_LISTEN, CL_SERVE_REPEATS, OPT_LISTEN},
    {OPT_REDIRECT, CL_SERVE_REPEATS, 0},
    {OPT_ROOT, CL_SERVE_PATH, 0},
    {OPT_CERT, CL_SERVE_REPEATS | CL_SERVE_PATH, 0},
    {OPT_KEY, CL_SERVE_REPEATS | CL_SERVE_PATH, OPT_CERT},
    {OPT_KEY_PASSPHRASE, CL_SERVE_SOURCE, 0},
    {OPT_STAPLE, CL_SERVE_REPEATS | CL_SERVE_PATH, OPT_CERT},
    {OPT_SCT, CL_SERVE_REPEATS | CL_SERVE_PATH, OPT_CERT},
    {OPT_STAPLE_DIR, CL_SERVE_PATH, 0},
    {OPT_RAW_KEY, CL_SERVE_REPEATS | CL_SERVE_PATH, 0},
    {OPT_CLIENT_CA, CL_SERVE_PATH, 0},
    {OPT_CLIENT_AUTH_PATH, CL_SERVE_REPEATS, 0},
    {OPT_CLIENT_ALLOW, CL_SERVE_REPEATS, 0},
    {OPT_CLIENT_PIN, CL_SERVE_REPEATS, 0},
    {OPT_PSK, CL_SERVE_PATH, 0},
    {OPT_TICKET_KEY, CL_SERVE_REPEATS | CL_SERVE_PATH, 0},
    {OPT_ECH_KEY, CL_SERVE_REPEATS | CL_SERVE_PATH, 0},
    {OPT_DENY_JA4, CL_SERVE_REPEATS | CL_SERVE_PATH | CL_SERVE_OR_WORDS, 0},
    {OPT_ALLOW_JA4, CL_SERVE_REPEATS | CL_SERVE_PATH | CL_SERVE_OR_WORDS, 0},
    {OPT_ACCESS_LOG, CL_SERVE_PATH, 0},
    {OPT_PCAP, CL_SERVE_PATH, 0},
    {CL_OPT_WS_ECHO, CL_SERVE_REPEATS, 0},
    {CL_OPT_WS_EXEC, CL_SERVE_REPEATS, 0},
    {CL_OPT_WS_TCP, CL_SERVE_REPEATS, 0},
    {CL_OPT_WS_BROADCAST, CL_SERVE_REPEATS, 0},
    {CL_OPT_WS_ORIGIN, CL_SERVE_REPEATS, 0},
    {CL_OPT_WS_SUBPROTOCOL, CL_SERVE_REPEATS, 0},
};

static const struct trait *trait_of(int id)
{
    static const struct trait none = {0};
    for (size_t i = 0; i < sizeof(traits) / sizeof(traits[0]); i++) {
        if (traits[i].id == id) {
            return &traits[i];
        }
    }
    return &none;
}

unsigned cl_serve_option_traits(int id)
{
    return trait_of(id)->traits;
}

int cl_serve_option_group(int id)
{
    const int group = trait_of(id)->group;
    return group != 0 ? group : id;
}

enum listen_kind { LISTEN_TLS, LISTEN_CLEAR, LISTEN_REDIRECT };

static int complain_listen(const struct cl_usage *usage, const char *text, enum listen_kind kind)
{
    if (kind == LISTEN_CLEAR) {
        return cl_options_complain(usage,
                                   "--insecure-listen takes ADDR:PORT with a loopback address, as "
                                   "127.0.0.1:8080, [::1]:8080 or localhost:8080, not '%s'",
                                   text);
    }
    return cl_options_complain(usage,
                               "--%s takes ADDR:PORT with an IP address, as 127.0.0.1:8443, "
                               "[::1]:8443 or 0.0.0.0:0, not '%s'",
                               kind == LISTEN_REDIRECT ? "redirect" : "listen", text);
}

/* "127.0.0.1:8443", "[::1]:8443", "localhost:8443", ":8443" (all addresses) */
static int add_listen(struct cl_serve_options *o, const struct cl_usage *usage, const char *text,
                      enum listen_kind kind)
{
    static const char *const everywhere[] = {"0.0.0.0", "::"};
    static const char *const localhost[] = {"127.0.0.1", "::1"};
    const char *colon = strrchr(text, ':');
    char host[64];
    char *end = NULL;
    unsigned long port = colon != NULL ? strtoul(colon + 1, &end, 10) : 0;
    if (colon == NULL || end == colon + 1 || *end != '\0' || port > 65535 || colon[1] < '0' ||
        colon[1] > '9' || (size_t)(colon - text) >= sizeof(host)) {
        return complain_listen(usage, text, kind);
    }
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    const char *one[] = {host};
    const char *const *names = one;
    size_t num = 1;
    if (host[0] == '\0' || strcmp(host, "*") == 0 || strcmp(host, "localhost") == 0) {
        names = host[0] == 'l' ? localhost : everywhere;
        num = 2;
    }
    for (size_t i = 0; i < num; i++) {
        if (o->num_listen == CL_SERVE_MAX_LISTEN) {
            return cl_options_complain(usage, "more than %d addresses", CL_SERVE_MAX_LISTEN);
        }
        struct cl_serve_address *address = &o->listen[o->num_listen];
        address->clear = kind != LISTEN_TLS;
        address->redirect = kind == LISTEN_REDIRECT;
        if (!cl_addr_parse(names[i], (uint16_t)port, &address->addr) ||
            (kind == LISTEN_CLEAR && !cl_addr_is_loopback(&address->addr))) {
            return complain_listen(usage, text, kind);
        }
        o->num_listen++;
    }
    return CL_EXIT_OK;
}

static int add_cert(struct cl_serve_words *p, const struct cl_options *words)
{
    if (p->o.num_pairs == CL_SERVE_MAX_PAIRS) {
        return cl_options_complain(words->usage, "more than %d certificates", CL_SERVE_MAX_PAIRS);
    }
    p->o.pairs[p->o.num_pairs++].cert = words->value;
    return CL_EXIT_OK;
}

static int add_key(struct cl_serve_words *p, const struct cl_options *words)
{
    if (p->num_keys == CL_SERVE_MAX_PAIRS) {
        return cl_options_complain(words->usage, "more than %d keys", CL_SERVE_MAX_PAIRS);
    }
    p->o.pairs[p->num_keys++].key = words->value;
    return CL_EXIT_OK;
}

/* Files that go with the last --cert. */
static int add_proof(struct cl_serve_words *p, int id, const struct cl_options *words)
{
    if (p->o.num_pairs == 0) {
        return cl_options_complain(words->usage, "%s comes after the --cert that it belongs to",
                                   id == OPT_STAPLE ? "--staple" : "--sct");
    }
    struct cl_serve_pair *pair = &p->o.pairs[p->o.num_pairs - 1];
    *(id == OPT_STAPLE ? &pair->staple : &pair->scts) = words->value;
    return CL_EXIT_OK;
}

static int set_version(uint16_t *out, const struct cl_options *words)
{
    if (strcmp(words->value, "1.3") == 0) {
        *out = CLEAT_TLS_1_3;
    } else if (strcmp(words->value, "1.2") == 0) {
        *out = CLEAT_TLS_1_2;
    } else {
        return cl_options_complain(words->usage, "%s takes 1.2 or 1.3, not '%s'", words->spelled,
                                   words->value);
    }
    return CL_EXIT_OK;
}

static int set_client_auth(struct cl_serve_words *p, const struct cl_options *words)
{
    const char *mode = words->value;
    p->has_client_auth = true;
    if (strcmp(mode, "optional") == 0) {
        p->o.client_auth = CLEAT_CLIENT_AUTH_OPTIONAL;
    } else if (strcmp(mode, "required") == 0) {
        p->o.client_auth = CLEAT_CLIENT_AUTH_REQUIRED;
    } else {
        return cl_options_complain(words->usage,
                                   "--client-auth takes optional or required, not '%s'", mode);
    }
    return CL_EXIT_OK;
}

static int add_word(const char **list, size_t *num, size_t max, const struct cl_options *words)
{
    if (*num == max) {
        return cl_options_complain(words->usage, "more than %zu %s", max, words->spelled);
    }
    list[(*num)++] = words->value;
    return CL_EXIT_OK;
}

static int set_client_deny(struct cl_serve_options *o, const struct cl_options *words)
{
    const char *how = words->value;
    o->deny_in_handshake = strcmp(how, "handshake") == 0;
    return o->deny_in_handshake || strcmp(how, "403") == 0
               ? CL_EXIT_OK
               : cl_options_complain(words->usage, "--client-deny takes 403 or handshake, not '%s'",
                                     how);
}

static int set_number(unsigned *out, const struct cl_options *words, long low, long high)
{
    long n = 0;
    if (!cl_options_number(words, low, high, &n)) {
        return CL_EXIT_USAGE;
    }
    *out = (unsigned)n;
    return CL_EXIT_OK;
}

/* What cleat_verify_cache_new takes. */
static int set_client_cache(struct cl_serve_options *o, const struct cl_options *words)
{
    long num = 0;
    if (!cl_options_number(words, 0, 4096, &num)) {
        return CL_EXIT_USAGE;
    }
    if (num != 0 && num < 16) {
        return cl_options_complain(words->usage,
                                   "--client-cache takes 16 to 4096 chains, or 0, not %ld", num);
    }
    o->client_cache = (unsigned)num;
    return CL_EXIT_OK;
}

/* 64: below it there is no room for sessions; 64 GiB: a slip of the unit */
static int set_session_cache(struct cl_serve_options *o, const struct cl_options *words)
{
    long kib = 0;
    if (!cl_options_number(words, 0, 64L << 20, &kib)) {
        return CL_EXIT_USAGE;
    }
    if (kib != 0 && kib < 64) {
        return cl_options_complain(words->usage,
                                   "--session-cache takes 64 or more KiB, or 0, not %ld", kib);
    }
    o->session_cache_kib = (unsigned)kib;
    return CL_EXIT_OK;
}

/* Options that are kept as they are written. */
static const char **text_of(struct cl_serve_options *o, int id)
{
    const struct {
        int id;
        const char **text;
    } rows[] = {
        {OPT_ROOT, &o->root},
        {OPT_STAPLE_DIR, &o->staple_dir},
        {OPT_STAPLE_RESPONDER, &o->staple_responder},
        {OPT_CLIENT_CA, &o->client_ca},
        {OPT_ALPN, &o->alpn},
        {OPT_PROFILE, &o->profile},
        {OPT_CIPHERS, &o->ciphers},
        {OPT_TLS13_CIPHERS, &o->tls13_ciphers},
        {OPT_CURVES, &o->groups},
        {OPT_SIGALGS, &o->signatures},
        {OPT_PSK, &o->psk},
        {OPT_CERT_COMPRESSION, &o->cert_compression},
        {OPT_ACCESS_LOG, &o->access_log},
        {OPT_PCAP, &o->pcap},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].id == id) {
            return rows[i].text;
        }
    }
    return NULL;
}

/* Options that are on when they are written; NULL for others. */
static bool *flag_of(struct cl_serve_options *o, int id)
{
    return id == OPT_PSK_KE        ? &o->psk_ke
           : id == OPT_EARLY_DATA  ? &o->early_data
           : id == OPT_NO_STAPLING ? &o->no_stapling
           : id == OPT_NO_HTTP2    ? &o->no_http2
           : id == OPT_DEMO        ? &o->demo
           : id == OPT_QUIET       ? &o->quiet
                                   : NULL;
}

static int set_large(uint64_t *out, const struct cl_options *words)
{
    long n = 0;
    if (!cl_options_number(words, 1, LONG_MAX, &n)) {
        return CL_EXIT_USAGE;
    }
    *out = (uint64_t)n;
    return CL_EXIT_OK;
}

static int set_capacity(struct cl_serve_options *o, int id, const struct cl_options *words)
{
    switch (id) {
    case OPT_THREADS:
        return set_number(&o->threads, words, 1, CL_SERVE_MAX_THREADS);
    case OPT_GRACE:
        return set_number(&o->grace_s, words, 0, 86400);
    case OPT_PCAP_MAX_FILES:
        return set_large(&o->pcap_max_files, words);
    case OPT_PCAP_MAX_BYTES:
        return set_large(&o->pcap_max_bytes, words);
    default:
        return set_number(&o->max_connections, words, 1, 1000000);
    }
}

/* Options that may be repeated; -1: it is another one. */
static int take_word(struct cl_serve_options *o, int id, const struct cl_options *words)
{
    const struct {
        int id;
        const char **list;
        size_t *num;
        size_t max;
    } rows[] = {
        {OPT_RAW_KEY, o->raw_keys, &o->num_raw_keys, CL_SERVE_MAX_RAW},
        {OPT_CLIENT_PIN, o->client_pins, &o->num_client_pins, CL_SERVE_MAX_PINS},
        {OPT_CLIENT_AUTH_PATH, o->client_auth_paths, &o->num_client_auth_paths, CL_SERVE_MAX_PATHS},
        {OPT_CLIENT_ALLOW, o->client_allow, &o->num_client_allow, CL_SERVE_MAX_ALLOW},
        {OPT_TICKET_KEY, o->ticket_keys, &o->num_ticket_keys, CLEAT_TICKET_KEYS_MAX},
        {OPT_ECH_KEY, o->ech_keys, &o->num_ech_keys, CL_SERVE_MAX_ECH},
        {OPT_DENY_JA4, o->deny_ja4, &o->num_deny_ja4, CL_SERVE_MAX_JA4},
        {OPT_ALLOW_JA4, o->allow_ja4, &o->num_allow_ja4, CL_SERVE_MAX_JA4},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].id == id) {
            return add_word(rows[i].list, rows[i].num, rows[i].max, words);
        }
    }
    return -1;
}

int cl_serve_words_take(struct cl_serve_words *p, int id, const struct cl_options *words)
{
    struct cl_serve_options *o = &p->o;
    const char **text = text_of(o, id);
    bool *flag = flag_of(o, id);
    if (id >= CL_SERVE_HTTP_FIRST && id < CL_SERVE_WS_FIRST) {
        return cl_serve_http_take(&o->web, id, words);
    }
    if (id >= CL_SERVE_WS_FIRST) {
        return cl_serve_ws_take(&o->ws, id, words);
    }
    if (text != NULL) {
        *text = words->value;
        return CL_EXIT_OK;
    }
    if (flag != NULL) {
        *flag = true;
        return CL_EXIT_OK;
    }
    const int code = take_word(o, id, words);
    if (code >= 0) {
        return code;
    }
    switch (id) {
    case OPT_LISTEN:
        return add_listen(o, words->usage, words->value, LISTEN_TLS);
    case OPT_INSECURE_LISTEN:
        return add_listen(o, words->usage, words->value, LISTEN_CLEAR);
    case OPT_REDIRECT:
        return add_listen(o, words->usage, words->value, LISTEN_REDIRECT);
    case OPT_CERT:
        return add_cert(p, words);
    case OPT_KEY:
        return add_key(p, words);
    case OPT_KEY_PASSPHRASE:
        return cert_pass_set(&p->key_word.from, words);
    case OPT_STAPLE:
    case OPT_SCT:
        return add_proof(p, id, words);
    case OPT_CLIENT_AUTH:
        return set_client_auth(p, words);
    case OPT_CLIENT_DENY:
        return set_client_deny(o, words);
    case OPT_TLS_MIN:
        return set_version(&o->tls_min, words);
    case OPT_TLS_MAX:
        return set_version(&o->tls_max, words);
    case OPT_CLIENT_CACHE:
        return set_client_cache(o, words);
    case OPT_SESSION_CACHE:
        return set_session_cache(o, words);
    case OPT_THREADS:
    case OPT_GRACE:
    case OPT_MAX_CONNECTIONS:
    case OPT_PCAP_MAX_FILES:
    case OPT_PCAP_MAX_BYTES:
        return set_capacity(o, id, words);
    default:
        o->verbose++;
        return CL_EXIT_OK;
    }
}

/* The handshake asks only when it is told to; then that is no more than an offer. */
static int check_paths(struct cl_serve_words *p, const struct cl_usage *usage)
{
    struct cl_serve_options *o = &p->o;
    if (p->has_client_auth && o->client_auth == CLEAT_CLIENT_AUTH_REQUIRED) {
        return cl_options_complain(usage, "--client-auth required and --client-auth-path: every "
                                          "client would need a certificate for every path");
    }
    if (o->deny_in_handshake) {
        return cl_options_complain(usage, "--client-deny handshake and --client-auth-path: who "
                                          "asks for other paths has no reason to be denied");
    }
    o->client_auth = p->has_client_auth ? o->client_auth : CLEAT_CLIENT_AUTH_NONE;
    return CL_EXIT_OK;
}

static int check_clients(struct cl_serve_words *p, const struct cl_usage *usage)
{
    const struct cl_serve_options *o = &p->o;
    if (p->has_client_auth && o->client_ca == NULL && o->num_client_pins == 0) {
        return cl_options_complain(usage,
                                   "--client-auth needs --client-ca or --client-raw-key-pin");
    }
    if (o->num_client_auth_paths > 0 && o->client_ca == NULL) {
        return cl_options_complain(usage, "--client-auth-path needs --client-ca");
    }
    if ((o->num_client_allow > 0 || o->deny_in_handshake) && o->client_ca == NULL) {
        return cl_options_complain(usage, "--client-allow and --client-deny need --client-ca");
    }
    return o->num_client_auth_paths > 0 ? check_paths(p, usage) : CL_EXIT_OK;
}

/* Responses are signed, and responders speak http: over https they would need one themselves. */
static int check_stapling(const struct cl_serve_options *o, const struct cl_usage *usage)
{
    const char *url = o->staple_responder;
    if (url != NULL && (strncasecmp(url, "http://", 7) != 0 || url[7] == '\0')) {
        return cl_options_complain(
            usage, "--staple-responder takes http://HOST[:PORT][/PATH], not '%s'", url);
    }
    if (o->no_stapling && (url != NULL || o->staple_dir != NULL)) {
        return cl_options_complain(usage, "--no-stapling and %s: give one of the two",
                                   url != NULL ? "--staple-responder" : "--staple-dir");
    }
    return CL_EXIT_OK;
}

/* One page with one WebSocket; what else is asked for by name goes beside it. */
static int check_demo(struct cl_serve_options *o, const struct cl_usage *usage)
{
    static const struct cl_ws_endpoint echo = {.path = CL_DEMO_ECHO, .kind = CL_WS_ECHO};
    const struct cleat_http_view path = {CL_DEMO_ECHO, strlen(CL_DEMO_ECHO)};
    if (o->demo && o->root != NULL) {
        return cl_options_complain(usage,
                                   "--demo serves a page of its own, --root %s a folder: "
                                   "give one of the two",
                                   o->root);
    }
    o->root = o->root != NULL ? o->root : ".";
    const char *wrong =
        o->demo && cl_ws_config_find(&o->ws, path) == NULL ? cl_ws_config_add(&o->ws, &echo) : NULL;
    return wrong == NULL ? CL_EXIT_OK
                         : cl_options_complain(usage, "--demo: %s: %s", CL_DEMO_ECHO, wrong);
}

/* How many addresses files are served at, with TLS and without. */
static size_t num_serving(const struct cl_serve_options *o, bool clear)
{
    size_t num = 0;
    for (size_t i = 0; i < o->num_listen; i++) {
        num += o->listen[i].clear == clear && !o->listen[i].redirect;
    }
    return num;
}

static bool is_all_clear(const struct cl_serve_options *o)
{
    return num_serving(o, true) > 0 && num_serving(o, false) == 0;
}

static int check_redirect(const struct cl_serve_options *o, const struct cl_usage *usage)
{
    bool redirects = false;
    for (size_t i = 0; i < o->num_listen; i++) {
        redirects = redirects || o->listen[i].redirect;
    }
    return redirects && is_all_clear(o)
               ? cl_options_complain(usage, "--redirect leads to HTTPS, and there is none: every "
                                            "other address is one of --insecure-listen")
               : CL_EXIT_OK;
}

/* Certificates whose files have the key as well, by their names: the files are read later. */
static bool are_all_packed(const struct cl_serve_options *o)
{
    size_t num = 0;
    while (num < o->num_pairs) {
        const char *end = strrchr(o->pairs[num].cert, '.');
        if (end == NULL || (strcasecmp(end, ".p12") != 0 && strcasecmp(end, ".pfx") != 0)) {
            break;
        }
        num++;
    }
    return num == o->num_pairs;
}

int cl_serve_words_check(struct cl_serve_words *p, const struct cl_usage *usage)
{
    struct cl_serve_options *o = &p->o;
    for (size_t i = 0; i < o->num_listen; i++) {
        if (o->listen[i].clear && !o->listen[i].redirect &&
            (o->client_ca != NULL || o->num_client_pins > 0)) {
            return cl_options_complain(usage,
                                       "--insecure-listen does not go with --client-ca or "
                                       "--client-raw-key-pin: without TLS nobody is asked who he "
                                       "is");
        }
    }
    bool shows = o->num_pairs > 0 || p->num_keys > 0 || o->psk != NULL || o->num_raw_keys > 0;
    if (!is_all_clear(o) && !shows) {
        return cl_options_complain(usage,
                                   "a certificate and its key are needed: --cert FILE --key FILE\n"
                                   "To make a pair for this machine: cleat cert dev localhost");
    }
    if (p->num_keys == 0 && are_all_packed(o)) {
        while (p->num_keys < o->num_pairs) {
            o->pairs[p->num_keys].key = o->pairs[p->num_keys].cert;
            p->num_keys++;
        }
    }
    if (o->num_pairs != p->num_keys) {
        return cl_options_complain(usage, "%zu --cert, but %zu --key: each certificate needs one",
                                   o->num_pairs, p->num_keys);
    }
    if (o->psk_ke && o->psk == NULL) {
        return cl_options_complain(usage, "--psk-ke needs --psk");
    }
    if (o->pcap == NULL && (o->pcap_max_files != 0 || o->pcap_max_bytes != 0)) {
        return cl_options_complain(usage, "--pcap-max-files and --pcap-max-bytes need --pcap");
    }
    int code = check_redirect(o, usage);
    if (code == CL_EXIT_OK) {
        code = check_demo(o, usage);
    }
    if (code == CL_EXIT_OK) {
        code = check_stapling(o, usage);
    }
    if (code == CL_EXIT_OK) {
        code = check_clients(p, usage);
    }
    if (code == CL_EXIT_OK && num_serving(o, true) + num_serving(o, false) == 0) {
        o->default_listen = true;
        return add_listen(o, usage, ":8443", LISTEN_TLS);
    }
    return code;
}

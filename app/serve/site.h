/* serve/site.h - what a server serves and with which certificates: from the options of the command
 * line to objects that are ready for use.
 *
 * A site is shared by all workers, and immutable once loaded but for its TLS configuration.
 */
#ifndef CL_SERVE_SITE_H
#define CL_SERVE_SITE_H

#include <pthread.h>

#include "cleat/profile.h"
#include "cleat/session.h"
#include "conn/keylog.h"
#include "dns/addr.h"
#include "net/passphrase.h"
#include "serve/failures.h"
#include "serve/log.h"
#include "serve/static.h"
#include "serve/ws_hub.h"

/* 64: certificates in one configuration; more belong into a configuration file */
#define CL_SERVE_MAX_PAIRS       64
/* 32: addresses to listen on */
#define CL_SERVE_MAX_LISTEN      32
/* 256: worker threads, more than cores of a large machine */
#define CL_SERVE_MAX_THREADS     256
/* 8,192: connections of one worker; each costs some 2 KiB when idle, 70 KiB when busy */
#define CL_SERVE_MAX_CONNECTIONS 8192
/* 1,024 KiB: some 4,500 sessions of clients of TLS 1.2 that take no tickets; few are left */
#define CL_SERVE_SESSION_CACHE   1024
/* 512: chains of clients with certificates that come again, 8 KB each */
#define CL_SERVE_CLIENT_CACHE    512
/* the newest first, as browsers know them */
#define CL_SERVE_ALPN            "h2,http/1.1"
/* 30 s: what may be in flight gets to finish after SIGTERM */
#define CL_SERVE_GRACE_S         30

/* 256: rules of --client-allow; more belong into a CA of their own */
#define CL_SERVE_MAX_ALLOW 256
/* 64: paths of --client-auth-path; each request is compared with all of them */
#define CL_SERVE_MAX_PATHS 64
/* 16: files, or folders, of ECH keys: today's, yesterday's and some */
#define CL_SERVE_MAX_ECH   16
/* 8: raw public keys of a server: one of each kind, old and new */
#define CL_SERVE_MAX_RAW   8
/* 64: as many as a configuration takes (cleat/tls_rawkey.h) */
#define CL_SERVE_MAX_PINS  64

/* 32: words of --deny-ja4, and of --allow-ja4; each may be a file of many */
#define CL_SERVE_MAX_JA4 32

struct cl_serve_pair {
    const char *cert;   /* PEM, or PKCS#12 */
    const char *key;    /* likewise; the same file for both, perhaps */
    const char *staple; /* an OCSP response (DER), or NULL */
    const char *scts;   /* a SignedCertificateTimestampList, or NULL */
};

struct cl_serve_address {
    struct cl_addr addr;
    bool clear;    /* without TLS */
    bool redirect; /* likewise, and all that is said there is where HTTPS is */
};

/* 80: "max-age=3153600000; includeSubDomains; preload" and some */
#define CL_SERVE_HSTS_SIZE   80
/* 300: what every answer says: Server and Strict-Transport-Security */
#define CL_SERVE_FIELDS_SIZE 300

/* How files are sent, and what is said with them. */
struct cl_serve_web {
    bool no_precompressed;
    bool upgrade_insecure;
    enum cleat_coding compress[CL_STATIC_MAX_CODINGS]; /* in memory; the preferred one first */
    size_t num_compress;
    char hsts[CL_SERVE_HSTS_SIZE]; /* of Strict-Transport-Security; empty: it is not sent */
};

/* As the command line says it; texts are the caller's and outlive the site. */
struct cl_serve_options {
    struct cl_serve_address listen[CL_SERVE_MAX_LISTEN];
    size_t num_listen;
    bool
        default_listen; /* nobody asked for these addresses: one that cannot be had is no failure */
    struct cl_serve_pair pairs[CL_SERVE_MAX_PAIRS];
    size_t num_pairs;
    const char *raw_keys[CL_SERVE_MAX_RAW]; /* files of private keys, shown without a certificate */
    size_t num_raw_keys;
    struct cl_passphrase *key_word; /* of private keys that are encrypted; NULL: nobody is asked */
    const char *root;
    const char *client_ca;                      /* NULL: no client certificates */
    const char *client_pins[CL_SERVE_MAX_PINS]; /* raw public keys of clients */
    size_t num_client_pins;
    enum cleat_client_auth client_auth;
    unsigned client_cache; /* chains of clients that are remembered; 0: none */
    const char *client_allow[CL_SERVE_MAX_ALLOW]; /* serve/clients.h; none: whoever verifies */
    size_t num_client_allow;
    bool deny_in_handshake;                            /* else with 403 */
    const char *client_auth_paths[CL_SERVE_MAX_PATHS]; /* serve/protected.h */
    size_t num_client_auth_paths;
    const char *alpn; /* separated by ',' */
    bool no_http2;    /* h2 is left out of it */
    const char *profile;
    const char *ciphers; /* these and the next seven: NULL or 0: as the profile says */
    const char *tls13_ciphers;
    const char *groups;
    const char *signatures;
    const char *psk;              /* a file of pre-shared keys, or NULL */
    bool psk_ke;                  /* also without (EC)DHE */
    const char *cert_compression; /* NULL: all algorithms */
    uint16_t tls_min;
    uint16_t tls_max;
    const char *ticket_keys[CLEAT_TICKET_KEYS_MAX]; /* files; the first seals */
    size_t num_ticket_keys;                         /* 0: keys of our own */
    const char *ech_keys[CL_SERVE_MAX_ECH];         /* files or folders; serve/ech_files.h */
    size_t num_ech_keys;
    const char *deny_ja4[CL_SERVE_MAX_JA4]; /* serve/ja4_list.h */
    size_t num_deny_ja4;
    const char *allow_ja4[CL_SERVE_MAX_JA4];
    size_t num_allow_ja4;       /* 0: whoever is not denied */
    unsigned session_cache_kib; /* 0: none */
    unsigned threads;           /* 0: one for each processor */
    unsigned grace_s;
    unsigned max_connections; /* for each worker */
    const char *access_log;   /* path, "-" or "off" */
    const char *key_log;      /* SSLKEYLOGFILE, or NULL */
    bool no_stapling;         /* no OCSP response is asked for (serve/staples.h) */
    const char *staple_dir;   /* where they are kept; NULL: serve/staple_store.h knows a place */
    const char *staple_responder; /* http URL to ask instead of the certificates'; or NULL */
    const char *pcap;             /* a folder for captures (serve/captures.h), or NULL */
    uint64_t pcap_max_files;      /* 0: the default; likewise */
    uint64_t pcap_max_bytes;
    bool demo;       /* the page of serve/demo.h in place of a folder */
    bool early_data; /* GET and HEAD may come with the ClientHello of a resumption */
    struct cl_ws_config ws;
    struct cl_serve_web web;
    bool quiet;
    int verbose;
    bool trial; /* the files were read before: nothing is said about them again */
};

struct cl_captures;
struct cl_clients;
struct cl_demo;
struct cl_ja4_list;
struct cl_protected;
struct cl_staples;

/* Which programs are kept out, or let in alone; NULL: no such list. */
struct cl_site_hellos {
    struct cl_ja4_list *deny;
    struct cl_ja4_list *allow;
};

/* The configuration of new connections: replaced as a whole by a reload. */
struct cl_site_tls {
    pthread_mutex_t mutex;
    struct cleat_tls_config *config;
    struct cl_site_hellos hellos;
};

/* What lets clients resume, across reloads. */
struct cl_site_resumption {
    struct cleat_ticket_keys *keys;
    struct cleat_session_cache *cache;  /* or NULL */
    struct cleat_strike_register *uses; /* or NULL */
};

struct cl_site {
    const struct cl_serve_options *options;
    struct cl_clients *clients; /* who may come in; NULL: whoever verifies */
    struct cl_protected
        *protected;          /* paths for clients with a certificate; NULL: none in particular */
    struct cl_site_tls *tls; /* NULL: every address is without TLS */
    struct cl_site_resumption resumption;
    struct cl_static_config files;
    char fields[2][CL_SERVE_FIELDS_SIZE]; /* of every answer: in clear, over TLS */
    uint16_t https_port;                  /* where an address that redirects leads; cl_serve */
    struct cl_demo *demo;                 /* NULL: files are served; cl_serve makes it */
    struct cl_log *access;                /* NULL: off */
    struct cl_log *errors;                /* stderr */
    struct cl_failures *failures;
    struct cl_keylog keylog;
    struct cl_captures *captures; /* NULL: nothing is captured; cl_serve opens them */
    struct cl_ws_server *ws;      /* NULL: there are no WebSockets */
    struct cl_staples *staples;   /* NULL: none are fetched; cl_serve opens them */
    cleat_event_sink watch;       /* is told every connection's events; or NULL */
};

/* cl_site_load reads certificates, keys and folders. BAD_CONFIG, NOMEM or what the library found
 * wrong; err says which file. Warnings (readable keys, expired certificates) go to stderr. */
CL_MUST cl_result cl_site_load(struct cl_site *site, const struct cl_serve_options *options,
                               struct cleat_error *err);
void cl_site_deinit(struct cl_site *site);

/* cl_site_load_tls is the part of it that handshakes depend on: no folder is opened, and no log. */
CL_MUST cl_result cl_site_load_tls(struct cl_site *site, const struct cl_serve_options *options,
                                   cleat_event_sink watch, struct cleat_error *err);

/* cl_site_fields returns the lines that every answer has, in clear or over TLS. */
const char *cl_site_fields(const struct cl_site *site, bool secure);

/* cl_site_tls returns a reference to the configuration of new connections. Any thread. */
struct cleat_tls_config *cl_site_tls(const struct cl_site *site);

/* cl_site_swap_tls puts another one in its place, and takes the reference. The main thread. */
void cl_site_swap_tls(struct cl_site *site, struct cleat_tls_config *config);

/* cl_site_lets_in asks the lists of fingerprints; false: *why says which one keeps it out. Any
 * thread. */
bool cl_site_lets_in(const struct cl_site *site, const char *ja4, char *why, size_t cap);

/* cl_site_reload reads certificates, keys, client CAs, pre-shared, ECH and ticket keys, and lists
 * of fingerprints again: new
 * connections get them, the others go on with what they have. Returns as cl_site_load; then nothing
 * has changed. One thread at a time. */
CL_MUST cl_result cl_site_reload(struct cl_site *site, struct cleat_error *err);

/* serve/site_tls.c: cl_site_build_tls makes a configuration; cl_site_profile names the profile. */
CL_MUST cl_result cl_site_build_tls(struct cl_site *site, struct cleat_tls_config **out,
                                    struct cleat_error *err);
const char *cl_site_profile(const struct cl_serve_options *o);

#endif

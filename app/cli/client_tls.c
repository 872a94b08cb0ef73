/* cli/client_tls.c - CA files, our certificate, and the lists of what to offer. */
#include "cli/client_tls.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "cleat/ech.h"
#include "cleat/fingerprint.h"
#include "cleat/profile.h"
#include "cleat/tls_auth.h"
#include "cleat/tls_options.h"
#include "cleat/tls_rawkey.h"
#include "cli/client_pins.h"
#include "cli/get_codes.h"
#include "cli/read_file.h"
#include "conn/credential.h"
#include "conn/psk_file.h"
#include "conn/roots.h"
#include "net/clock.h"

/* 16 MiB: the system's bundle has 220 KB */
#define MAX_CA_FILE   (16u << 20)
/* 1 MiB: a chain and its key have some KB */
#define MAX_CERT_FILE (1u << 20)
/* 4,096 files in a folder of CA certificates: the system's has 300, each twice */
#define MAX_CA_FILES  4096

/* ---- trust ---- */

static int bad_ca(struct cleat_error *err, const char *path, const char *why)
{
    const struct cl_why reason = {.code = CLEAT_ERR_BAD_PEM,
                                  .hint = "give a PEM file with --cacert FILE"};
    (void)cl_error_set(err, reason, "cannot load the CA certificates of %s: %s", path, why);
    return GET_EXIT_CA_FILE;
}

static int add_file(struct cleat_trust_builder *b, const char *path, struct cleat_error *err)
{
    struct cl_buf text = {0};
    struct cleat_error detail = {0};
    const char *why = "";
    int code = 0;
    if (!cl_read_file(path, &text, MAX_CA_FILE, &why)) {
        code = bad_ca(err, path, why);
    } else if (cleat_trust_builder_add_pem(b, (const char *)text.p, text.len, NULL, &detail) !=
               CLEAT_OK) {
        code = bad_ca(err, path, detail.code != 0 ? detail.text : "it is not PEM");
    }
    cl_buf_deinit(&text);
    return code;
}

/* Files that are no certificates are passed over: such folders hold READMEs and CRLs too. */
static int add_folder(struct cleat_trust_builder *b, const char *path, struct cleat_error *err)
{
    DIR *dir = opendir(path);
    if (dir == NULL) {
        return bad_ca(err, path, strerror(errno));
    }
    struct dirent *entry;
    for (size_t n = 0; n < MAX_CA_FILES && (entry = readdir(dir)) != NULL; n++) {
        char file[4096];
        struct stat st;
        int len = snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
        if (len > 0 && (size_t)len < sizeof(file) && stat(file, &st) == 0 && S_ISREG(st.st_mode)) {
            (void)add_file(b, file, NULL);
        }
    }
    (void)closedir(dir);
    return 0;
}

static const char *env(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

int client_tls_trust(const struct client_options *o, struct cleat_trust_store **out,
                     struct cleat_error *err)
{
    bool given = o->cacert != NULL || o->capath != NULL;
    const char *file = given ? o->cacert : env("SSL_CERT_FILE");
    const char *folder = given ? o->capath : env("SSL_CERT_DIR");
    struct cleat_trust_builder *b = NULL;
    struct cleat_error detail = {0};
    if (file == NULL && folder == NULL) {
        file = cl_roots_bundle();
    }
    if (file == NULL && folder == NULL) {
        return bad_ca(err, "this system", "no bundle found where systems keep it");
    }
    if (cleat_trust_builder_new(&b) != CLEAT_OK) {
        return GET_EXIT_NO_MEMORY;
    }
    int code = file != NULL ? add_file(b, file, err) : 0;
    code = code == 0 && folder != NULL ? add_folder(b, folder, err) : code;
    if (code == 0 && cleat_trust_builder_finish(b, out, &detail) != CLEAT_OK) {
        code = bad_ca(err, file != NULL ? file : folder,
                      detail.code != 0 ? detail.text : "there is none in it");
    }
    cleat_trust_builder_free(b);
    return code;
}

/* ---- our certificate ---- */

static int bad_cert(struct cleat_error *err, const char *path, const char *why)
{
    (void)cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG}, "%s: %s", path, why);
    return GET_EXIT_OUR_CERT;
}

/* PEM of a file of ours, out of PKCS#12 where it is that. */
static int read_ours(const char *path, const char *type, struct cl_passphrase *word,
                     struct cl_buf *out, struct cleat_error *err)
{
    const char *why = "";
    if (!cl_read_file(path, out, MAX_CERT_FILE, &why)) {
        return bad_cert(err, path, why);
    }
    const bool packed = cl_credential_is_pkcs12(cl_buf_view(out));
    if (type != NULL && packed != (strcasecmp(type, "P12") == 0)) {
        return bad_cert(err, path,
                        packed ? "it is a PKCS#12 file, and --cert-type says PEM"
                               : "it is no PKCS#12 file, as --cert-type says");
    }
    return cl_credential_unpack(out, path, word, err) == CL_OK ? 0 : GET_EXIT_OUR_CERT;
}

static int add_credential(struct cleat_tls_builder *b, const struct client_options *o,
                          struct cl_passphrase *word, struct cleat_error *err)
{
    const char *key_path = o->key != NULL ? o->key : o->cert;
    struct cl_buf cert_pem = {0}, other = {0};
    const struct cl_buf *key_pem = o->key != NULL ? &other : &cert_pem;
    struct cleat_chain *chain = NULL;
    struct cleat_key *key = NULL;
    struct cleat_error detail = {0};
    int code = read_ours(o->cert, o->cert_type, word, &cert_pem, err);
    if (code == 0 && o->key != NULL) {
        code = read_ours(o->key, NULL, word, &other, err);
    }
    if (code != 0) {
        goto out;
    }
    if (cleat_chain_from_pem((const char *)cert_pem.p, cert_pem.len, &chain, &detail) != 0) {
        code = bad_cert(err, o->cert, detail.text);
    } else if (cl_credential_key(cl_buf_view(key_pem), key_path, word, &key, err) != CL_OK) {
        code = GET_EXIT_OUR_CERT;
    } else if (cleat_tls_builder_credential(b, chain, key) != CLEAT_OK) {
        code = bad_cert(err, o->cert, cleat_tls_builder_error(b)->text);
    }
out:
    cleat_chain_free(chain);
    cleat_key_free(key);
    cl_buf_deinit(&cert_pem);
    cl_buf_deinit(&other);
    return code;
}

/* ---- raw public keys ---- */

static int add_raw_key(struct cleat_tls_builder *b, const char *path, struct cl_passphrase *word,
                       struct cleat_error *err)
{
    struct cl_buf pem = {0};
    struct cleat_key *key = NULL;
    int code = read_ours(path, NULL, word, &pem, err);
    if (code == 0 && cl_credential_key(cl_buf_view(&pem), path, word, &key, err) != CL_OK) {
        code = GET_EXIT_OUR_CERT;
    }
    if (code == 0 && cleat_tls_builder_raw_key(b, key) != CLEAT_OK) {
        code = bad_cert(err, path, cleat_tls_builder_error(b)->text);
    }
    cleat_key_free(key);
    cl_buf_deinit(&pem);
    return code;
}

/* Whoever pins a key does not want a certificate in its place. */
static int take_raw_keys(struct cleat_tls_builder *b, const struct cl_words *pins)
{
    static const enum cleat_cert_type only[] = {CLEAT_CERT_TYPE_RAW_PUBLIC_KEY};
    int r = cleat_tls_builder_peer_types(b, only, 1);
    for (size_t i = 0; r == CLEAT_OK && i < pins->num; i++) {
        r = cleat_tls_builder_raw_pin(b, pins->items[i]);
    }
    return r;
}

/* ---- the configuration ---- */

/* 16 protocols: there are not more that a client could speak */
#define MAX_ALPN 16

static int set_alpn(struct cleat_tls_builder *b, const char *list)
{
    const char *items[MAX_ALPN];
    char *words = cl_strndup(list, strlen(list)), *rest = words, *word;
    size_t num = 0;
    while (words != NULL && num < MAX_ALPN && (word = strsep(&rest, ":,")) != NULL) {
        if (word[0] != '\0') {
            items[num++] = word;
        }
    }
    int r = words != NULL ? cleat_tls_builder_alpn(b, items, num) : CLEAT_ERR_NOMEM;
    cl_free(words);
    return r;
}

static int from_builder(const struct cleat_tls_builder *b, struct cleat_error *err, int code)
{
    const struct cleat_error *detail = cleat_tls_builder_error(b);
    if (detail != NULL && detail->code != 0 && err->code == 0) {
        *err = *detail;
    }
    return code;
}

static int fill(struct cleat_tls_builder *b, const struct client_options *o,
                struct cl_passphrase *word, struct cleat_error *err)
{
    if (o->profile != NULL && cleat_tls_builder_profile(b, o->profile) != CLEAT_OK) {
        return from_builder(b, err, GET_EXIT_CIPHERS);
    }
    if (o->cert != NULL) {
        cleat_tls_builder_late_auth(b, true); /* servers may ask when they see the path */
        int code = add_credential(b, o, word, err);
        if (code != 0) {
            return code;
        }
    }
    if (o->raw_public_key != NULL) {
        int code = add_raw_key(b, o->raw_public_key, word, err);
        if (code != 0) {
            return code;
        }
    }
    if (o->raw_key_pins.num != 0 && take_raw_keys(b, &o->raw_key_pins) != CLEAT_OK) {
        return from_builder(b, err, GET_EXIT_USAGE);
    }
    if (o->psk != NULL && cl_psk_file_add(b, o->psk, err) != CL_OK) {
        return GET_EXIT_OUR_CERT;
    }
    cleat_tls_builder_false_start(b, o->false_start ? CLEAT_FALSE_START_ALWAYS
                                                    : CLEAT_FALSE_START_OFF);
    cleat_tls_builder_fallback(b, o->fallback_scsv);
    cleat_tls_builder_resumption(b, !o->no_sessions);
    cleat_tls_builder_ech_grease(b, o->ech == NULL || strcmp(o->ech, "false") != 0);
    if ((o->ciphers != NULL && cleat_tls_builder_ciphers(b, o->ciphers) != CLEAT_OK) ||
        (o->tls13_ciphers != NULL && cleat_tls_builder_ciphers(b, o->tls13_ciphers) != CLEAT_OK)) {
        return from_builder(b, err, GET_EXIT_CIPHERS);
    }
    if (o->cert_compression != NULL &&
        cleat_tls_builder_cert_compression(b, o->cert_compression) != CLEAT_OK) {
        return from_builder(b, err, GET_EXIT_USAGE);
    }
    if ((o->curves != NULL && cleat_tls_builder_groups(b, o->curves) != CLEAT_OK) ||
        (o->sigalgs != NULL && cleat_tls_builder_signatures(b, o->sigalgs) != CLEAT_OK)) {
        return from_builder(b, err, GET_EXIT_CIPHERS);
    }
    if (o->alpn != NULL && set_alpn(b, o->alpn) != CLEAT_OK) {
        return from_builder(b, err, GET_EXIT_USAGE);
    }
    if ((o->tls_min != 0 || o->tls_max != 0) &&
        cleat_tls_builder_version_bounds(b, o->tls_min, o->tls_max) != CLEAT_OK) {
        return from_builder(b, err, GET_EXIT_HANDSHAKE);
    }
    return 0;
}

static int judge_by_records(struct cleat_tls_builder *b, const struct cleat_dane *set)
{
    static const enum cleat_cert_type types[] = {CLEAT_CERT_TYPE_X509,
                                                 CLEAT_CERT_TYPE_RAW_PUBLIC_KEY};
    const int code = cleat_tls_builder_dane(b, set);
    return code == CLEAT_OK && client_dane_allow_keys(set)
               ? cleat_tls_builder_peer_types(b, types, 2)
               : code;
}

/* 16: servers of one command that are connected to more than once */
#define REMEMBERED_SERVERS 16

/* What is remembered of chains would have to be recorded: then nothing is. */
static int judge(struct cleat_tls_builder *b, const struct client_tls_peer *peer, bool remember)
{
    struct cleat_verify_cache *cache;
    int code = remember ? cleat_verify_cache_new(REMEMBERED_SERVERS, 0, &cache) : CLEAT_OK;
    if (code == CLEAT_OK && remember) {
        cleat_tls_builder_verify_cache(b, cache);
        cleat_verify_cache_free(cache);
    }
    code = code == CLEAT_OK ? cleat_tls_builder_trust(b, peer->trust) : code;
    code = code == CLEAT_OK ? judge_by_records(b, peer->dane) : code;
    code = code == CLEAT_OK ? cleat_tls_builder_revocation(b, peer->revocation) : code;
    return code == CLEAT_OK && peer->ct != NULL
               ? cleat_tls_builder_transparency(b, peer->ct->mode, peer->ct->logs)
               : code;
}

int client_tls_config(const struct client_options *o, const struct client_tls_peer *peer,
                      const struct client_tls_watch *watch, struct cl_passphrase *word,
                      struct cleat_tls_config **out, struct cleat_error *err)
{
    struct cleat_tls_builder *b = NULL;
    if (cleat_tls_builder_new(CLEAT_CLIENT, &b) != CLEAT_OK) {
        return GET_EXIT_NO_MEMORY;
    }
    cleat_tls_builder_clock(b, cl_clock_for_tls, NULL);
    if (watch->sink != NULL) {
        cleat_tls_builder_stopwatch(b, cl_clock_ns, NULL);
        cleat_tls_builder_events(b, watch->sink, watch->ctx, watch->secrets);
        cleat_tls_builder_fingerprints(b, true);
    }
    if (watch->recorder != NULL) {
        cl_recorder_attach(watch->recorder, b);
    }
    if (o->insecure) {
        cleat_tls_builder_decide(b, CLEAT_DECIDE_PEER);
    } else if (judge(b, peer, watch->recorder == NULL) != CLEAT_OK) {
        cleat_tls_builder_free(b);
        return GET_EXIT_NO_MEMORY;
    }
    int code = client_pins_add(o, b, err);
    code = code == 0 ? fill(b, o, word, err) : code;
    if (peer->evidence) {
        cleat_tls_builder_decide(b, CLEAT_DECIDE_EVIDENCE);
    }
    if (peer->afresh) {
        cleat_tls_builder_resumption(b, false);
    }
    if (code != 0) {
        cleat_tls_builder_free(b);
        return code;
    }
    return cleat_tls_builder_finish(b, out, err) == CLEAT_OK ? 0 : GET_EXIT_HANDSHAKE;
}

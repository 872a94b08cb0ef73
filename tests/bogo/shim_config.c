/* tests/bogo/shim_config.c - see shim_config.h. The options' numbers become names, which is what
 * the public interface takes. */
#include "bogo/shim_config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "crypto/kex.h"
#include "crypto/key.h"

_Noreturn void shim_fail(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vfprintf(stderr, fmt, ap);
    va_end(ap);
    (void)fputc('\n', stderr);
    exit(SHIM_EXIT_FAILED);
}

char *shim_read_file(const char *path, size_t *len)
{
    size_t cap = 1 << 20;
    char *text = malloc(cap);
    FILE *f = fopen(path, "rb");
    if (text == NULL || f == NULL) {
        shim_fail("cannot read %s", path);
    }
    *len = fread(text, 1, cap - 1, f);
    text[*len] = '\0';
    (void)fclose(f);
    return text;
}

static struct cleat_chain *read_chain(const char *path)
{
    size_t len;
    char *pem = shim_read_file(path, &len);
    struct cleat_chain *chain;
    struct cleat_error err = {0};
    if (cleat_chain_from_pem(pem, len, &chain, &err) != CLEAT_OK) {
        shim_fail("%s: %s", path, err.text);
    }
    free(pem);
    return chain;
}

static struct cleat_key *read_key(const char *path)
{
    size_t len;
    char *pem = shim_read_file(path, &len);
    struct cleat_key *key;
    struct cleat_error err = {0};
    if (cleat_key_from_pem(pem, len, &key, &err) != CLEAT_OK) {
        shim_not_implemented(err.text);
    }
    free(pem);
    return key;
}

void shim_leaf_fingerprint(const char *path, uint8_t out[32])
{
    struct cleat_chain *chain = read_chain(path);
    cleat_cert_fingerprint(cleat_chain_at(chain, 0), out);
    cleat_chain_free(chain);
}

static uint64_t now_ms(void *ctx)
{
    const struct shim_state *state = ctx;
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000 + state->delay_ms;
}

/* Which certificate we sent: the first of the list in our Certificate message. */
static void note_certificate(struct shim_state *state, struct cl_rd message)
{
    struct cl_rd body;
    struct cl_rd context;
    struct cl_rd list;
    struct cl_rd der;
    struct cleat_cert *cert;
    uint8_t type;
    if (!cl_rd_u8(&message, &type) || !cl_rd_vec24(&message, &body) ||
        !cl_rd_vec8(&body, &context) || !cl_rd_vec24(&body, &list) || !cl_rd_vec24(&list, &der) ||
        cleat_cert_from_der(der.p, der.len, &cert, NULL) != CLEAT_OK) {
        return;
    }
    cleat_cert_fingerprint(cert, state->sent_leaf);
    state->has_sent_leaf = true;
    cleat_cert_free(cert);
}

#define CERTIFICATE 11

static void on_event(void *ctx, void *user, const struct cleat_event *event)
{
    (void)user;
    if (event->kind == CLEAT_EVENT_MESSAGE && event->sent && event->message.type == CERTIFICATE) {
        note_certificate(ctx, cl_rd_of(event->message.bytes, event->message.len));
    }
}

static const char *group_name(long id)
{
    const struct cl_group *group = cl_group_by_id((uint16_t)id);
    return group != NULL ? group->name : NULL;
}

static const char *scheme_name(long id)
{
    const struct cl_sig_alg *alg = cl_sig_scheme((uint16_t)id);
    return alg != NULL ? alg->name : NULL;
}

/* "name:name:…" of numbers. */
static const char *join(const struct shim_list *list, const char *(*name)(long), const char *what,
                        char *out, size_t cap)
{
    size_t at = 0;
    for (size_t i = 0; i < list->num; i++) {
        const char *n = name(list->items[i]);
        if (n == NULL) {
            shim_not_implemented(what);
        }
        at += (size_t)snprintf(out + at, cap - at, "%s%s", i != 0 ? ":" : "", n);
    }
    return out;
}

static void set_lists(struct cleat_tls_builder *b, const struct shim_options *o)
{
    char text[2048];
    const struct shim_list *signing = &o->credentials[0].signing_prefs;
    if (o->curves.num != 0) {
        (void)cleat_tls_builder_groups(b,
                                       join(&o->curves, group_name, "group", text, sizeof(text)));
    }
    if (o->verify_prefs.num != 0) {
        (void)cleat_tls_builder_signatures(
            b, join(&o->verify_prefs, scheme_name, "scheme", text, sizeof(text)));
    } else if (signing->num != 0) {
        (void)cleat_tls_builder_signatures(
            b, join(signing, scheme_name, "scheme", text, sizeof(text)));
    }
}

/* The runner gives the client's list as it stands on the wire; the server's is one name. */
static void set_alpn(struct cleat_tls_builder *b, const struct shim_options *o)
{
    char names[SHIM_MAX_LIST][256];
    const char *list[SHIM_MAX_LIST];
    size_t num = 0;
    if (o->advertise_alpn != NULL && !o->server) {
        struct cl_rd r = cl_rd_of(o->advertise_alpn, strlen(o->advertise_alpn));
        struct cl_rd name;
        while (num < SHIM_MAX_LIST && cl_rd_vec8(&r, &name)) {
            memcpy(names[num], name.p, name.len);
            names[num][name.len] = '\0';
            list[num] = names[num];
            num++;
        }
    } else if (o->select_alpn != NULL && o->server) {
        list[num++] = o->select_alpn;
    }
    if (num != 0 && cleat_tls_builder_alpn(b, list, num) != CLEAT_OK) {
        shim_fail("%s", cleat_tls_builder_error(b)->text);
    }
}

static void set_credentials(struct cleat_tls_builder *b, const struct shim_options *o)
{
    for (size_t i = 0; i <= o->num_new_credentials; i++) {
        const struct shim_credential *c = &o->credentials[i];
        if (c->cert_file == NULL || c->key_file == NULL) {
            continue;
        }
        if (i != 0 && c->signing_prefs.num != 0) {
            shim_not_implemented("signature schemes of one credential");
        }
        struct cleat_chain *chain = read_chain(c->cert_file);
        struct cleat_key *key = read_key(c->key_file);
        if (cleat_tls_builder_credential(b, chain, key) != CLEAT_OK) {
            (void)fprintf(stderr, ":KEY_VALUES_MISMATCH: ");
            shim_fail("%s", cleat_tls_builder_error(b)->text);
        }
        cleat_chain_free(chain);
        cleat_key_free(key);
    }
}

static void set_versions(struct cleat_tls_builder *b, const struct shim_options *o)
{
    long min = o->min_version != 0 ? o->min_version : CLEAT_TLS_1_2;
    long max = o->max_version != 0 ? o->max_version : CLEAT_TLS_1_3;
    if (o->no_tls13 && max >= CLEAT_TLS_1_3) {
        max = CLEAT_TLS_1_2;
    }
    if (max < CLEAT_TLS_1_3) {
        shim_not_implemented("TLS 1.2");
    }
    if (o->no_tls12 && min <= CLEAT_TLS_1_2) {
        min = CLEAT_TLS_1_3;
    }
    (void)min; /* nothing below TLS 1.3 is spoken yet */
    if (cleat_tls_builder_versions(b, CLEAT_TLS_1_3, (uint16_t)max) != CLEAT_OK) {
        shim_not_implemented("version");
    }
}

struct cleat_tls_config *shim_make_config(const struct shim_options *o, struct shim_state *state)
{
    struct cleat_tls_builder *b;
    struct cleat_tls_config *config;
    struct cleat_error err = {0};
    if (cleat_tls_builder_new(o->server ? CLEAT_SERVER : CLEAT_CLIENT, &b) != CLEAT_OK) {
        shim_fail("no memory");
    }
    cleat_tls_builder_clock(b, now_ms, state);
    cleat_tls_builder_events(b, on_event, state, false);
    cleat_tls_builder_decide(b, CLEAT_DECIDE_PEER | (o->server ? CLEAT_DECIDE_CONFIG : 0));
    set_versions(b, o);
    set_lists(b, o);
    set_alpn(b, o);
    set_credentials(b, o);
    if (o->server && !o->no_ticket) {
        (void)cleat_tls_builder_tickets(b, state->ticket_keys, 1);
    }
    if (o->server) {
        cleat_tls_builder_client_auth(b, o->require_any_client_certificate
                                             ? CLEAT_CLIENT_AUTH_REQUIRED
                                         : o->verify_peer ? CLEAT_CLIENT_AUTH_OPTIONAL
                                                          : CLEAT_CLIENT_AUTH_NONE);
    }
    if (cleat_tls_builder_finish(b, &config, &err) != CLEAT_OK) {
        shim_fail("the configuration is refused: %s", err.text);
    }
    return config;
}

/* tests/bogo/shim_event.c - see shim_event.h. */
#include "bogo/shim_event.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/kex.h"
#include "crypto/key.h"
#include "tls/conn.h"

#define CLIENT_HELLO         1
#define CERTIFICATE          11
#define CERTIFICATE_REQUEST  13
#define SIGNATURE_ALGORITHMS 13
#define AUTHORITIES          47
#define HELLO_RANDOM_LEN     32

/* Which certificate we sent: the first of the list in our Certificate message, which in TLS 1.3 has
 * an empty context in front of it and in TLS 1.2 has not. */
static void note_certificate(struct shim_state *state, struct cl_rd message)
{
    struct cl_rd body;
    struct cl_rd context;
    struct cl_rd list;
    struct cl_rd der;
    uint8_t type;
    if (!cl_rd_u8(&message, &type) || !cl_rd_vec24(&message, &body)) {
        return;
    }
    struct cl_rd with_context = body;
    bool is_12 = cl_rd_vec24(&body, &list) && cl_rd_done(&body);
    if (!is_12 && (!cl_rd_vec8(&with_context, &context) || !cl_rd_vec24(&with_context, &list))) {
        return;
    }
    /* a raw public key of TLS 1.2 stands without a list around it */
    bool bare = is_12 && cl_spki_type(list) != CL_KEY_NONE;
    der = list;
    if (bare || cl_rd_vec24(&list, &der)) {
        cl_hash_once(CL_HASH_SHA256, der.p, der.len, state->sent_leaf);
        state->has_sent_leaf = true;
    }
}

static void note_schemes(struct shim_state *state, struct cl_rd list)
{
    uint16_t scheme;
    state->peer_prefs.num = 0;
    while (cl_rd_u16(&list, &scheme) && state->peer_prefs.num < SHIM_MAX_LIST) {
        state->peer_prefs.items[state->peer_prefs.num++] = scheme;
    }
}

static void note_extensions(struct shim_state *state, struct cl_rd block)
{
    uint16_t type;
    struct cl_rd body;
    struct cl_rd list;
    while (cl_rd_u16(&block, &type) && cl_rd_vec16(&block, &body)) {
        if (type == SIGNATURE_ALGORITHMS && cl_rd_vec16(&body, &list)) {
            note_schemes(state, list);
        } else if (type == AUTHORITIES && cl_rd_vec16(&body, &list)) {
            state->request_names = shim_copy(list.p, list.len);
        }
    }
}

static void note_client_hello(struct shim_state *state, struct cl_rd body)
{
    struct cl_rd skip;
    struct cl_rd block;
    if (cl_rd_take(&body, 2 + HELLO_RANDOM_LEN, &skip) && cl_rd_vec8(&body, &skip) &&
        cl_rd_vec16(&body, &skip) && cl_rd_vec8(&body, &skip) && cl_rd_vec16(&body, &block)) {
        note_extensions(state, block);
    }
}

/* TLS 1.3: context, extensions; TLS 1.2: types, schemes, names. */
static void note_request(struct shim_state *state, struct cl_rd body)
{
    struct cl_rd first;
    struct cl_rd second;
    struct cl_rd names;
    state->request_names = (struct shim_bytes){0};
    state->request_types = (struct shim_bytes){0};
    if (!cl_rd_vec8(&body, &first) || !cl_rd_vec16(&body, &second)) {
        return;
    }
    if (cl_rd_done(&body)) {
        note_extensions(state, second);
    } else if (cl_rd_vec16(&body, &names)) {
        note_schemes(state, second);
        state->request_types = shim_copy(first.p, first.len);
        state->request_names = shim_copy(names.p, names.len);
    }
}

static void note_message(struct shim_state *state, const struct cleat_event *event)
{
    struct cl_rd whole = cl_rd_of(event->message.bytes, event->message.len);
    struct cl_rd header;
    struct cl_rd body = whole;
    if (!cl_rd_take(&body, 4, &header)) {
        return;
    }
    state->last_received = event->sent ? state->last_received : event->message.type;
    if (event->sent && event->message.type == CERTIFICATE) {
        note_certificate(state, whole);
    } else if (!event->sent && event->message.type == CLIENT_HELLO) {
        note_client_hello(state, body);
    } else if (!event->sent && event->message.type == CERTIFICATE_REQUEST) {
        note_request(state, body);
    }
}

static void note_choice(struct shim_state *state, const char *what, const char *value,
                        const char *why)
{
    if (strcmp(what, "peer's signature") == 0) {
        const struct cl_sig_alg *alg = cl_sig_scheme_by_name(value, strlen(value));
        state->peer_scheme = alg != NULL ? alg->scheme : 0;
    } else if (strcmp(what, "group") == 0) {
        const struct cl_group *group = cl_group_by_name(value, strlen(value));
        state->group = group != NULL ? group->id : 0;
    } else if (strcmp(what, "early data") == 0) {
        (void)snprintf(state->early_why, sizeof(state->early_why), "%s", why);
    }
}

/* The one thing that only the engine's own memory has. */
static void note_skew(struct shim_state *state, struct cleat_tls *const *tls, const char *what)
{
    if (strcmp(what, "early data") != 0 || !cl_is_server(*tls) || !(*tls)->hs->psk_selected) {
        return;
    }
    const struct cl_hs *hs = (*tls)->hs;
    uint64_t now = cl_config_now((*tls)->config);
    int64_t age = (int64_t)(uint32_t)(hs->psk_age - hs->ticket.age_add);
    state->age_skew = (long)((age - (int64_t)(now - hs->ticket.created_ms)) / 1000);
}

static void note_secret(struct shim_state *state, const struct cleat_event *event)
{
    static const char *const labels[] = {"CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"};
    for (size_t i = 0; i < 2; i++) {
        if (strcmp(event->secret.label, labels[i]) == 0 &&
            event->secret.secret_len <= sizeof(state->secrets[i])) {
            memcpy(state->secrets[i], event->secret.secret, event->secret.secret_len);
            state->secret_len = event->secret.secret_len;
        }
    }
}

void shim_on_event(void *ctx, void *user, const struct cleat_event *event)
{
    switch (event->kind) {
    case CLEAT_EVENT_MESSAGE:
        note_message(ctx, event);
        break;
    case CLEAT_EVENT_CHOICE:
        note_choice(ctx, event->choice.what, event->choice.value, event->choice.why);
        note_skew(ctx, user, event->choice.what);
        break;
    case CLEAT_EVENT_SECRET:
        note_secret(ctx, event);
        break;
    default:
        break;
    }
}

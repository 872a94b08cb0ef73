/* ws/ext.c - see ext.h. */
#include "ws/ext.h"

#include <stdio.h>

#include "http/chars.h"

#define FIELD    "Sec-WebSocket-Extensions"
#define NAME     "permessage-deflate"
#define MAX_BITS 15
#define MIN_BITS 8
/* client_max_window_bits in an offer may stand without a value: whatever the server wants */
#define ANY_BITS 255

/* The parameters of one offer or answer; bits 0: not there. */
struct params {
    bool server_no_takeover, client_no_takeover;
    uint8_t server_bits, client_bits;
};

enum verdict {
    GOOD,
    NOT_OURS, /* another extension */
    DECLINED, /* RFC 7692 7.1: an unknown, repeated or invalid parameter */
    MALFORMED,
};

void cleat_ws_deflate_init(struct cleat_ws_deflate *d, bool is_server)
{
    *d = (struct cleat_ws_deflate){
        .on = true,
        .server_no_context_takeover = is_server,
        .client_no_context_takeover = is_server,
        .server_max_window_bits = MAX_BITS,
        .client_max_window_bits = MAX_BITS,
    };
}

/* ---- reading ----------------------------------------------------------------------------------*/

static bool take_byte(struct cl_rd *r, uint8_t c)
{
    return !cl_rd_done(r) && r->p[0] == c && cl_rd_skip(r, 1);
}

static bool take_token(struct cl_rd *r, struct cl_rd *out)
{
    size_t len = 0;
    while (len < r->len && cl_http_ch(r->p[len], CL_CH_TOKEN)) {
        len++;
    }
    return len != 0 && cl_rd_take(r, len, out);
}

/* RFC 6455 9.1: "When using the quoted-string syntax variant, the value after quoted-string
 * unescaping MUST conform to the 'token' ABNF." Escapes are not taken: no token needs them. */
static bool take_value(struct cl_rd *r, struct cl_rd *out)
{
    if (!take_byte(r, '"')) {
        return take_token(r, out);
    }
    return take_token(r, out) && take_byte(r, '"');
}

/* ";" token [ "=" (token | quoted-string) ]; value.p is NULL without one. */
static bool take_param(struct cl_rd *r, struct cl_rd *name, struct cl_rd *value)
{
    *value = (struct cl_rd){0};
    if (!take_byte(r, ';')) {
        return false;
    }
    *r = cl_http_trim(*r);
    if (!take_token(r, name)) {
        return false;
    }
    *r = cl_http_trim(*r);
    if (!take_byte(r, '=')) {
        return true;
    }
    *r = cl_http_trim(*r);
    bool ok = take_value(r, value);
    *r = cl_http_trim(*r);
    return ok;
}

/* 8 to 15 in decimal without leading zeros (RFC 7692 7.1.2.1); 0 for anything else. */
static uint8_t bits_of(struct cl_rd value)
{
    for (uint8_t bits = MIN_BITS; bits <= MAX_BITS; bits++) {
        char text[4];
        (void)snprintf(text, sizeof(text), "%u", bits);
        if (cl_rd_equal_str(value, text)) {
            return bits;
        }
    }
    return 0;
}

/* Sets one parameter; false when it is unknown, repeated or has the wrong value. */
static bool set_param(struct params *p, struct cl_rd name, struct cl_rd value)
{
    const struct {
        const char *name;
        bool *flag;
        uint8_t *bits;
        bool may_be_bare;
    } known[] = {
        {"server_no_context_takeover", &p->server_no_takeover, NULL, true},
        {"client_no_context_takeover", &p->client_no_takeover, NULL, true},
        {"server_max_window_bits", NULL, &p->server_bits, false},
        {"client_max_window_bits", NULL, &p->client_bits, true},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (!cl_http_equal_fold(name, known[i].name)) {
            continue;
        }
        if (known[i].flag != NULL) {
            bool fine = value.p == NULL && !*known[i].flag;
            *known[i].flag = true;
            return fine;
        }
        bool bare = value.p == NULL && known[i].may_be_bare;
        bool fine = *known[i].bits == 0;
        *known[i].bits = bare ? ANY_BITS : bits_of(value);
        return fine && *known[i].bits != 0;
    }
    return false;
}

static enum verdict parse(struct cleat_http_view element, struct params *out)
{
    struct cl_rd r = cl_http_trim(cl_http_rd(element));
    struct cl_rd name;
    struct cl_rd value;
    *out = (struct params){0};
    if (!take_token(&r, &name)) {
        return MALFORMED;
    }
    bool ours = cl_http_equal_fold(name, NAME);
    bool fine = true;
    for (r = cl_http_trim(r); !cl_rd_done(&r);) {
        if (!take_param(&r, &name, &value)) {
            return MALFORMED;
        }
        fine = set_param(out, name, value) && fine;
    }
    return !ours ? NOT_OURS : fine ? GOOD : DECLINED;
}

/* ---- writing ----------------------------------------------------------------------------------*/

/* 256: four parameters; more than any of the texts */
#define MAX_TEXT 256

static cl_result put(struct cl_buf *out, const struct params *p)
{
    CL_TRY(cl_buf_printf(out, MAX_TEXT, "%s%s%s", NAME,
                         p->server_no_takeover ? "; server_no_context_takeover" : "",
                         p->client_no_takeover ? "; client_no_context_takeover" : ""));
    if (p->server_bits != 0) {
        CL_TRY(cl_buf_printf(out, MAX_TEXT, "; server_max_window_bits=%u", p->server_bits));
    }
    if (p->client_bits == ANY_BITS) {
        CL_TRY(cl_buf_printf(out, MAX_TEXT, "; client_max_window_bits"));
    } else if (p->client_bits != 0) {
        CL_TRY(cl_buf_printf(out, MAX_TEXT, "; client_max_window_bits=%u", p->client_bits));
    }
    return CL_OK;
}

static cl_result note(struct cleat_ws_upgrade *out, const struct params *p)
{
    struct cl_buf text = {0};
    cl_result rc = put(&text, p);
    if (rc == CL_OK) {
        (void)snprintf(out->extensions, sizeof(out->extensions), "%.*s", (int)text.len,
                       (const char *)text.p);
    }
    cl_buf_deinit(&text);
    return rc;
}

cl_result cl_ws_ext_offer(const struct cleat_ws_deflate *want, struct cl_buf *out)
{
    struct params p = {
        .server_no_takeover = want->server_no_context_takeover,
        .client_no_takeover = want->client_no_context_takeover,
        .server_bits = want->server_max_window_bits < MAX_BITS ? want->server_max_window_bits : 0,
        .client_bits =
            want->client_max_window_bits < MAX_BITS ? want->client_max_window_bits : ANY_BITS,
    };
    return put(out, &p);
}

/* ---- deciding ---------------------------------------------------------------------------------*/

static uint8_t least(uint8_t a, uint8_t b)
{
    return a < b ? a : b;
}

/* RFC 7692 7.1.1 and 7.1.2: what the server answers to an offer. */
static cl_result accept_offer(struct cleat_ws_upgrade *out, const struct params *offer,
                              const struct cleat_ws_deflate *want)
{
    struct cleat_ws_deflate *d = &out->deflate;
    *d = (struct cleat_ws_deflate){
        .on = true,
        .server_no_context_takeover = want->server_no_context_takeover || offer->server_no_takeover,
        .client_no_context_takeover = want->client_no_context_takeover || offer->client_no_takeover,
        .server_max_window_bits = want->server_max_window_bits,
        .client_max_window_bits = MAX_BITS,
    };
    struct params answer = {
        .server_no_takeover = d->server_no_context_takeover,
        .client_no_takeover = d->client_no_context_takeover,
    };
    if (offer->server_bits != 0) {
        d->server_max_window_bits = least(offer->server_bits, want->server_max_window_bits);
    }
    if (offer->server_bits != 0 || d->server_max_window_bits < MAX_BITS) {
        answer.server_bits = d->server_max_window_bits;
    }
    /* RFC 7692 7.1.2.2: without it in the offer "the server MUST NOT include" it in the response */
    if (offer->client_bits != 0) {
        d->client_max_window_bits = least(offer->client_bits, want->client_max_window_bits);
        answer.client_bits = d->client_max_window_bits < MAX_BITS ? d->client_max_window_bits : 0;
    }
    return note(out, &answer);
}

static cl_result refuse(struct cleat_error *err, const char *section, const char *what,
                        struct cleat_http_view shown)
{
    struct cl_why why = {.code = CLEAT_ERR_WS_HANDSHAKE, .section = section};
    return cl_error_set(err, why, FIELD ": %s (\"%.*s\")", what, CL_HTTP_SHOWN(shown));
}

cl_result cl_ws_ext_accept(struct cleat_ws_upgrade *out, const struct cleat_http_head *request,
                           const struct cleat_ws_deflate *want, struct cleat_error *err)
{
    size_t from = 0;
    struct cleat_http_view value;
    while ((value = cleat_http_find(request, FIELD, &from)).p != NULL) {
        struct cleat_http_view rest = value;
        struct cleat_http_view element;
        while (cleat_http_list_next(&rest, &element)) {
            struct params offer;
            enum verdict verdict = parse(element, &offer);
            if (verdict == MALFORMED) {
                return refuse(err, "RFC 6455 9.1", "not a list of extensions", element);
            }
            if (verdict == GOOD && want->on && !out->deflate.on) {
                CL_TRY(accept_offer(out, &offer, want));
            }
        }
    }
    return CL_OK;
}

/* What an answer may say to our offer; NULL when it is fine. */
static const char *judge_answer(const struct params *answer, const struct cleat_ws_deflate *offered)
{
    if (offered->server_no_context_takeover && !answer->server_no_takeover) {
        return "server_no_context_takeover was asked for and is missing";
    }
    if (offered->server_max_window_bits < MAX_BITS &&
        (answer->server_bits == 0 || answer->server_bits > offered->server_max_window_bits)) {
        return "server_max_window_bits is missing or more than was asked for";
    }
    if (answer->client_bits == ANY_BITS) {
        return "client_max_window_bits has no value";
    }
    return answer->client_bits > offered->client_max_window_bits
               ? "client_max_window_bits is more than was offered"
               : NULL;
}

cl_result cl_ws_ext_agreed(struct cleat_ws_upgrade *out, const struct cleat_http_head *response,
                           const struct cleat_ws_deflate *offered, struct cleat_error *err)
{
    size_t from = 0;
    struct cleat_http_view value;
    while ((value = cleat_http_find(response, FIELD, &from)).p != NULL) {
        struct cleat_http_view rest = value;
        struct cleat_http_view element;
        while (cleat_http_list_next(&rest, &element)) {
            struct params answer;
            enum verdict verdict = parse(element, &answer);
            /* RFC 6455 4.1: "indicates the use of an extension that was not present in the client's
             * handshake" */
            if (verdict == NOT_OURS || !offered->on || out->deflate.on) {
                return refuse(err, "RFC 6455 4.1", "an extension that was not offered, or twice",
                              element);
            }
            const char *flaw = verdict != GOOD ? "an unknown, repeated or invalid parameter"
                                               : judge_answer(&answer, offered);
            if (flaw != NULL) {
                return refuse(err, "RFC 7692 7.1", flaw, element);
            }
            out->deflate = (struct cleat_ws_deflate){
                .on = true,
                .server_no_context_takeover = answer.server_no_takeover,
                .client_no_context_takeover =
                    answer.client_no_takeover || offered->client_no_context_takeover,
                .server_max_window_bits = answer.server_bits != 0 ? answer.server_bits : MAX_BITS,
                .client_max_window_bits =
                    answer.client_bits != 0 ? answer.client_bits : offered->client_max_window_bits,
            };
            CL_TRY(note(out, &answer));
        }
    }
    return CL_OK;
}

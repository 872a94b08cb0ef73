/* dns/https.c - see https.h. What comes from the network is read with cl_rd only; c-ares carries
 * the messages. */
#include "dns/https.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/text.h"
#include "dns/loop.h"

#define TYPE_HTTPS 65
#define CLASS_IN   1
/* RFC 9460 14.3.2: SvcParamKeys */
enum {
    KEY_MANDATORY,
    KEY_ALPN,
    KEY_NO_DEFAULT_ALPN,
    KEY_PORT,
    KEY_IPV4HINT,
    KEY_ECH,
    KEY_IPV6HINT
};
/* 128: labels of a name of 255 bytes, and one to end it */
#define MAX_LABELS 128

/* ---- names ---- */

/* RFC 1035 4.1.4: labels, ended by an empty one or by a pointer; where that leads does not matter
 * here. */
static bool skip_name(struct cl_rd *r)
{
    for (int i = 0; i < MAX_LABELS; i++) {
        uint8_t len;
        if (!cl_rd_u8(r, &len)) {
            return false;
        }
        if (len == 0) {
            return true;
        }
        if ((len & 0xc0) != 0) {
            return (len & 0xc0) == 0xc0 && cl_rd_skip(r, 1);
        }
        if (!cl_rd_skip(r, len)) {
            return false;
        }
    }
    return false;
}

/* A name without compression (RFC 9460 2.2) is "." or this host's. */
static bool take_target(struct cl_rd *r, const char *host, bool *ours)
{
    char text[256];
    size_t at = 0;
    for (int i = 0; i < MAX_LABELS; i++) {
        struct cl_rd label;
        if (!cl_rd_vec8(r, &label) || label.len > 63 || at + label.len + 2 > sizeof(text)) {
            return false;
        }
        if (label.len == 0) {
            *ours = at == 0 || cl_ascii_equal_fold(cl_rd_of(text, at - 1), cl_rd_str(host));
            return true;
        }
        memcpy(text + at, label.p, label.len);
        at += label.len;
        text[at++] = '.';
    }
    return false;
}

/* ---- a record ---- */

struct record {
    uint16_t priority;
    bool usable;
    struct cl_rd ech;
};

static bool mandatory_known(struct cl_rd list)
{
    uint16_t key;
    while (cl_rd_u16(&list, &key)) {
        if (key > KEY_IPV6HINT || key == KEY_MANDATORY) {
            return false;
        }
    }
    return true;
}

static bool take_params(struct cl_rd params, uint16_t port, struct record *out)
{
    long last = -1;
    while (!cl_rd_done(&params)) {
        uint16_t key, other;
        struct cl_rd value;
        /* RFC 9460 2.2: "SvcParamKeys SHALL appear in increasing numeric order", none twice */
        if (!cl_rd_u16(&params, &key) || !cl_rd_vec16(&params, &value) || (long)key <= last) {
            return false;
        }
        last = key;
        if (key == KEY_MANDATORY && !mandatory_known(value)) {
            out->usable = false;
        } else if (key == KEY_PORT) {
            if (!cl_rd_u16(&value, &other) || !cl_rd_done(&value)) {
                return false;
            }
            out->usable = out->usable && other == port;
        } else if (key == KEY_ECH) {
            out->ech = value;
        }
    }
    return true;
}

static bool parse_record(struct cl_rd data, const char *host, uint16_t port, struct record *out)
{
    bool ours = false;
    *out = (struct record){0};
    if (!cl_rd_u16(&data, &out->priority) || !take_target(&data, host, &ours)) {
        return false;
    }
    out->usable = out->priority != 0 && ours; /* 0: an alias */
    return out->priority == 0 || take_params(data, port, out);
}

/* ---- the message ---- */

static bool take_header(struct cl_rd *r, uint16_t *num_answers)
{
    uint16_t id, flags, questions, authorities, more;
    if (!cl_rd_u16(r, &id) || !cl_rd_u16(r, &flags) || !cl_rd_u16(r, &questions) ||
        !cl_rd_u16(r, num_answers) || !cl_rd_u16(r, &authorities) || !cl_rd_u16(r, &more)) {
        return false;
    }
    for (uint16_t i = 0; i < questions; i++) {
        if (!skip_name(r) || !cl_rd_skip(r, 4)) {
            return false;
        }
    }
    return true;
}

bool cl_https_parse(struct cl_rd message, const char *host, uint16_t port,
                    struct cl_https_records *out)
{
    uint16_t num;
    uint16_t best = 0;
    *out = (struct cl_https_records){0};
    if (!take_header(&message, &num)) {
        return false;
    }
    for (uint16_t i = 0; i < num; i++) {
        uint16_t type, class;
        struct cl_rd data;
        struct record record;
        if (!skip_name(&message) || !cl_rd_u16(&message, &type) || !cl_rd_u16(&message, &class) ||
            !cl_rd_skip(&message, 4) || !cl_rd_vec16(&message, &data)) {
            return false;
        }
        if (type != TYPE_HTTPS || class != CLASS_IN || !parse_record(data, host, port, &record)) {
            continue;
        }
        out->num++;
        if (record.usable && (out->num_usable++ == 0 || record.priority < best)) {
            best = record.priority;
            out->ech = record.ech;
        }
    }
    return true;
}

bool cl_https_name(const char *host, uint16_t port, char out[256])
{
    int n = port == 443 ? snprintf(out, 256, "%s", host)
                        : snprintf(out, 256, "_%u._https.%s", (unsigned)port, host);
    return n > 0 && n < 256;
}

/* ---- asking ---- */

struct cl_https_query {
    void (*cb)(void *ctx, const struct cl_https_answer *answer);
    void *ctx; /* cb NULL: cancelled */
    uint16_t port;
    bool asking; /* c-ares has not returned yet */
    bool over;   /* and has answered already: it takes no such name */
    char host[256];
};

static const char *reason_of(int status, const struct cl_https_records *records)
{
    if (status == ARES_ENOTFOUND || status == ARES_ENODATA ||
        (status == ARES_SUCCESS && records->num == 0)) {
        return "the name has no HTTPS record";
    }
    if (status != ARES_SUCCESS) {
        return "the name servers did not answer";
    }
    return records->num_usable == 0 ? "no HTTPS record is for this host and port by itself"
                                    : "the HTTPS record has no ECH configuration";
}

static void on_answer(void *arg, int status, int timeouts, unsigned char *bytes, int len)
{
    struct cl_https_query *q = arg;
    struct cl_https_records records = {0};
    struct cl_https_answer answer = {0};
    if (q->asking) {
        q->over = true;
        return;
    }
    if (status == ARES_SUCCESS &&
        !cl_https_parse(cl_rd_of(bytes, (size_t)len), q->host, q->port, &records)) {
        records = (struct cl_https_records){0};
    }
    answer.ech = records.ech;
    answer.failed = status != ARES_SUCCESS && status != ARES_ENOTFOUND && status != ARES_ENODATA;
    answer.reason = records.ech.len != 0 ? NULL : reason_of(status, &records);
    if (q->cb != NULL && status != ARES_EDESTRUCTION) {
        q->cb(q->ctx, &answer);
    }
    cl_free(q);
}

cl_result cl_https_ask(struct cl_dns *dns, const char *host, uint16_t port,
                       void (*cb)(void *ctx, const struct cl_https_answer *answer), void *ctx,
                       struct cl_https_query **out)
{
    char name[256];
    size_t len = strlen(host);
    if (len == 0 || len > 255 || !cl_https_name(host, port, name)) {
        return CLEAT_ERR_USAGE;
    }
    struct cl_https_query *q = cl_calloc(1, sizeof(*q));
    if (q == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    q->cb = cb;
    q->ctx = ctx;
    q->port = port;
    memcpy(q->host, host, len + 1);
    struct cl_dns_loop *loop = cl_dns_loop_of(dns);
    q->asking = true;
    ares_query(cl_dns_loop_channel(loop), name, CLASS_IN, TYPE_HTTPS, on_answer, q);
    q->asking = false;
    if (q->over) {
        cl_free(q);
        return CLEAT_ERR_USAGE;
    }
    cl_dns_loop_kick(loop);
    *out = q;
    return CL_OK;
}

void cl_https_cancel(struct cl_https_query *query)
{
    if (query != NULL) {
        query->cb = NULL;
    }
}

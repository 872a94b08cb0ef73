/* dns/https_parse.c - HTTPS records out of a DNS message (RFC 9460 2.2, 7, 8). What comes from the
 * network is read with cl_rd only. Names are host names here, of letters, digits, "-" and "_": they
 * are connected to, compared and printed. */
#include <stdio.h>

#include "base/text.h"
#include "dns/https.h"

/* RFC 9460 14.3.2: SvcParamKeys */
enum {
    KEY_MANDATORY,
    KEY_ALPN,
    KEY_NO_DEFAULT_ALPN,
    KEY_PORT,
    KEY_IPV4HINT,
    KEY_ECH,
    KEY_IPV6HINT,
    NUM_KEYS,
};
/* ---- parameters ---- */

struct record {
    uint16_t priority;
    struct cl_dns_name target;
    bool usable;
    bool has[NUM_KEYS];
    struct cl_rd mandatory;
    struct cl_rd alpn;
    uint16_t port;
    struct cl_rd ech;
};

/* RFC 9460 7.1.1: "alpn-id" "of 1 to 255 octets", at least one. */
static bool take_alpn(struct cl_rd value, struct record *out)
{
    struct cl_rd rest = value;
    struct cl_rd id;
    while (!cl_rd_done(&rest)) {
        if (!cl_rd_vec8(&rest, &id) || id.len == 0) {
            return false;
        }
    }
    out->alpn = value;
    return value.len != 0;
}

static bool take_param(uint16_t key, struct cl_rd value, struct record *out)
{
    switch (key) {
    case KEY_MANDATORY:
        out->mandatory = value;
        return value.len != 0 && value.len % 2 == 0;
    case KEY_ALPN:
        return take_alpn(value, out);
    case KEY_NO_DEFAULT_ALPN:
        return value.len == 0;
    case KEY_PORT:
        return cl_rd_u16(&value, &out->port) && cl_rd_done(&value);
    case KEY_IPV4HINT:
        return value.len != 0 && value.len % 4 == 0;
    case KEY_ECH:
        out->ech = value;
        return true;
    case KEY_IPV6HINT:
        return value.len != 0 && value.len % 16 == 0;
    default:
        return true;
    }
}

/* RFC 9460 8: keys in order, each of them there, "mandatory" not among them; one that is not known
 * makes the record unusable, but not malformed. */
static bool check_mandatory(struct cl_rd params, struct record *out)
{
    struct cl_rd list = out->mandatory;
    uint16_t wanted, key;
    long last = KEY_MANDATORY;
    while (cl_rd_u16(&list, &wanted)) {
        struct cl_rd rest = params;
        struct cl_rd value;
        bool found = false;
        while (!found && cl_rd_u16(&rest, &key) && cl_rd_vec16(&rest, &value)) {
            found = key == wanted;
        }
        if (!found || (long)wanted <= last) {
            return false;
        }
        last = wanted;
        out->usable = out->usable && wanted < NUM_KEYS;
    }
    return true;
}

static bool take_params(struct cl_rd params, struct record *out)
{
    struct cl_rd rest = params;
    long last = -1;
    while (!cl_rd_done(&rest)) {
        uint16_t key;
        struct cl_rd value;
        /* RFC 9460 2.2: "SvcParamKeys SHALL appear in increasing numeric order", none twice */
        if (!cl_rd_u16(&rest, &key) || !cl_rd_vec16(&rest, &value) || (long)key <= last ||
            !take_param(key, value, out)) {
            return false;
        }
        last = key;
        if (key < NUM_KEYS) {
            out->has[key] = true;
        }
    }
    /* RFC 9460 7.1.1: "When "no-default-alpn" is specified in an RR, "alpn" must also be specified
     * in order for the RR to be "self-consistent"" */
    out->usable = out->usable && (!out->has[KEY_NO_DEFAULT_ALPN] || out->has[KEY_ALPN]);
    return check_mandatory(params, out);
}

static bool parse_record(struct cl_rd data, struct record *out)
{
    *out = (struct record){.usable = true};
    if (!cl_rd_u16(&data, &out->priority) || !cl_dns_take_plain_name(&data, &out->target)) {
        return false;
    }
    out->usable = !out->target.odd;
    /* RFC 9460 2.4.2: in AliasMode "recipients MUST ignore any SvcParams that are present" */
    return out->priority == 0 || take_params(data, out);
}

/* ---- what this client can use ---- */

static bool speaks(const char *alpn, struct cl_rd id)
{
    while (*alpn != '\0') {
        const size_t len = strcspn(alpn, ",");
        if (cl_rd_equal(id, cl_rd_of(alpn, len))) {
            return true;
        }
        alpn += len + (alpn[len] == ',' ? 1 : 0);
    }
    return false;
}

/* RFC 9460 7.1.2: the SVCB ALPN set: the list, and the scheme's default unless no-default-alpn is
 * there; one protocol of it must be ours. */
static bool protocol_fits(const struct record *rec, const char *alpn)
{
    struct cl_rd list = rec->alpn;
    struct cl_rd id;
    bool fits = !rec->has[KEY_NO_DEFAULT_ALPN] && speaks(alpn, cl_rd_str("http/1.1"));
    while (!fits && cl_rd_vec8(&list, &id)) {
        fits = speaks(alpn, id);
    }
    return fits;
}

/* Keeps those of the best priorities, in order; equals in the order of the message. */
static void insert(struct cl_https_records *out, const struct cl_https_endpoint *e)
{
    size_t at = out->num_usable;
    while (at > 0 && out->usable[at - 1].priority > e->priority) {
        at--;
    }
    if (at == CL_HTTPS_MAX) {
        return;
    }
    const size_t last = out->num_usable < CL_HTTPS_MAX ? out->num_usable++ : CL_HTTPS_MAX - 1;
    memmove(&out->usable[at + 1], &out->usable[at], (last - at) * sizeof(*e));
    out->usable[at] = *e;
}

static void judge(const struct record *rec, const char *owner, const struct cl_https_origin *origin,
                  struct cl_https_records *out)
{
    out->num++;
    if (rec->priority == 0) {
        if (!rec->target.odd) {
            (void)snprintf(out->alias, sizeof(out->alias), "%s",
                           rec->target.len != 0 ? rec->target.text : ".");
        }
        return;
    }
    if (!rec->usable || !protocol_fits(rec, origin->alpn != NULL ? origin->alpn : "http/1.1")) {
        return;
    }
    struct cl_https_endpoint e = {
        .priority = rec->priority,
        .port = rec->has[KEY_PORT] ? rec->port : origin->port,
        .ech = rec->ech,
    };
    /* RFC 9460 2.5.2: "if TargetName has the value ".", then the owner name of this record MUST be
     * used as the effective TargetName" */
    (void)snprintf(e.target, sizeof(e.target), "%s",
                   rec->target.len != 0 ? rec->target.text : owner);
    if (e.port != 0) {
        insert(out, &e);
    }
}

/* ---- the message ---- */

bool cl_https_parse(struct cl_rd message, const char *name, const struct cl_https_origin *origin,
                    struct cl_https_records *out)
{
    const struct cl_rd whole = message;
    char owner[CL_DNS_NAME_SIZE];
    struct cl_dns_head head;
    *out = (struct cl_https_records){0};
    (void)snprintf(owner, sizeof(owner), "%s", name);
    if (!cl_dns_take_head(whole, &message, &head) ||
        !cl_dns_follow_cnames(whole, message, head.num_answers, owner)) {
        return false;
    }
    /* The origin's own question may have labels for the port in front; the host is what it is for.
     */
    char asked[CL_DNS_NAME_SIZE];
    const bool own = cl_https_name(origin->host, origin->port, asked) && strcmp(owner, asked) == 0;
    bool ok = true;
    for (uint16_t i = 0; ok && i < head.num_answers; i++) {
        struct cl_dns_record a;
        struct record rec;
        ok = cl_dns_take_record(whole, &message, &a);
        if (ok && cl_dns_record_is(&a, CL_DNS_TYPE_HTTPS, owner)) {
            ok = parse_record(a.data, &rec);
            if (ok) {
                judge(&rec, own ? origin->host : owner, origin, out);
            }
        }
    }
    if (!ok) {
        *out = (struct cl_https_records){0};
    }
    return ok;
}

bool cl_https_name(const char *host, uint16_t port, char out[CL_DNS_NAME_SIZE])
{
    int n = port == 443 ? snprintf(out, CL_DNS_NAME_SIZE, "%s", host)
                        : snprintf(out, CL_DNS_NAME_SIZE, "_%u._https.%s", (unsigned)port, host);
    return n > 0 && n < CL_DNS_NAME_SIZE;
}

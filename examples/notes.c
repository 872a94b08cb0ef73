/* notes.c - see notes.h. A handler's functions are called by cleat_http_dispatch, in the order of
 * struct cleat_http_handler; what one of them has to remember hangs at the exchange. */
#include "notes.h"

#include "host.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct note {
    unsigned id; /* 0: there is none here */
    unsigned version;
    bool is_json;
    size_t len;
    char *text;
};

static struct note notes[NOTES_MAX];
static unsigned last_id;

static struct note *find_note(struct cleat_http_view id)
{
    char text[12];
    snprintf(text, sizeof(text), "%.*s", id.len < sizeof(text) ? (int)id.len : 0, id.p);
    for (size_t i = 0; i < NOTES_MAX; i++) {
        char own[12];
        snprintf(own, sizeof(own), "%u", notes[i].id);
        if (notes[i].id != 0 && strcmp(own, text) == 0) {
            return &notes[i];
        }
    }
    return NULL;
}

/* ---- answering ---- */

static void reply(struct cleat_http_exchange *x, uint16_t status, const char *fields,
                  const char *body, size_t len)
{
    if (cleat_http_exchange_reply(x, status, fields, strlen(fields), body, len) != CLEAT_OK) {
        cleat_http_exchange_reset(x, CLEAT_H2_INTERNAL_ERROR); /* told by `gone` */
    }
}

static void say(struct cleat_http_exchange *x, uint16_t status, const char *text)
{
    reply(x, status, "Content-Type: text/plain\r\n", text, strlen(text));
}

static const char *type_of(const struct note *n)
{
    return n->is_json ? "application/json" : "text/plain; charset=utf-8";
}

static void etag_of(const struct note *n, char out[32])
{
    snprintf(out, 32, "\"%u-%u\"", n->id, n->version);
}

/* Does one of the entity tags of a field name this note? "*" names any. */
static bool names(const struct cleat_http_head *h, const char *field, const struct note *n)
{
    char etag[32];
    etag_of(n, etag);
    return cleat_http_has_token(h, field, etag) || cleat_http_has_token(h, field, "*");
}

/* If-Match (RFC 9110 13.1.1): not to overwrite what somebody else has changed meanwhile. */
static bool is_outdated(const struct cleat_http_head *h, const struct note *n)
{
    return cleat_http_find(h, "If-Match", NULL).p != NULL && !names(h, "If-Match", n);
}

/* ---- GET /notes ---- */

static void list_notes(const struct cleat_http_call *c)
{
    char text[NOTES_MAX * 64 + 8] = "[";
    size_t len = 1;
    for (size_t i = 0; i < NOTES_MAX; i++) {
        if (notes[i].id != 0) {
            len += (size_t)snprintf(
                text + len, sizeof(text) - len, "%s{\"id\":%u,\"version\":%u,\"length\":%zu}",
                len > 1 ? "," : "", notes[i].id, notes[i].version, notes[i].len);
        }
    }
    len += (size_t)snprintf(text + len, sizeof(text) - len, "]\n");
    reply(c->exchange, 200, "Content-Type: application/json\r\n", text, len);
}

/* ---- GET and DELETE /notes/{id} ---- */

static void get_note(const struct cleat_http_call *c)
{
    const struct note *n = find_note(cleat_http_match_get(c->match, "id"));
    char fields[128], etag[32];
    if (n == NULL) {
        say(c->exchange, 404, "There is no such note.\n");
        return;
    }
    etag_of(n, etag);
    snprintf(fields, sizeof(fields), "ETag: %s\r\nContent-Type: %s\r\n", etag, type_of(n));
    if (names(c->head, "If-None-Match", n)) {
        reply(c->exchange, 304, fields, NULL, 0);
        return;
    }
    reply(c->exchange, 200, fields, n->text, n->len);
}

static void forget(struct note *n)
{
    free(n->text);
    memset(n, 0, sizeof(*n));
}

static void delete_note(const struct cleat_http_call *c)
{
    struct note *n = find_note(cleat_http_match_get(c->match, "id"));
    if (n == NULL) {
        say(c->exchange, 404, "There is no such note.\n");
    } else if (is_outdated(c->head, n)) {
        say(c->exchange, 412, "The note has changed: get it again.\n");
    } else {
        forget(n);
        reply(c->exchange, 204, "", NULL, 0);
    }
}

/* ---- POST /notes and PUT /notes/{id}: a body is gathered, and then taken ---- */

struct upload {
    unsigned id; /* of the note that it is for; 0: a new one */
    unsigned version;
    bool is_json;
    size_t len, cap;
    char *text;
};

static void drop_upload(const struct cleat_http_call *c)
{
    struct upload *u = cleat_http_exchange_ctx(c->exchange);
    if (u != NULL) {
        free(u->text);
        free(u);
        cleat_http_exchange_set(c->exchange, NULL);
    }
}

static void begin_upload(const struct cleat_http_call *c, const struct note *n)
{
    const struct cleat_http_view type = cleat_http_find(c->head, "Content-Type", NULL);
    const bool is_json = cleat_http_has_token(c->head, "Content-Type", "application/json");
    if (type.p != NULL && !is_json &&
        !cleat_http_has_token(c->head, "Content-Type", "text/plain")) {
        reply(c->exchange, 415, "Accept: text/plain, application/json\r\n", NULL, 0);
        return;
    }
    struct upload *u = calloc(1, sizeof(*u));
    if (u == NULL) {
        say(c->exchange, 503, "Out of memory.\n");
        return;
    }
    u->is_json = is_json;
    u->id = n != NULL ? n->id : 0;
    u->version = n != NULL ? n->version : 0;
    cleat_http_exchange_set(c->exchange, u);
}

static void post_note(const struct cleat_http_call *c)
{
    begin_upload(c, NULL);
}

static void put_note(const struct cleat_http_call *c)
{
    const struct note *n = find_note(cleat_http_match_get(c->match, "id"));
    if (n == NULL) {
        say(c->exchange, 404, "There is no such note: POST to /notes makes one.\n");
    } else if (is_outdated(c->head, n)) {
        /* A client that waits for 100 Continue has not sent the body, and never will. */
        say(c->exchange, 412, "The note has changed: get it again.\n");
    } else {
        begin_upload(c, n);
    }
}

static void take_text(const struct cleat_http_call *c)
{
    struct upload *u = cleat_http_exchange_ctx(c->exchange);
    if (u == NULL) {
        return; /* it has been answered */
    }
    if (c->data_len > u->cap - u->len) { /* bounded by max_body of the route */
        const size_t cap = 2 * (u->len + c->data_len);
        char *more = realloc(u->text, cap);
        if (more == NULL) {
            say(c->exchange, 503, "Out of memory.\n");
            drop_upload(c);
            return;
        }
        u->text = more;
        u->cap = cap;
    }
    memcpy(u->text + u->len, c->data, c->data_len);
    u->len += c->data_len;
}

/* The note that is replaced, or a place for a new one. While the body came others were answered. */
static struct note *place_for(const struct upload *u)
{
    for (size_t i = 0; i < NOTES_MAX; i++) {
        if (notes[i].id == u->id) {
            return u->id == 0 || notes[i].version == u->version ? &notes[i] : NULL;
        }
    }
    return NULL;
}

static void end_upload(const struct cleat_http_call *c)
{
    struct upload *u = cleat_http_exchange_ctx(c->exchange);
    char fields[128], etag[32];
    if (u == NULL) {
        return;
    }
    struct note *n = place_for(u);
    if (n == NULL) {
        say(c->exchange, u->id == 0 ? 507 : 409,
            u->id == 0 ? "There is no room for another note.\n" : "The note has changed.\n");
        return;
    }
    free(n->text);
    *n = (struct note){.id = u->id != 0 ? u->id : ++last_id,
                       .version = u->version + 1,
                       .is_json = u->is_json,
                       .len = u->len,
                       .text = u->text};
    u->text = NULL;
    etag_of(n, etag);
    snprintf(fields, sizeof(fields), "ETag: %s\r\nLocation: /notes/%u\r\n", etag, n->id);
    reply(c->exchange, n->version == 1 ? 201 : 204, fields, NULL, 0);
}

/* ---- POST /digest: a body is looked at while it comes; what is found follows as a trailer ---- */

static void begin_digest(const struct cleat_http_call *c)
{
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    if (hash == NULL || EVP_DigestInit_ex(hash, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(hash);
        say(c->exchange, 503, "Out of memory.\n");
        return;
    }
    cleat_http_exchange_set(c->exchange, hash);
}

static void take_data(const struct cleat_http_call *c)
{
    EVP_DigestUpdate(cleat_http_exchange_ctx(c->exchange), c->data, c->data_len);
}

static void end_digest(const struct cleat_http_call *c)
{
    unsigned char digest[32];
    char hex[65], fields[64], trailer[96];
    size_t len = 0;
    struct cleat_http_exchange *x = c->exchange;
    if (cleat_http_exchange_ctx(x) == NULL ||
        EVP_DigestFinal_ex(cleat_http_exchange_ctx(x), digest, NULL) != 1) {
        return;
    }
    for (size_t i = 0; i < sizeof(digest); i++) {
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
    /* What the client says it is, as a trailer of its own. */
    if (c->head != NULL && cleat_http_find(c->head, "X-SHA-256", NULL).p != NULL &&
        !cleat_http_is(cleat_http_find(c->head, "X-SHA-256", NULL), hex)) {
        say(x, 422, "What came is not what was sent.\n");
        return;
    }
    const int fields_len = snprintf(fields, sizeof(fields), "X-Length: %llu\r\n",
                                    (unsigned long long)cleat_http_exchange_received(x));
    if (cleat_http_field_write(trailer, sizeof(trailer), &len, "X-SHA-256",
                               (struct cleat_http_view){hex, 64}) != CLEAT_OK ||
        cleat_http_exchange_respond(x, 200, fields, (size_t)fields_len, CLEAT_HTTP_LENGTH_UNKNOWN,
                                    false) != CLEAT_OK ||
        cleat_http_exchange_trailers(x, trailer, len) != CLEAT_OK) {
        cleat_http_exchange_reset(x, CLEAT_H2_INTERNAL_ERROR);
    }
}

static void drop_digest(const struct cleat_http_call *c)
{
    EVP_MD_CTX_free(cleat_http_exchange_ctx(c->exchange));
    cleat_http_exchange_set(c->exchange, NULL);
}

/* ---- GET /count/{to}: written as fast as the client takes it ---- */

struct count {
    unsigned long next, to;
    char text[4096]; /* of which [at, len) is still to be sent */
    size_t at, len;
};

static void write_count(const struct cleat_http_call *c)
{
    struct count *count = cleat_http_exchange_ctx(c->exchange);
    size_t taken;
    do {
        if (count->at == count->len) {
            count->at = count->len = 0;
            while (count->next <= count->to && count->len + 12 < sizeof(count->text)) {
                count->len +=
                    (size_t)snprintf(count->text + count->len, 12, "%lu\n", count->next++);
            }
        }
        if (cleat_http_exchange_write(c->exchange, count->text + count->at, count->len - count->at,
                                      count->next > count->to, &taken) != CLEAT_OK) {
            return; /* `done` or `gone` comes */
        }
        count->at += taken;
    } while (count->at == count->len && count->next <= count->to);
    /* Less was taken: `writable` is called when there is room. */
}

static void begin_count(const struct cleat_http_call *c)
{
    const struct cleat_http_view to = cleat_http_match_get(c->match, "to");
    struct count *count = calloc(1, sizeof(*count));
    for (size_t i = 0; count != NULL && i < to.len; i++) {
        if (to.p[i] < '0' || to.p[i] > '9' || to.len > 9) {
            free(count);
            say(c->exchange, 400, "A number of at most nine digits is needed.\n");
            return;
        }
        count->to = 10 * count->to + (unsigned long)(to.p[i] - '0');
    }
    if (count == NULL) {
        say(c->exchange, 503, "Out of memory.\n");
        return;
    }
    count->next = 1;
    cleat_http_exchange_set(c->exchange, count);
    static const char fields[] = "Content-Type: text/plain\r\n";
    if (cleat_http_exchange_respond(c->exchange, 200, fields, sizeof(fields) - 1,
                                    CLEAT_HTTP_LENGTH_UNKNOWN, false) == CLEAT_OK) {
        write_count(c);
    }
}

static void drop_count(const struct cleat_http_call *c)
{
    free(cleat_http_exchange_ctx(c->exchange));
}

/* ---- the table ---- */

static const struct cleat_http_handler list = {.request = list_notes};
static const struct cleat_http_handler get = {.request = get_note};
static const struct cleat_http_handler delete = {.request = delete_note};
static const struct cleat_http_handler post = {.request = post_note,
                                               .data = take_text,
                                               .end = end_upload,
                                               .done = drop_upload,
                                               .gone = drop_upload};
static const struct cleat_http_handler put = {.request = put_note,
                                              .data = take_text,
                                              .end = end_upload,
                                              .done = drop_upload,
                                              .gone = drop_upload};
static const struct cleat_http_handler digest = {.request = begin_digest,
                                                 .data = take_data,
                                                 .end = end_digest,
                                                 .done = drop_digest,
                                                 .gone = drop_digest};
static const struct cleat_http_handler count = {
    .request = begin_count, .writable = write_count, .done = drop_count, .gone = drop_count};

struct cleat_http_routes *notes_routes(void)
{
    static const struct cleat_http_route rows[] = {
        {.method = "GET", .path = "/notes", .handler = &list},
        {.method = "POST", .path = "/notes", .handler = &post, .max_body = NOTES_MAX_LEN},
        {.method = "GET", .path = "/notes/{id}", .handler = &get},
        {.method = "PUT", .path = "/notes/{id}", .handler = &put, .max_body = NOTES_MAX_LEN},
        {.method = "DELETE", .path = "/notes/{id}", .handler = &delete},
        {.method = "POST", .path = "/digest", .handler = &digest, .max_body = 1 << 30},
        {.method = "GET", .path = "/count/{to}", .handler = &count},
    };
    struct cleat_http_routes *routes;
    struct cleat_error error = {0};
    must(cleat_http_routes_new(rows, sizeof(rows) / sizeof(rows[0]), &routes, &error), &error);
    return routes;
}

void notes_free(void)
{
    for (size_t i = 0; i < NOTES_MAX; i++) {
        forget(&notes[i]);
    }
}

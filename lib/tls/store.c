/* tls/store.c - a client's sessions in memory, by name (cleat/session.h), and all of them as bytes.
 *
 * A list in order of use, searched from the front: stores hold hundreds of sessions, not millions.
 * Which session fits a connection is decided again when it is offered (cl_session_usable).
 */
#include <pthread.h>
#include <string.h>

#include "cleat/session.h"
#include "tls/session.h"
#include "tls/ticket.h"

/* 511: "host:port", a policy's name and a digest */
#define MAX_NAME     511
/* 100,000: a crawler's; each takes some 2 KB */
#define MAX_SESSIONS 100000
/* 16 MiB: what an import is willing to read */
#define MAX_BYTES    (16u << 20)
#define STORE_FORMAT 1

struct item {
    struct item *next; /* used longer ago */
    struct cleat_tls_session *session;
    char name[];
};

struct cleat_session_store {
    pthread_mutex_t lock;
    struct item *first;
    size_t num;
    size_t max;
};

int cleat_session_store_new(size_t max, struct cleat_session_store **out)
{
    if (max == 0 || max > MAX_SESSIONS) {
        return CLEAT_ERR_BAD_CONFIG;
    }
    struct cleat_session_store *store = cl_calloc(1, sizeof(*store));
    if (store == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    (void)pthread_mutex_init(&store->lock, NULL);
    store->max = max;
    *out = store;
    return CLEAT_OK;
}

static void item_free(struct item *item)
{
    cleat_tls_session_free(item->session);
    cl_free(item);
}

/* Takes the item at *at out of the list and frees it. */
static void drop(struct cleat_session_store *store, struct item **at)
{
    struct item *item = *at;
    *at = item->next;
    store->num--;
    item_free(item);
}

void cleat_session_store_free(struct cleat_session_store *store)
{
    if (store == NULL) {
        return;
    }
    while (store->first != NULL) {
        drop(store, &store->first);
    }
    (void)pthread_mutex_destroy(&store->lock);
    cl_free(store);
}

static struct item *item_new(struct cl_rd name, struct cleat_tls_session *session)
{
    struct item *item = cl_calloc(1, sizeof(*item) + name.len + 1);
    if (item != NULL) {
        memcpy(item->name, name.p, name.len);
        item->session = cleat_tls_session_ref(session);
    }
    return item;
}

/* With the lock held: puts the item first, then drops what is too many, of its name or at all. */
static void put_first(struct cleat_session_store *store, struct item *item)
{
    size_t of_name = 0;
    size_t n = 0;
    item->next = store->first;
    store->first = item;
    store->num++;
    for (struct item **at = &store->first; *at != NULL;) {
        bool same = strcmp((*at)->name, item->name) == 0;
        of_name += same;
        n++;
        if ((same && of_name > CLEAT_SESSION_STORE_PER_NAME) || n > store->max) {
            n--;
            drop(store, at);
            continue;
        }
        at = &(*at)->next;
    }
}

int cleat_session_store_put(struct cleat_session_store *store, const char *name,
                            struct cleat_tls_session *session)
{
    size_t len = strlen(name);
    if (len > MAX_NAME) {
        return CLEAT_ERR_USAGE;
    }
    struct item *item = item_new(cl_rd_of(name, len), session);
    if (item == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    (void)pthread_mutex_lock(&store->lock);
    put_first(store, item);
    (void)pthread_mutex_unlock(&store->lock);
    return CLEAT_OK;
}

struct cleat_tls_session *cleat_session_store_take(struct cleat_session_store *store,
                                                   const char *name, uint64_t now)
{
    struct cleat_tls_session *found = NULL;
    (void)pthread_mutex_lock(&store->lock);
    for (struct item **at = &store->first; *at != NULL && found == NULL;) {
        struct item *item = *at;
        if (!cl_session_alive(item->session, now)) {
            drop(store, at);
            continue;
        }
        if (strcmp(item->name, name) != 0) {
            at = &item->next;
            continue;
        }
        found = cleat_tls_session_ref(item->session);
        *at = item->next;
        if (cl_session_once(item->session)) {
            store->num--;
            item_free(item);
        } else {
            item->next = store->first;
            store->first = item;
        }
    }
    (void)pthread_mutex_unlock(&store->lock);
    return found;
}

static bool same_session(const struct cleat_tls_session *a, const struct cleat_tls_session *b)
{
    return cl_rd_equal(cl_buf_view(&a->ticket), cl_buf_view(&b->ticket)) &&
           cl_rd_equal(cl_rd_of(a->session_id, a->session_id_len),
                       cl_rd_of(b->session_id, b->session_id_len));
}

void cleat_session_store_drop(struct cleat_session_store *store,
                              const struct cleat_tls_session *session)
{
    (void)pthread_mutex_lock(&store->lock);
    for (struct item **at = &store->first; *at != NULL;) {
        if (same_session((*at)->session, session)) {
            drop(store, at);
        } else {
            at = &(*at)->next;
        }
    }
    (void)pthread_mutex_unlock(&store->lock);
}

size_t cleat_session_store_num(struct cleat_session_store *store)
{
    (void)pthread_mutex_lock(&store->lock);
    size_t num = store->num;
    (void)pthread_mutex_unlock(&store->lock);
    return num;
}

/* ---- as bytes: format, number of sessions, then name and session, each with its length ---- */

static size_t session_len(const struct cleat_tls_session *session)
{
    size_t len = 0;
    (void)cleat_tls_session_export(session, NULL, &len);
    return len;
}

static bool write_item(struct cl_wr *w, const struct item *item)
{
    size_t len = session_len(item->session);
    uint8_t *bytes = cl_alloc(len);
    bool ok = bytes != NULL && cleat_tls_session_export(item->session, bytes, &len) == CLEAT_OK;
    struct cl_wr_mark m = cl_wr_open16(w);
    cl_wr_view(w, cl_rd_str(item->name));
    cl_wr_close(w, m);
    m = cl_wr_open24(w);
    if (ok) {
        cl_wr_bytes(w, bytes, len);
    }
    cl_wr_close(w, m);
    cl_free_secret(bytes, len);
    return ok;
}

static int write_all(const struct cleat_session_store *store, uint64_t now, uint8_t *out,
                     size_t *len)
{
    size_t need = 5;
    uint32_t num = 0;
    bool ok = true;
    for (const struct item *i = store->first; i != NULL; i = i->next) {
        if (cl_session_alive(i->session, now)) {
            need += 2 + strlen(i->name) + 3 + session_len(i->session);
            num++;
        }
    }
    if (*len < need) {
        *len = need;
        return CLEAT_ERR_LIMIT;
    }
    struct cl_wr w = cl_wr_of(out, *len);
    cl_wr_u8(&w, STORE_FORMAT);
    cl_wr_u32(&w, num);
    for (const struct item *i = store->first; i != NULL; i = i->next) {
        ok = ok && (!cl_session_alive(i->session, now) || write_item(&w, i));
    }
    *len = w.len;
    return ok && cl_wr_ok(&w) ? CLEAT_OK : CLEAT_ERR_NOMEM;
}

int cleat_session_store_export(struct cleat_session_store *store, uint64_t now, uint8_t *out,
                               size_t *len)
{
    (void)pthread_mutex_lock(&store->lock);
    int r = write_all(store, now, out, len);
    (void)pthread_mutex_unlock(&store->lock);
    return r;
}

/* Appends what the bytes say to *last; the caller frees it if they turn out to be none. */
static int read_items(struct cl_rd r, struct item **last)
{
    uint8_t format;
    uint32_t num;
    if (r.len > MAX_BYTES || !cl_rd_u8(&r, &format) || format != STORE_FORMAT ||
        !cl_rd_u32(&r, &num) || num > MAX_SESSIONS) {
        return CLEAT_ERR_DECODE;
    }
    for (uint32_t i = 0; i < num; i++) {
        struct cl_rd name;
        struct cl_rd bytes;
        struct cleat_tls_session *session;
        if (!cl_rd_vec16(&r, &name) || !cl_rd_vec24(&r, &bytes) || name.len > MAX_NAME ||
            memchr(name.p, '\0', name.len) != NULL) {
            return CLEAT_ERR_DECODE;
        }
        int code = cleat_tls_session_import(bytes.p, bytes.len, &session);
        if (code != CLEAT_OK) {
            return code;
        }
        *last = item_new(name, session);
        cleat_tls_session_free(session);
        if (*last == NULL) {
            return CLEAT_ERR_NOMEM;
        }
        last = &(*last)->next;
    }
    return cl_rd_done(&r) ? CLEAT_OK : CLEAT_ERR_DECODE;
}

int cleat_session_store_import(struct cleat_session_store *store, const uint8_t *bytes, size_t len,
                               uint64_t now)
{
    struct item *items = NULL;
    struct item *reversed = NULL;
    int r = read_items(cl_rd_of(bytes, len), &items);
    /* the one used last comes first in the bytes, so it is put last */
    while (items != NULL) {
        struct item *item = items;
        items = item->next;
        item->next = reversed;
        reversed = item;
    }
    (void)pthread_mutex_lock(&store->lock);
    while (reversed != NULL) {
        struct item *item = reversed;
        reversed = item->next;
        if (r == CLEAT_OK && cl_session_alive(item->session, now)) {
            put_first(store, item);
        } else {
            item_free(item);
        }
    }
    (void)pthread_mutex_unlock(&store->lock);
    return r;
}

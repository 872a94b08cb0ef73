/* tests/tls/support_break.c - looking into what was told, records of our own, and messages that
 * break the protocol (support_tls.h). */
#include <string.h>

#include "tls/conn.h"
#include "tls/hook.h"
#include "tls/support_tls.h"

/* ---- what was told ---- */

size_t test_count_messages(const struct test_end *e, bool sent, uint8_t type)
{
    size_t num = 0;
    for (size_t i = 0; i < e->log.num_messages; i++) {
        num += e->log.messages[i].sent == sent && e->log.messages[i].type == type ? 1 : 0;
    }
    return num;
}

struct cl_rd test_message(const struct test_end *e, bool sent, uint8_t type, size_t nth)
{
    for (size_t i = 0; i < e->log.num_messages; i++) {
        if (e->log.messages[i].sent == sent && e->log.messages[i].type == type && nth-- == 0) {
            return cl_buf_view(&e->log.messages[i].bytes);
        }
    }
    fail_msg("no such message of type %u", type);
    return cl_rd_of(NULL, 0);
}

const struct cl_secret *test_secret(const struct test_end *e, const char *label)
{
    for (size_t i = 0; i < e->log.num_secrets; i++) {
        if (strcmp(e->log.secrets[i].label, label) == 0) {
            return &e->log.secrets[i].secret;
        }
    }
    fail_msg("no secret %s was told", label);
    return NULL;
}

bool test_log_has(const struct test_end *e, const char *text)
{
    return e->log.text.len != 0 &&
           memmem(e->log.text.p, e->log.text.len, text, strlen(text)) != NULL;
}

/* ---- records of our own ---- */

void test_sealer(struct cl_record_keys *keys, const struct test_end *e, const char *label)
{
    assert_int_equal(cl_record_keys_13(keys, e->tls->suite, test_secret(e, label), true), CL_OK);
}

void test_seal(struct cl_record_keys *keys, struct cl_buf *out, uint8_t type, const void *p,
               size_t len, size_t padding)
{
    uint8_t inner[CL_RECORD_MAX_CIPHER];
    uint8_t room[CL_RECORD_MAX_CIPHER + 64];
    struct cleat_tls_io io = {.out = room, .out_cap = sizeof(room)};
    assert_true(len + padding + 1 <= CL_RECORD_MAX_PLAIN + 1);
    memset(inner, 0, sizeof(inner));
    if (len != 0) {
        memcpy(inner, p, len);
    }
    if (padding == 0) {
        assert_int_equal(cl_record_seal(keys, type, cl_rd_of(inner, len), &io), CL_OK);
    } else {
        /* the type that sealing appends is the last octet of padding; ours goes in front */
        inner[len] = type;
        assert_int_equal(cl_record_seal(keys, 0, cl_rd_of(inner, len + padding), &io), CL_OK);
    }
    assert_int_equal(cl_buf_append(out, room, io.out_len, SIZE_MAX / 2), CL_OK);
}

void test_plain(struct cl_buf *out, uint8_t type, const void *p, size_t len)
{
    const uint8_t header[] = {type, 3, 3, (uint8_t)(len >> 8), (uint8_t)len};
    assert_int_equal(cl_buf_append(out, header, sizeof(header), SIZE_MAX / 2), CL_OK);
    assert_int_equal(cl_buf_append(out, p, len, SIZE_MAX / 2), CL_OK);
}

/* ---- edits ---- */

static void hook(void *ctx, struct cleat_tls *tls, uint8_t type, struct cl_buf *flight,
                 size_t start)
{
    struct test_edit *e = ctx;
    if (type == e->type && e->seen++ == e->skip) {
        e->edit(e, tls, flight, start);
    }
}

void test_builder_edit(struct cleat_tls_builder *b, struct test_edit *e)
{
    cl_tls_builder_message_hook(b, hook, e);
}

void test_buf_splice(struct cl_buf *b, size_t at, size_t remove, const void *p, size_t len)
{
    struct cl_buf tail = {0};
    assert_true(at + remove <= b->len);
    assert_int_equal(cl_buf_append(&tail, b->p + at + remove, b->len - at - remove, SIZE_MAX / 2),
                     CL_OK);
    b->len = at;
    assert_int_equal(cl_buf_append(b, p, len, SIZE_MAX / 2), CL_OK);
    assert_int_equal(cl_buf_append(b, tail.p, tail.len, SIZE_MAX / 2), CL_OK);
    cl_buf_deinit(&tail);
}

size_t test_ext_block(const struct cl_buf *flight, size_t start)
{
    const uint8_t *m = flight->p + start;
    size_t at = 4;
    switch (m[0]) {
    case CL_HT_CLIENT_HELLO:
        at += 34;
        at += 1U + m[at];
        at += 2U + (size_t)m[at] * 256 + m[at + 1];
        at += 1U + m[at];
        break;
    case CL_HT_SERVER_HELLO:
        at += 34;
        at += 1U + m[at] + 3;
        break;
    case CL_HT_ENCRYPTED_EXTENSIONS:
        break;
    case CL_HT_CERTIFICATE_REQUEST:
        at += 1;
        break;
    case CL_HT_CERTIFICATE: /* those of the first certificate */
        at += 1 + 3;
        at += 3U + ((size_t)m[at] << 16) + (size_t)m[at + 1] * 256 + m[at + 2];
        break;
    case CL_HT_NEW_SESSION_TICKET:
        at += 8;
        at += 1U + m[at];
        at += 2U + (size_t)m[at] * 256 + m[at + 1];
        break;
    default:
        fail_msg("message %u has no extensions", m[0]);
    }
    return start + at;
}

size_t test_ext_find(const struct cl_buf *flight, size_t start, uint16_t type)
{
    size_t block = test_ext_block(flight, start);
    struct cl_rd list;
    struct cl_rd all = cl_rd_of(flight->p + block, flight->len - block);
    assert_true(cl_rd_vec16(&all, &list));
    while (!cl_rd_done(&list)) {
        size_t at = (size_t)(list.p - flight->p);
        uint16_t t;
        struct cl_rd body;
        assert_true(cl_rd_u16(&list, &t) && cl_rd_vec16(&list, &body));
        if (t == type) {
            return at;
        }
    }
    return 0;
}

static void put16(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put24(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)(v >> 16);
    put16(p + 1, v);
}

void test_fix_lengths(struct cl_buf *flight, size_t start, int ext_change)
{
    uint8_t *m = flight->p + start;
    put24(m + 1, flight->len - start - 4);
    if (ext_change == 0) {
        return;
    }
    uint8_t *block = flight->p + test_ext_block(flight, start);
    put16(block, (size_t)((int)(block[0] * 256 + block[1]) + ext_change));
    if (m[0] == CL_HT_CERTIFICATE) {
        put24(m + 5, (size_t)((int)((m[5] << 16) + (m[6] << 8) + m[7]) + ext_change));
    }
}

void test_edit_body(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight, size_t start)
{
    struct cl_buf body = test_hex(e->hex);
    (void)tls;
    test_buf_splice(flight, start + 4, flight->len - start - 4, body.p, body.len);
    test_fix_lengths(flight, start, 0);
    cl_buf_deinit(&body);
}

static size_t remove_ext(struct cl_buf *flight, size_t start, uint16_t type)
{
    size_t at = test_ext_find(flight, start, type);
    if (at != 0) {
        size_t len = 4U + (size_t)flight->p[at + 2] * 256 + flight->p[at + 3];
        test_buf_splice(flight, at, len, NULL, 0);
        test_fix_lengths(flight, start, -(int)len);
    }
    return at;
}

void test_edit_ext_remove(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight,
                          size_t start)
{
    (void)tls;
    assert_true(remove_ext(flight, start, e->ext) != 0);
}

static void insert_ext(struct test_edit *e, struct cl_buf *flight, size_t start, size_t at)
{
    struct cl_buf body = test_hex(e->hex);
    uint8_t header[4];
    put16(header, e->ext);
    put16(header + 2, body.len);
    test_buf_splice(flight, at, 0, header, 4);
    test_buf_splice(flight, at + 4, 0, body.p, body.len);
    test_fix_lengths(flight, start, 4 + (int)body.len);
    cl_buf_deinit(&body);
}

void test_edit_ext_put(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight,
                       size_t start)
{
    (void)tls;
    size_t at = remove_ext(flight, start, e->ext);
    insert_ext(e, flight, start, at != 0 ? at : test_ext_block(flight, start) + 2);
}

void test_edit_ext_append(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight,
                          size_t start)
{
    (void)tls;
    size_t block = test_ext_block(flight, start);
    insert_ext(e, flight, start, block + 2 + (size_t)flight->p[block] * 256 + flight->p[block + 1]);
}

void test_edit_flip(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight, size_t start)
{
    (void)tls;
    assert_true(start + e->ext < flight->len);
    flight->p[start + e->ext] ^= 0xff;
}

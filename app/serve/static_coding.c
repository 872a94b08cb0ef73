/* serve/static_coding.c - see static_coding.h. */
#include "serve/static_coding.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "serve/mime.h"
#include "serve/static_path.h"

/* In the order of preference where the client has none. */
static const struct {
    enum cleat_coding coding;
    const char *suffix;
} variants[CL_STATIC_MAX_CODINGS] = {
    {CLEAT_CODING_BR, ".br"},
    {CLEAT_CODING_ZSTD, ".zst"},
    {CLEAT_CODING_GZIP, ".gz"},
};

static bool is_older(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

/* A regular file, opened by the rules of all files, with something in it, and not older than the
 * one that it stands for: that one may have been changed since. */
static int open_variant(const struct cl_static_found *file, const char *suffix, struct stat *st)
{
    char name[CLEAT_HTTP_MAX_TARGET + 300];
    int len = snprintf(name, sizeof(name), "%s%s", file->name, suffix);
    int fd = len > 0 && (size_t)len < sizeof(name) ? cl_static_open(file->root_fd, name) : -1;
    if (fd >= 0 && (fstat(fd, st) != 0 || !S_ISREG(st->st_mode) || st->st_size == 0 ||
                    is_older(&st->st_mtim, &file->st->st_mtim))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

struct found {
    int fd;
    struct stat st;
};

/* What could be sent, best first; those that lie there come before those that would be made. */
struct offer {
    enum cleat_coding list[2 * CL_STATIC_MAX_CODINGS];
    size_t num;
    struct found files[CLEAT_NUM_CODINGS];
};

static void look_for_files(const struct cl_static_found *file, struct offer *o)
{
    for (size_t i = 0; i < CL_STATIC_MAX_CODINGS; i++) {
        struct found *f = &o->files[variants[i].coding];
        f->fd = open_variant(file, variants[i].suffix, &f->st);
        if (f->fd >= 0) {
            o->list[o->num++] = variants[i].coding;
        }
    }
}

static bool may_compress(const struct cl_static_codings *codings,
                         const struct cl_static_found *file)
{
    return codings->num_compress > 0 && cl_mime_packing(file->type) == CL_MIME_TEXT &&
           file->st->st_size >= CL_ENCODED_MIN_FILE && file->st->st_size <= CL_ENCODED_MAX_FILE;
}

/* Takes the best of the offer; false: compressing has failed, and it is off the list now. */
static bool take(const struct cl_static_codings *codings, const struct cl_static_found *file,
                 const struct cleat_coding_weights *weights, struct offer *o,
                 struct cl_static_choice *out)
{
    out->acceptable = cleat_coding_choose(weights, o->list, o->num, &out->coding);
    struct found *f = &o->files[out->coding];
    if (!out->acceptable || out->coding == CLEAT_CODING_IDENTITY) {
        return true;
    }
    if (f->fd >= 0) {
        out->fd = f->fd;
        out->st = f->st;
        f->fd = -1;
        return true;
    }
    out->encoded = cl_encoded_get(codings->cache, file->fd, file->st, out->coding);
    size_t kept = 0;
    for (size_t i = 0; i < o->num; i++) {
        o->list[kept] = o->list[i];
        kept += o->list[i] != out->coding;
    }
    o->num = kept;
    return out->encoded != NULL;
}

void cl_static_choose(const struct cl_static_codings *codings, const struct cl_static_found *file,
                      const struct cleat_http_head *request, struct cl_static_choice *out)
{
    struct cleat_coding_weights weights;
    struct offer o = {.num = 0};
    const bool compresses = may_compress(codings, file);
    *out = (struct cl_static_choice){.acceptable = true, .fd = -1};
    if (!codings->precompressed && codings->num_compress == 0) {
        return;
    }
    for (size_t i = 0; i < CLEAT_NUM_CODINGS; i++) {
        o.files[i].fd = -1;
    }
    if (codings->precompressed && !file->plain && cl_mime_packing(file->type) != CL_MIME_PACKED) {
        look_for_files(file, &o);
    }
    out->varies = o.num > 0 || compresses;
    for (size_t i = 0; compresses && !file->as_it_is && i < codings->num_compress; i++) {
        o.list[o.num++] = codings->compress[i];
    }
    cleat_accept_encoding(&weights, request);
    while (!take(codings, file, &weights, &o, out)) {
    }
    for (size_t i = 0; i < CLEAT_NUM_CODINGS; i++) {
        if (o.files[i].fd >= 0) {
            close(o.files[i].fd);
        }
    }
}

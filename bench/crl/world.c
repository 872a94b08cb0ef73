/* bench/crl/world.c - the list, made anew for each run, in a file without a name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "bench/crl/crl.h"
#include "x509/build.h"
#include "x509/fields.h"

#define HOUR      3600
/* 52: an entry with a serial number of 16 bytes, a time and a reason */
#define MAX_ENTRY 52
/* 1 KiB: all but the entries */
#define MAX_FRAME 1024

/* A bijection of 64 bits (splitmix64): numbers that look random and never come twice. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    return x ^ x >> 31;
}

void bench_crl_serial(uint32_t n, bool listed, uint8_t out[BENCH_CRL_SERIAL])
{
    const uint64_t head = mix(2ull * n + listed);
    const uint64_t tail = mix(~head);
    for (size_t i = 0; i < 8; i++) {
        out[i] = (uint8_t)(head >> (56 - 8 * i));
        out[8 + i] = (uint8_t)(tail >> (56 - 8 * i));
    }
    out[0] = (uint8_t)((out[0] & 0x7f) | 0x40); /* positive, and of sixteen bytes */
}

static void put_entry(struct cl_wr *w, uint32_t n, int64_t now)
{
    uint8_t serial[BENCH_CRL_SERIAL];
    bench_crl_serial(n, true, serial);
    struct cl_der_mark entry = cl_der_open(w, CL_DER_SEQUENCE);
    cl_der_put(w, CL_DER_INTEGER, cl_rd_of(serial, sizeof(serial)));
    cl_der_put_time(w, now - (int64_t)n % 1000 * HOUR);
    if (n % 3 == 0) {
        static const uint8_t superseded[] = {0x0a, 1, 4};
        struct cl_der_mark exts = cl_der_open(w, CL_DER_SEQUENCE);
        struct cl_der_mark ext = cl_der_open(w, CL_DER_SEQUENCE);
        cl_der_put_oid_text(w, "2.5.29.21");
        cl_der_put(w, CL_DER_OCTET_STRING, cl_rd_of(superseded, sizeof(superseded)));
        cl_der_close(w, ext);
        cl_der_close(w, exts);
    }
    cl_der_close(w, entry);
}

static void put_tbs(struct cl_wr *w, const struct cleat_cert *ca, const struct cl_sig_alg *alg,
                    uint32_t num, int64_t now)
{
    struct cl_der_mark tbs = cl_der_open(w, CL_DER_SEQUENCE);
    cl_der_put_u32(w, 1);
    (void)!cl_alg_put(w, alg);
    cl_wr_view(w, ca->subject.der);
    cl_der_put_time(w, now - HOUR);
    cl_der_put_time(w, now + 24 * HOUR);
    struct cl_der_mark entries = cl_der_open(w, CL_DER_SEQUENCE);
    for (uint32_t i = 0; i < num; i++) {
        put_entry(w, i, now);
    }
    cl_der_close(w, entries);
    cl_der_close(w, tbs);
}

static bool sign(const struct cleat_key *key, const struct cl_sig_alg *alg, struct cl_rd message,
                 uint8_t *out, size_t cap, size_t *len)
{
    struct cl_job job = {
        .kind = CL_JOB_SIGN,
        .status = CL_JOB_PENDING,
        .sign = {
            .key = key, .alg = alg, .message = message, .signature = out, .signature_cap = cap}};
    cl_job_run(&job);
    *len = job.sign.signature_len;
    return job.result == CL_OK;
}

/* The list into a new file. */
static bool write_list(struct bench_crl_world *world, const struct cleat_key *key, uint32_t num)
{
    const size_t cap = MAX_FRAME + (size_t)num * MAX_ENTRY;
    const struct cl_sig_alg *alg = cl_sig_scheme(0x0403);
    uint8_t signature[100];
    size_t signature_len;
    FILE *file = tmpfile();
    uint8_t *tbs = malloc(cap);
    uint8_t *whole = malloc(cap);
    bool ok = file != NULL && tbs != NULL && whole != NULL;
    if (ok) {
        struct cl_wr w = cl_wr_of(tbs, cap);
        put_tbs(&w, world->ca, alg, num, (int64_t)time(NULL));
        const struct cl_rd message = cl_rd_of(tbs, w.len);
        ok = cl_wr_ok(&w) && sign(key, alg, message, signature, sizeof(signature), &signature_len);
        struct cl_wr out = cl_wr_of(whole, cap);
        struct cl_der_mark list = cl_der_open(&out, CL_DER_SEQUENCE);
        cl_wr_view(&out, message);
        ok = ok && cl_alg_put(&out, alg);
        if (ok) {
            cl_der_put_bits(&out, cl_rd_of(signature, signature_len), 0);
        }
        cl_der_close(&out, list);
        world->len = out.len;
        ok =
            ok && cl_wr_ok(&out) && fwrite(whole, 1, out.len, file) == out.len && fflush(file) == 0;
        world->fd = ok ? dup(fileno(file)) : -1;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    free(tbs);
    free(whole);
    return ok && world->fd >= 0;
}

bool bench_crl_world_make(struct bench_crl_world *world, uint32_t num_entries)
{
    static const uint8_t serial[] = {1};
    struct cleat_key *key = NULL;
    struct cl_buf der = {0};
    const int64_t now = (int64_t)time(NULL);
    *world = (struct bench_crl_world){.fd = -1};
    bool ok = cl_key_generate(&key, CL_KEY_EC_P256, 0) == CL_OK;
    if (ok) {
        const struct cl_cert_template t = {.common_name = "Bench CA",
                                           .spki = cl_key_spki(key),
                                           .serial = serial,
                                           .serial_len = sizeof(serial),
                                           .not_before = now - HOUR,
                                           .not_after = now + 24 * HOUR,
                                           .is_ca = true,
                                           .path_len = -1,
                                           .key_usage = CL_KU_KEY_CERT_SIGN | CL_KU_CRL_SIGN};
        ok = cl_cert_build(&der, &t, key, NULL) == CL_OK &&
             cl_cert_parse(&world->ca, cl_buf_view(&der), NULL) == CL_OK;
    }
    world->ca_der = cl_buf_view(&der); /* kept until bench_crl_world_drop */
    ok = ok && write_list(world, key, num_entries);
    if (!ok) {
        fprintf(stderr, "bench: cannot make a revocation list of %u entries\n", num_entries);
    }
    cleat_key_free(key);
    return ok;
}

void bench_crl_world_drop(struct bench_crl_world *world)
{
    struct cl_buf der = {.p = (uint8_t *)(uintptr_t)world->ca_der.p};
    cleat_cert_free(world->ca);
    cl_buf_deinit(&der);
    if (world->fd >= 0) {
        (void)close(world->fd);
    }
}

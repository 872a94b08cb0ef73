/* explain/made_pair.c - see made_pair.h. Files without a name: they go with the process. */
#include "explain/made_pair.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/pem.h"
#include "net/clock.h"
#include "x509/build.h"

#define DAY 86400

struct made {
    enum cl_key_type type;
    char cert[32];
    char key[32];
    struct cl_serve_pair pair;
};

/* The path of a nameless file with these bytes; it stays open. */
static bool put(const struct cl_buf *bytes, char path[32])
{
    const int fd = memfd_create("cleat-trial", MFD_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    (void)snprintf(path, 32, "/proc/self/fd/%d", fd);
    return fchmod(fd, S_IRUSR | S_IWUSR) == 0 &&
           write(fd, bytes->p, bytes->len) == (ssize_t)bytes->len;
}

static cl_result build(const struct cleat_key *key, struct cl_buf *pem)
{
    static const uint8_t serial[16] = {1};
    static const char *const name = "localhost";
    const int64_t now = (int64_t)(cl_clock_unix_ms() / 1000);
    const struct cl_cert_template t = {
        .common_name = name,
        .spki = cl_key_spki(key),
        .serial = serial,
        .serial_len = sizeof(serial),
        .not_before = now - DAY,
        .not_after = now + DAY,
        .path_len = -1,
        .dns_names = &name,
        .num_dns_names = 1,
        .key_usage = CL_KU_DIGITAL_SIGNATURE | CL_KU_KEY_ENCIPHERMENT,
        .ext_key_usage = CL_EKU_SERVER_AUTH,
    };
    struct cl_buf der = {0};
    cl_result r = cl_cert_build(&der, &t, key, NULL);
    if (r == CL_OK) {
        r = cl_pem_encode("CERTIFICATE", cl_buf_view(&der), pem);
    }
    cl_buf_deinit(&der);
    return r;
}

static bool make(struct made *m)
{
    struct cleat_key *key = NULL;
    struct cl_buf cert = {0};
    struct cl_buf secret = {0};
    bool made = cl_key_generate(&key, m->type, 2048) == CL_OK && build(key, &cert) == CL_OK &&
                cl_key_to_pem(key, &secret) == CL_OK && put(&cert, m->cert) && put(&secret, m->key);
    cleat_key_free(key);
    cl_buf_deinit(&cert);
    cl_buf_deinit(&secret);
    m->pair = (struct cl_serve_pair){.cert = m->cert, .key = m->key};
    return made;
}

const struct cl_serve_pair *cl_made_pair(enum cl_key_type type)
{
    static struct made all[4];
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (all[i].type == type) {
            return &all[i].pair;
        }
        if (all[i].type == CL_KEY_NONE) {
            all[i].type = type;
            if (make(&all[i])) {
                return &all[i].pair;
            }
            all[i].type = CL_KEY_NONE;
            return NULL;
        }
    }
    return NULL;
}

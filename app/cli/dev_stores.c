/* cli/dev_stores.c - see dev_stores.h: which stores, and what is told. */
#include "cli/dev_stores.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/pem.h"
#include "base/text.h"
#include "x509/cert.h"

static const struct {
    const char *name;
    unsigned bit;
    void (*change)(struct dev_stores *s);
} stores[] = {
    {"system", DEV_STORE_SYSTEM, dev_store_system},
    {"nss", DEV_STORE_NSS, dev_store_nss},
    {"java", DEV_STORE_JAVA, dev_store_java},
};

#define NUM_STORES (sizeof(stores) / sizeof(stores[0]))

bool dev_stores_which(const char *list, unsigned *out)
{
    *out = 0;
    while (list != NULL && *list != '\0') {
        const size_t len = strcspn(list, ",");
        size_t i = 0;
        while (i < NUM_STORES &&
               (strlen(stores[i].name) != len || strncmp(stores[i].name, list, len) != 0)) {
            i++;
        }
        if (i == NUM_STORES) {
            return false;
        }
        *out |= stores[i].bit;
        list += len + (list[len] == ',');
    }
    *out = *out != 0 ? *out : DEV_STORE_ALL;
    return true;
}

void dev_stores_done(struct dev_stores *s, const char *store, const char *path, const char *note)
{
    s->num_done++;
    (void)printf("  %-9s %s: %s\n", store, path, note);
}

void dev_stores_failed(struct dev_stores *s, const char *store, const char *path, const char *why,
                       const char *fix)
{
    s->num_failed++;
    (void)printf("  %-9s %s: NOT changed: %s\n", store, path, why);
    if (fix != NULL && fix[0] != '\0') {
        (void)printf("            %s\n", fix);
    }
}

bool dev_stores_same(const struct dev_stores *s, const struct cl_buf *text)
{
    struct cl_pem pem;
    struct cl_pem_block block;
    bool found = false;
    bool same = true;
    size_t num = 0;
    cl_pem_init(&pem, (const char *)text->p, text->len, NULL);
    while (same && cl_pem_next(&pem, &block, &found) == CL_OK && found) {
        struct cl_buf der = {0};
        same = cl_pem_decode(&pem, &block, &der, CL_CERT_MAX_LEN) == CL_OK &&
               cl_rd_equal(cl_buf_view(&der), cl_cert_der(s->ca->cert));
        cl_buf_deinit(&der);
        num++;
    }
    return same && num != 0;
}

/* Sixteen bytes of the fingerprint: another CA in the same folder later has another name. */
static void name_it(struct dev_stores *s)
{
    uint8_t digest[32];
    char hex[33];
    const struct cl_rd der = cl_cert_der(s->ca->cert);
    cl_hash_once(CL_HASH_SHA256, der.p, der.len, digest);
    cl_hex_encode(digest, 16, hex);
    (void)snprintf(s->nick, sizeof(s->nick), "Cleat dev CA %s", hex);
    (void)snprintf(s->stem, sizeof(s->stem), "cleat-dev-ca-%s", hex);
}

cl_result dev_stores_change(struct dev_stores *s, struct cleat_error *err)
{
    const char *user = getenv("SUDO_USER");
    name_it(s);
    if (cl_pem_encode("CERTIFICATE", cl_cert_der(s->ca->cert), &s->pem) != CL_OK) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_NOMEM}, "out of memory");
    }
    (void)printf("%s\n  %s\n\n", s->remove ? "Taking out of the trust stores" : "Trusting",
                 s->ca->cert_path);
    for (size_t i = 0; i < NUM_STORES; i++) {
        if ((s->which & stores[i].bit) != 0) {
            stores[i].change(s);
        }
    }
    if (s->num_done + s->num_failed == 0) {
        (void)printf("  there is no store that is known\n");
    }
    if (geteuid() == 0 && user != NULL && user[0] != '\0' && strcmp(user, "root") != 0 &&
        (s->which & DEV_STORE_NSS) != 0) {
        (void)printf("\nThe browsers of %s have stores of their own: run this again without sudo,\n"
                     "with --ca-dir if the CA is not %s's.\n",
                     user, user);
    }
    (void)printf("\n");
    cl_buf_deinit(&s->pem);
    return CL_OK;
}

/* cli/client_revocation.c - see client_revocation.h. */
#include "cli/client_revocation.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/get_codes.h"
#include "cli/mapped_list.h"
#include "cli/read_file.h"

/* 256 KiB: the longest response that the library takes */
#define MAX_RESPONSE (256u << 10)
/* SEQUENCE: what begins with it is DER, not PEM */
#define DER_SEQUENCE 0x30

/* ---- what was said ---- */

/* Sets what of --revocation's words is on; false: a word is not known, or there is none. */
static bool parse_sources(const char *text, bool *crl, bool *ocsp)
{
    *crl = *ocsp = false;
    if (strcmp(text, "off") == 0) {
        return true;
    }
    for (;;) {
        const size_t len = strcspn(text, ",");
        if (len == 3 && memcmp(text, "crl", len) == 0) {
            *crl = true;
        } else if (len == 4 && memcmp(text, "ocsp", len) == 0) {
            *ocsp = true;
        } else {
            return false;
        }
        if (text[len] == '\0') {
            return true;
        }
        text += len + 1;
    }
}

static int check_with_others(const struct client_options *o, const struct cl_usage *usage)
{
    const bool any = o->revocation != NULL || o->hard_fail || o->cert_status ||
                     o->crl_files.num != 0 || o->ocsp_responses.num != 0 || o->aia;
    const bool fetches =
        o->aia || o->hard_fail || (o->revocation != NULL && strcmp(o->revocation, "off") != 0);
    if (any && o->record != NULL) {
        return cl_options_complain(usage,
                                   "--record knows nothing of revocation, nor of --aia, so that a "
                                   "replay would judge otherwise: leave out one of the two");
    }
    if (o->aia && o->insecure) {
        return cl_options_complain(usage, "-k accepts any certificate: --aia is of no use with it");
    }
    if (o->revocation_timeout_ms != 0 && !fetches) {
        return cl_options_complain(usage, "--revocation-timeout is of no use when nothing is "
                                          "fetched: give --revocation crl,ocsp or --aia");
    }
    return 0;
}

int client_revocation_check(const struct client_options *o, const struct cl_usage *usage)
{
    bool crl = true, ocsp = true;
    const char *said = o->revocation;
    if (said != NULL && !parse_sources(said, &crl, &ocsp)) {
        return cl_options_complain(
            usage, "--revocation takes crl, ocsp, both with a comma between, or off, not '%s'",
            said);
    }
    const char *useless = o->hard_fail && !crl && !ocsp         ? "--hard-fail"
                          : o->crl_files.num != 0 && !crl       ? "--crlfile"
                          : o->ocsp_responses.num != 0 && !ocsp ? "--ocsp-response"
                          : o->cert_status && !ocsp             ? "--cert-status"
                                                                : NULL;
    if (useless != NULL) {
        return cl_options_complain(usage, "%s is of no use with --revocation %s", useless, said);
    }
    const char *other = o->insecure                ? "-k accepts any certificate"
                        : o->raw_key_pins.num != 0 ? "--raw-key-pin wants no certificate"
                        : o->psk != NULL           ? "--psk is for servers without a certificate"
                                                   : NULL;
    if (o->cert_status && other != NULL) {
        return cl_options_complain(
            usage, "%s, --cert-status wants one with a good OCSP response: give one of the two",
            other);
    }
    return check_with_others(o, usage);
}

/* ---- the files ---- */

static int bad_file(struct cleat_error *err, const char *what, const char *path,
                    const struct cleat_error *why)
{
    const struct cl_why reason = {.code = why->code,
                                  .hint = why->hint[0] != '\0' ? why->hint : NULL};
    (void)cl_error_set(err, reason, "cannot load the %s of %s: %s", what, path, why->text);
    return GET_EXIT_REVOCATION_FILE;
}

static int cannot_read(struct cleat_error *err, const char *what, const char *path,
                       const char *reason)
{
    struct cleat_error why = {0};
    (void)cl_error_set(&why, (struct cl_why){.code = CLEAT_ERR_SYSTEM}, "%s", reason);
    return bad_file(err, what, path, &why);
}

static int add_bytes(struct cleat_crl_set *set, struct cl_rd bytes, struct cleat_error *why)
{
    return bytes.len > 0 && bytes.p[0] == DER_SEQUENCE
               ? cleat_crl_set_add_der(set, bytes.p, bytes.len, why)
               : cleat_crl_set_add_pem(set, (const char *)bytes.p, bytes.len, why);
}

static int add_list(struct cleat_crl_set *set, const char *path, struct cleat_error *err)
{
    static const char what[] = "revocation list";
    struct cl_buf piped = {0};
    struct cleat_error why = {0};
    struct stat st;
    const char *reason = "";
    int r;
    int fd = strcmp(path, "-") != 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
        (size_t)st.st_size > MAPPED_LIST_MIN) {
        r = mapped_list_add(set, fd, (size_t)st.st_size, path, &why);
    } else if (cl_read_file(path, &piped, MAPPED_LIST_MIN, &reason)) {
        r = add_bytes(set, cl_buf_view(&piped), &why);
    } else {
        r = (int)cl_error_set(&why, (struct cl_why){.code = CLEAT_ERR_SYSTEM}, "%s", reason);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    cl_buf_deinit(&piped);
    return r == CLEAT_OK          ? 0
           : r == CLEAT_ERR_NOMEM ? GET_EXIT_NO_MEMORY
                                  : bad_file(err, what, path, &why);
}

static int add_response(struct cleat_ocsp_set *set, const char *path, struct cleat_error *err)
{
    static const char what[] = "OCSP response";
    struct cl_buf der = {0};
    struct cleat_error why = {0};
    const char *reason = "";
    int code = 0;
    if (!cl_read_file(path, &der, MAX_RESPONSE, &reason)) {
        code = cannot_read(err, what, path, reason);
    } else if (der.len == 0 || der.p[0] != DER_SEQUENCE) {
        code = cannot_read(err, what, path, "it is not DER, as responders send it");
    } else {
        int r = cleat_ocsp_set_add(set, der.p, der.len, &why);
        code = r == CLEAT_OK          ? 0
               : r == CLEAT_ERR_NOMEM ? GET_EXIT_NO_MEMORY
                                      : bad_file(err, what, path, &why);
    }
    cl_buf_deinit(&der);
    return code;
}

static int open_files(const struct client_options *o, struct client_revocation *out,
                      struct cleat_error *err)
{
    if ((o->crl_files.num != 0 && cleat_crl_set_new(&out->crls) != CLEAT_OK) ||
        (o->ocsp_responses.num != 0 && cleat_ocsp_set_new(&out->ocsp) != CLEAT_OK)) {
        return GET_EXIT_NO_MEMORY;
    }
    int code = 0;
    for (size_t i = 0; code == 0 && i < o->crl_files.num; i++) {
        code = add_list(out->crls, o->crl_files.items[i], err);
    }
    for (size_t i = 0; code == 0 && i < o->ocsp_responses.num; i++) {
        code = add_response(out->ocsp, o->ocsp_responses.items[i], err);
    }
    return code;
}

int client_revocation_open(const struct client_options *o, struct client_revocation *out,
                           struct cleat_error *err)
{
    bool crl = true, ocsp = true;
    *out = (struct client_revocation){0};
    if (o->revocation != NULL) {
        (void)parse_sources(o->revocation, &crl, &ocsp);
    }
    int code = open_files(o, out, err);
    const bool files = out->crls != NULL || out->ocsp != NULL;
    const bool look = o->revocation != NULL ? crl || ocsp : files;
    /* Who names sources, or wants certainty and gives nothing, wants them asked. */
    out->fetch = o->revocation != NULL ? crl || ocsp : o->hard_fail && !files;
    out->options = (struct cleat_revocation_options){
        .mode = o->hard_fail ? CLEAT_REVOCATION_REQUIRED
                : look       ? CLEAT_REVOCATION_IF_KNOWN
                             : CLEAT_REVOCATION_OFF,
        .from_crls = crl ? CLEAT_SOURCE_USED : CLEAT_SOURCE_OFF,
        .from_ocsp = ocsp ? CLEAT_SOURCE_USED : CLEAT_SOURCE_OFF,
        .crls = out->crls,
        .ocsp = out->ocsp,
        .staple_required = o->cert_status,
    };
    return code;
}

void client_revocation_close(struct client_revocation *r)
{
    cleat_crl_set_free(r->crls);
    cleat_ocsp_set_free(r->ocsp);
    *r = (struct client_revocation){0};
}

int client_revocation_exit(const struct client_options *o, int exit_code,
                           const struct cleat_error *err)
{
    const bool of_status =
        err->code == CLEAT_ERR_REVOKED || err->code == CLEAT_ERR_REVOCATION_UNKNOWN;
    return o->cert_status && exit_code == GET_EXIT_VERIFY && of_status ? GET_EXIT_CERT_STATUS
                                                                       : exit_code;
}

/* cli/dev_ca.c - the CA's folder: find, lock, load, make. */
#include "cli/dev_ca.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/data_path.h"
#include "cli/read_file.h"
#include "net/save.h"
#include "x509/build.h"
#include "base/pem.h"

/* 64 KiB: a certificate or key of ours has 2 */
#define MAX_FILE 65536
#define DAY      86400

static cl_result fail(struct cleat_error *err, const char *doing, const char *path, const char *why)
{
    return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_SYSTEM}, "cannot %s %s: %s", doing,
                        path, why);
}

/* ---- files ---- */

bool dev_ca_default_folder(char *out, size_t cap)
{
    const char *folder = getenv("CLEAT_CA_DIR");
    folder = folder != NULL && folder[0] != '\0' ? folder : getenv("CAROOT");
    if (folder == NULL || folder[0] == '\0') {
        return cl_data_path("cleat/ca", out, cap);
    }
    int n = snprintf(out, cap, "%s", folder);
    return n > 0 && (size_t)n < cap;
}

static cl_result make_folders(const char *folder, struct cleat_error *err)
{
    const int failure = cl_save_folder(folder);
    return failure == 0 ? CL_OK
                        : fail(err, "make the folder", folder,
                               folder[0] == '\0' ? "its name is empty" : strerror(failure));
}

cl_result dev_file_write(const char *path, struct cl_rd text, unsigned mode,
                         struct cleat_error *err)
{
    const mode_t mask = umask(077); /* it can only be read by setting it */
    (void)umask(mask);
    const int failure = cl_save_path(path, text, (mode_t)mode & ~mask);
    return failure == 0 ? CL_OK : fail(err, "write", path, strerror(failure));
}

/* ---- load ---- */

static cl_result load_cert(struct dev_ca *ca, struct cleat_error *err)
{
    struct cl_buf pem = {0};
    struct cleat_chain *chain = NULL;
    const char *why = "";
    cl_result r;
    if (!cl_read_file(ca->cert_path, &pem, MAX_FILE, &why)) {
        r = fail(err, "read", ca->cert_path, why);
    } else {
        r = (cl_result)cleat_chain_from_pem((const char *)pem.p, pem.len, &chain, err);
    }
    if (r == CL_OK) {
        ca->cert = cleat_cert_ref(cleat_chain_at(chain, 0));
    }
    cleat_chain_free(chain);
    cl_buf_deinit(&pem);
    return r;
}

static cl_result load_key(struct dev_ca *ca, struct cleat_error *err)
{
    struct cl_buf pem = {0};
    const char *why = "";
    cl_result r;
    if (!cl_read_file(ca->key_path, &pem, MAX_FILE, &why)) {
        r = fail(err, "read", ca->key_path, why);
    } else {
        r = (cl_result)cleat_key_from_pem((const char *)pem.p, pem.len, &ca->key, err);
    }
    cl_buf_deinit(&pem);
    return r;
}

/* Who else may have read the key, or put a CA of his own there, is trusted by nobody. */
static cl_result check_private(const struct dev_ca *ca, const char *folder, struct cleat_error *err)
{
    struct stat dir;
    struct stat key;
    char hint[DEV_PATH_SIZE + 64];
    const bool has_key = stat(ca->key_path, &key) == 0;
    if (stat(folder, &dir) != 0) {
        return fail(err, "look at", folder, strerror(errno));
    }
    if (geteuid() != 0 && dir.st_uid != geteuid() && dir.st_uid != 0) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG},
                            "the folder %s belongs to another user", folder);
    }
    if ((dir.st_mode & S_IWOTH) != 0 ||
        ((dir.st_mode & S_IWGRP) != 0 && dir.st_gid != getegid() && dir.st_gid != 0)) {
        (void)snprintf(hint, sizeof(hint), "chmod 700 '%s'", folder);
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG, .hint = hint},
                            "others can write into the folder %s (mode %04o)", folder,
                            (unsigned)dir.st_mode & 07777u);
    }
    if (has_key && (key.st_mode & 077) != 0) {
        (void)snprintf(hint, sizeof(hint),
                       "chmod 600 '%s', if nobody can have read it; else make a new CA",
                       ca->key_path);
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG, .hint = hint},
                            "others can read the CA's key %s (mode %04o)", ca->key_path,
                            (unsigned)key.st_mode & 07777u);
    }
    return CL_OK;
}

static cl_result check(const struct dev_ca *ca, int64_t now, struct cleat_error *err)
{
    const struct cl_why why = {.code = CLEAT_ERR_BAD_CONFIG,
                               .hint = "move that folder away: a new CA is made at the next use"};
    if (ca->key != NULL && !cl_rd_equal(cl_cert_spki(ca->cert), cl_key_spki(ca->key))) {
        return cl_error_set(err, why, "the key %s does not belong to the CA %s", ca->key_path,
                            ca->cert_path);
    }
    if (!cleat_cert_is_ca(ca->cert)) {
        return cl_error_set(err, why, "%s is not the certificate of a CA", ca->cert_path);
    }
    if (cleat_cert_not_after(ca->cert) <= now + DAY) {
        return cl_error_set(err, why, "the CA %s has expired, or does so within a day",
                            ca->cert_path);
    }
    return CL_OK;
}

/* ---- make ---- */

/* 64 bytes: the upper bound of a common name (RFC 5280 appendix A) */
#define NAME_SIZE 65

/* Whose CA it is: somebody will meet the name in a list of trusted CAs years from now. Some digits
 * of the serial number make it the only one of its name: NSS takes certificates of one subject for
 * one thing. */
static void owner_name(const uint8_t serial[16], char out[NAME_SIZE])
{
    char host[24] = "localhost";
    const struct passwd *user = getpwuid(getuid());
    if (gethostname(host, sizeof(host)) != 0 || host[0] == '\0') {
        (void)snprintf(host, sizeof(host), "localhost");
    }
    host[sizeof(host) - 1] = '\0';
    (void)snprintf(out, NAME_SIZE, "Cleat dev CA %.20s@%s %02x%02x%02x",
                   user != NULL ? user->pw_name : "user", host, serial[1], serial[2], serial[3]);
}

static cl_result build_ca(struct dev_ca *ca, int64_t now, struct cl_buf *der,
                          struct cleat_error *err)
{
    char name[NAME_SIZE];
    uint8_t serial[16];
    CL_TRY(cl_rand(&cl_rng_system, serial, sizeof(serial)));
    owner_name(serial, name);
    CL_TRY(cl_key_generate(&ca->key, CL_KEY_EC_P256, 0));
    struct cl_cert_template tpl = {
        .common_name = name,
        .organization = "Cleat development CA",
        .spki = cl_key_spki(ca->key),
        .serial = serial,
        .serial_len = sizeof(serial),
        .not_before = now - DEV_BACKDATE,
        .not_after = now + (int64_t)DEV_CA_DAYS * DAY,
        .is_ca = true,
        .path_len = 0,
        .key_usage = CL_KU_KEY_CERT_SIGN | CL_KU_CRL_SIGN,
    };
    CL_TRY(cl_cert_build(der, &tpl, ca->key, err));
    return cl_cert_parse(&ca->cert, cl_buf_view(der), err);
}

static cl_result create(struct dev_ca *ca, int64_t now, struct cleat_error *err)
{
    struct cl_buf der = {0}, cert_pem = {0}, key_pem = {0};
    cl_result r = build_ca(ca, now, &der, err);
    if (r == CL_OK) {
        r = cl_pem_encode("CERTIFICATE", cl_buf_view(&der), &cert_pem);
    }
    if (r == CL_OK) {
        r = cl_key_to_pem(ca->key, &key_pem);
    }
    /* The certificate comes last: a folder that has one has the key as well. */
    if (r == CL_OK) {
        r = dev_file_write(ca->key_path, cl_buf_view(&key_pem), 0600, err);
    }
    if (r == CL_OK) {
        r = dev_file_write(ca->cert_path, cl_buf_view(&cert_pem), 0644, err);
    }
    ca->created = r == CL_OK;
    cl_buf_deinit(&der);
    cl_buf_deinit(&cert_pem);
    cl_buf_deinit(&key_pem);
    return r;
}

static bool is_missing(const char *path)
{
    return access(path, F_OK) != 0 && errno == ENOENT;
}

static cl_result open_locked(struct dev_ca *ca, const char *folder, enum dev_ca_use use,
                             int64_t now, struct cleat_error *err)
{
    CL_TRY(check_private(ca, folder, err));
    if (is_missing(ca->cert_path)) {
        return create(ca, now, err);
    }
    CL_TRY(load_cert(ca, err));
    if (use == DEV_CA_SIGN || !is_missing(ca->key_path)) {
        CL_TRY(load_key(ca, err));
    }
    return check(ca, now, err);
}

/* Our own names, unless the folder is mkcert's. */
static bool name_files(struct dev_ca *ca, const char *folder)
{
    static const char *const names[][2] = {{"ca.pem", "ca-key.pem"},
                                           {"rootCA.pem", "rootCA-key.pem"}};
    for (size_t i = 2; i-- > 0;) {
        const int n = snprintf(ca->cert_path, sizeof(ca->cert_path), "%s/%s", folder, names[i][0]);
        const int k = snprintf(ca->key_path, sizeof(ca->key_path), "%s/%s", folder, names[i][1]);
        if (n < 0 || k < 0 || (size_t)k >= sizeof(ca->key_path)) {
            return false;
        }
        if (i > 0 && !is_missing(ca->cert_path)) {
            char own[DEV_PATH_SIZE];
            (void)snprintf(own, sizeof(own), "%s/%s", folder, names[0][0]);
            if (is_missing(own)) {
                return true;
            }
        }
    }
    return true;
}

static cl_result open_folder(struct dev_ca *ca, const char *folder, enum dev_ca_use use,
                             int64_t now, struct cleat_error *err)
{
    CL_TRY(make_folders(folder, err));
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return fail(err, "open the folder", folder, strerror(errno));
    }
    cl_result r = flock(fd, LOCK_EX) == 0 ? open_locked(ca, folder, use, now, err)
                                          : fail(err, "lock the folder", folder, strerror(errno));
    (void)close(fd);
    return r;
}

cl_result dev_ca_open(struct dev_ca *ca, const char *folder, enum dev_ca_use use, int64_t now,
                      struct cleat_error *err)
{
    memset(ca, 0, sizeof(*ca));
    if (!name_files(ca, folder)) {
        return fail(err, "use the folder", folder, "its name is too long");
    }
    cl_result r = use != DEV_CA_FORGET        ? open_folder(ca, folder, use, now, err)
                  : is_missing(ca->cert_path) ? CL_OK
                                              : load_cert(ca, err);
    if (r != CL_OK) {
        (void)cl_error_set(err, (struct cl_why){.code = r}, "the CA in %s: %s", folder,
                           cleat_error_sentence((int)r));
    }
    return r;
}

void dev_ca_deinit(struct dev_ca *ca)
{
    cleat_cert_free(ca->cert);
    cleat_key_free(ca->key);
    memset(ca, 0, sizeof(*ca));
}

/* cli/cert_dev.c - `cleat cert dev`: leaves from the local CA, as mkcert makes them, and that CA in
 * the trust stores of this machine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cert.h"
#include "cli/cert_items.h"
#include "cli/cert_names.h"
#include "cli/cli.h"
#include "cli/dev_stores.h"
#include "cli/key_type.h"
#include "cli/options.h"
#include "net/clock.h"

enum {
    CA_DIR = 1,
    OUT_DIR,
    CERT_FILE,
    KEY_FILE,
    P12_FILE,
    P12,
    KEY_TYPE,
    DAYS,
    CLIENT,
    INSTALL,
    UNINSTALL,
    CAROOT,
    HELP
};

static const struct cl_option options[] = {
    {CERT_FILE, 0, "cert-file", "FILE", "write the certificate to FILE"},
    {KEY_FILE, 0, "key-file", "FILE", "write its private key to FILE"},
    {P12, 0, "p12", NULL, "write both as PKCS#12 instead, password \"" DEV_P12_PASSWORD "\""},
    {P12, 0, "pkcs12", NULL, NULL},
    {P12_FILE, 0, "p12-file", "FILE", "to that file"},
    {OUT_DIR, 0, "out-dir", "DIR", "where files go that have no name of their own (.)"},
    {KEY_TYPE, 0, "key-type", "TYPE",
     "p256 (the default), p384, ed25519, rsa2048, … as cert key has them"},
    {CLIENT, 0, "client", NULL, "for a client, not for a server"},
    {DAYS, 0, "days", "N", "valid for N days, at most 397 (the default)"},
    {0, 0, "The CA", NULL, NULL},
    {INSTALL, 0, "install", NULL,
     "have it trusted on this machine: system, Chromium, Firefox,\nJava ($JAVA_HOME)"},
    {UNINSTALL, 0, "uninstall", NULL, "take it out of these stores again"},
    {CAROOT, 0, "CAROOT", NULL, "print its folder"},
    {CA_DIR, 0, "ca-dir", "DIR",
     "its folder, made at first use ($CLEAT_CA_DIR, $CAROOT, or\n~/.local/share/cleat/ca)"},
    {HELP, 'h', "help", NULL, "print this text"},
};

static const struct cl_usage usage = {
    .command = "cert dev",
    .synopsis = "[OPTION]... NAME...\n"
                "--install|--uninstall [--ca-dir DIR]\n"
                "--CAROOT",
    .about =
        "Makes a certificate for development, signed by a CA on this machine. Names are DNS names\n"
        "(also \"*.example.test\"), IP addresses and mailboxes. Whoever has the CA's key can\n"
        "impersonate every site to those who trust the CA: it stays on this machine.",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .examples = "  cleat cert dev --install\n"
                "  cleat cert dev localhost 127.0.0.1 ::1\n"
                "  cleat cert dev --out-dir certs '*.app.test' app.test\n"
                "  cleat cert dev --client alice@example.test",
};

struct dev {
    struct dev_leaf leaf;
    const char *names[CERT_MAX_NAMES + 1];
    const char *ca_dir, *out_dir, *cert_file, *key_file, *p12_file;
    bool help, install, uninstall, caroot, p12;
};

static int set_key_type(struct dev *dev, const struct cl_options *o)
{
    const struct key_type *type;
    const int code = key_type_set(&type, o);
    if (code == 0) {
        dev->leaf.key_type = type->type;
        dev->leaf.rsa_bits = type->bits;
    }
    return code;
}

static int set_days(struct dev *dev, const struct cl_options *o)
{
    long days;
    if (!cl_options_number(o, 1, DEV_LEAF_DAYS, &days)) {
        return CL_EXIT_USAGE;
    }
    dev->leaf.days = (int)days;
    return 0;
}

static int set(struct dev *dev, int id, const struct cl_options *o)
{
    const char **texts[] = {[CA_DIR] = &dev->ca_dir,
                            [OUT_DIR] = &dev->out_dir,
                            [CERT_FILE] = &dev->cert_file,
                            [KEY_FILE] = &dev->key_file,
                            [P12_FILE] = &dev->p12_file};
    bool *flags[] = {[P12] = &dev->p12,         [CLIENT] = &dev->leaf.client,
                     [INSTALL] = &dev->install, [UNINSTALL] = &dev->uninstall,
                     [CAROOT] = &dev->caroot,   [HELP] = &dev->help};
    switch (id) {
    case CL_OPTIONS_OPERAND:
        if (dev->leaf.num_names == CERT_MAX_NAMES) {
            return cl_options_complain(&usage, "more than %d names", CERT_MAX_NAMES);
        }
        dev->names[dev->leaf.num_names++] = o->value;
        return 0;
    case KEY_TYPE:
        return set_key_type(dev, o);
    case DAYS:
        return set_days(dev, o);
    case P12:
    case CLIENT:
    case INSTALL:
    case UNINSTALL:
    case CAROOT:
    case HELP:
        *flags[id] = true;
        return 0;
    case CA_DIR:
    case OUT_DIR:
    case CERT_FILE:
    case KEY_FILE:
    case P12_FILE:
        *texts[id] = o->value;
        dev->p12 = dev->p12 || id == P12_FILE;
        return 0;
    default:
        return CL_EXIT_USAGE;
    }
}

/* ---- file names ---- */

/* As mkcert: "example.test+2.pem" for a leaf of three names, "_wildcard.example.test-key.pem". */
static bool file_name(const struct dev *dev, const char *suffix, char out[DEV_PATH_SIZE])
{
    char more[24] = "", name[300];
    size_t at = 0;
    for (const char *p = dev->names[0]; *p != '\0' && at + 10 < sizeof(name); p++) {
        if (*p == '*') {
            at += (size_t)snprintf(name + at, sizeof(name) - at, "_wildcard");
        } else {
            name[at++] = strchr("/:\\", *p) != NULL ? '_' : *p;
        }
    }
    name[at] = '\0';
    if (dev->leaf.num_names > 1) {
        (void)snprintf(more, sizeof(more), "+%zu", dev->leaf.num_names - 1);
    }
    int n = snprintf(out, DEV_PATH_SIZE, "%s/%s%s%s%s", dev->out_dir != NULL ? dev->out_dir : ".",
                     name, more, dev->leaf.client ? "-client" : "", suffix);
    return n > 0 && n < DEV_PATH_SIZE;
}

/* ---- what to tell ---- */

static void print_day(int64_t t)
{
    char text[32];
    struct tm tm;
    time_t seconds = (time_t)t;
    if (gmtime_r(&seconds, &tm) != NULL && strftime(text, sizeof(text), "%Y-%m-%d", &tm) > 0) {
        (void)fputs(text, stdout);
    }
}

static void tell_ca(const struct dev_ca *ca)
{
    if (!ca->created) {
        return;
    }
    (void)printf("Made a local CA, valid until ");
    print_day(cleat_cert_not_after(ca->cert));
    (void)printf("\n  certificate  %s\n  private key  %s  (keep it secret)\n\n", ca->cert_path,
                 ca->key_path);
}

static void tell_next(const struct dev *dev, const struct dev_ca *ca, const char *cert_path,
                      const char *key_path)
{
    const char *name = dev->names[0];
    if (dev->leaf.client) {
        (void)printf("Next\n  show it     cleat get --cert %s --key %s URL\n"
                     "  trust it    give the server %s as its clients' CA\n",
                     cert_path, key_path, ca->cert_path);
        return;
    }
    bool is_v6 = strchr(name, ':') != NULL;
    (void)printf("Next\n  serve with  cleat serve --cert %s --key %s\n", cert_path, key_path);
    if (name[0] != '*') {
        (void)printf("  fetch with  curl --cacert %s https://%s%s%s:8443/\n", ca->cert_path,
                     is_v6 ? "[" : "", name, is_v6 ? "]" : "");
    }
    if (!dev->install) {
        (void)printf("  browsers    cleat cert dev --install%s%s (once per CA)\n",
                     dev->ca_dir != NULL ? " --ca-dir " : "",
                     dev->ca_dir != NULL ? dev->ca_dir : "");
    }
}

struct paths {
    char cert[DEV_PATH_SIZE], key[DEV_PATH_SIZE], p12[DEV_PATH_SIZE];
};

static void tell(const struct dev *dev, const struct dev_ca *ca, const struct paths *paths,
                 int64_t not_after)
{
    (void)printf("Made a certificate for ");
    for (size_t i = 0; i < dev->leaf.num_names; i++) {
        (void)printf("%s%s", i > 0 ? ", " : "", dev->names[i]);
    }
    (void)printf(" (%s), valid until ", cl_key_type_name(dev->leaf.key_type));
    print_day(not_after);
    if (dev->p12) {
        (void)printf("\n  PKCS#12      %s  (password \"%s\")\n", paths->p12, DEV_P12_PASSWORD);
        return;
    }
    (void)printf("\n  certificate  %s\n  private key  %s\n\n", paths->cert, paths->key);
    tell_next(dev, ca, paths->cert, paths->key);
}

/* ---- the whole ---- */

static bool take_path(const struct dev *dev, const char *given, const char *suffix,
                      char out[DEV_PATH_SIZE])
{
    return given != NULL ? (size_t)snprintf(out, DEV_PATH_SIZE, "%s", given) < DEV_PATH_SIZE
                         : file_name(dev, suffix, out);
}

static cl_result make(const struct dev *dev, const struct dev_ca *ca, int64_t now,
                      struct cleat_error *err)
{
    struct paths paths;
    struct dev_made made = {0};
    if (!take_path(dev, dev->cert_file, ".pem", paths.cert) ||
        !take_path(dev, dev->key_file, "-key.pem", paths.key) ||
        !take_path(dev, dev->p12_file, ".p12", paths.p12)) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG},
                            "the file's name would be too long: use --cert-file and --key-file");
    }
    cl_result r = dev_leaf_make(ca, &dev->leaf, now, &made, err);
    if (r == CL_OK) {
        r = dev->p12 ? dev_made_p12(&made, ca, dev->names[0], paths.p12, err)
                     : dev_made_files(&made, paths.cert, paths.key, err);
    }
    if (r == CL_OK) {
        tell(dev, ca, &paths, made.not_after);
    }
    dev_made_deinit(&made);
    return r;
}

/* 1 when a store could not be changed. */
static cl_result change_stores(const struct dev *dev, const struct dev_ca *ca, unsigned which,
                               unsigned *num_failed, struct cleat_error *err)
{
    struct dev_stores stores = {.ca = ca, .which = which, .remove = dev->uninstall};
    CL_TRY(dev_stores_change(&stores, err));
    *num_failed = stores.num_failed;
    return CL_OK;
}

static cl_result run(const struct dev *dev, const char *folder, unsigned which,
                     unsigned *num_failed, struct cleat_error *err)
{
    const int64_t now = (int64_t)(cl_clock_unix_ms() / 1000);
    struct dev_ca ca;
    cl_result r = dev_ca_open(&ca, folder,
                              dev->uninstall             ? DEV_CA_FORGET
                              : dev->leaf.num_names != 0 ? DEV_CA_SIGN
                                                         : DEV_CA_TRUST,
                              now, err);
    if (r == CL_OK) {
        tell_ca(&ca);
    }
    if (r == CL_OK && ca.cert == NULL) {
        (void)printf("There is no CA in %s: nothing to take out\n", folder);
    } else if (r == CL_OK && (dev->install || dev->uninstall)) {
        r = change_stores(dev, &ca, which, num_failed, err);
    }
    if (r == CL_OK && dev->leaf.num_names != 0) {
        r = make(dev, &ca, now, err);
    }
    dev_ca_deinit(&ca);
    return r;
}

static int check_usage(const struct dev *dev)
{
    const bool names = dev->leaf.num_names != 0;
    if (dev->uninstall && (dev->install || names)) {
        return cl_options_complain(&usage, "--uninstall stands alone");
    }
    if (dev->p12 && (dev->cert_file != NULL || dev->key_file != NULL)) {
        return cl_options_complain(&usage, "with --p12 there is one file: --p12-file");
    }
    if (!names && !dev->install && !dev->uninstall && !dev->caroot) {
        return cl_options_complain(&usage, "no name given");
    }
    return 0;
}

static int find_folder(const struct dev *dev, char folder[DEV_PATH_SIZE])
{
    if (dev->ca_dir == NULL) {
        return dev_ca_default_folder(folder, DEV_PATH_SIZE)
                   ? 0
                   : cl_options_complain(&usage, "no home folder: give --ca-dir");
    }
    return (size_t)snprintf(folder, DEV_PATH_SIZE, "%s", dev->ca_dir) < DEV_PATH_SIZE
               ? 0
               : cl_options_complain(&usage, "the name of the CA's folder is too long");
}

static int work(struct dev *dev)
{
    struct cleat_error err = {0};
    char folder[DEV_PATH_SIZE];
    const char *list = getenv("TRUST_STORES");
    unsigned which;
    unsigned num_failed = 0;
    int code = check_usage(dev);
    if (code != 0 || (code = find_folder(dev, folder)) != 0) {
        return code;
    }
    if (!dev_stores_which(list, &which)) {
        return cl_options_complain(&usage, "TRUST_STORES is '%s': system, java and nss are known",
                                   list);
    }
    if (dev->caroot) {
        (void)printf("%s\n", folder);
        return CL_EXIT_OK;
    }
    dev->leaf.names = dev->names;
    if (run(dev, folder, which, &num_failed, &err) != CL_OK) {
        return cert_tool_complain(usage.command, &err);
    }
    return num_failed == 0 ? CL_EXIT_OK : CL_EXIT_FAILURE;
}

int cert_dev_run(int argc, char **argv)
{
    struct dev dev = {.leaf = {.key_type = CL_KEY_EC_P256, .days = DEV_LEAF_DAYS}};
    struct cl_options o;
    int id, code = 0;
    cl_options_init(&o, &usage, argc, argv);
    while (code == 0 && (id = cl_options_next(&o)) != CL_OPTIONS_END) {
        code = set(&dev, id, &o);
    }
    if (code == 0 && dev.help) {
        cl_options_help(&usage, stdout);
        return CL_EXIT_OK;
    }
    return code != 0 ? code : work(&dev);
}

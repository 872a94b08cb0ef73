/* cli/cert_dev.c - `cleat cert dev`: leaves from the local CA, as mkcert makes them. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/cert.h"
#include "cli/cert_names.h"
#include "cli/cli.h"
#include "cli/dev_ca.h"
#include "cli/key_type.h"
#include "cli/options.h"
#include "net/clock.h"

enum { CA_DIR = 1, OUT_DIR, CERT_FILE, KEY_FILE, KEY_TYPE, DAYS, CLIENT, HELP };

static const struct cl_option options[] = {
    {CERT_FILE, 0, "cert-file", "FILE", "write the certificate to FILE"},
    {KEY_FILE, 0, "key-file", "FILE", "write its private key to FILE"},
    {OUT_DIR, 0, "out-dir", "DIR", "where files go that have no name of their own (.)"},
    {KEY_TYPE, 0, "key-type", "TYPE",
     "p256 (the default), p384, ed25519, rsa2048, … as cert key has them"},
    {CLIENT, 0, "client", NULL, "for a client, not for a server"},
    {DAYS, 0, "days", "N", "valid for N days, at most 397 (the default)"},
    {CA_DIR, 0, "ca-dir", "DIR",
     "the CA's folder, made at first use ($CLEAT_CA_DIR, or\n~/.local/share/cleat/ca)"},
    {HELP, 'h', "help", NULL, "print this text"},
};

static const struct cl_usage usage = {
    .command = "cert dev",
    .synopsis = "[OPTION]... NAME...",
    .about =
        "Makes a certificate for development, signed by a CA on this machine. Names are DNS names\n"
        "(also \"*.example.test\"), IP addresses and mailboxes. Whoever has the CA's key can\n"
        "impersonate every site to those who trust the CA: it stays on this machine.",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .examples = "  cleat cert dev localhost 127.0.0.1 ::1\n"
                "  cleat cert dev --out-dir certs '*.app.test' app.test\n"
                "  cleat cert dev --client alice@example.test",
};

struct dev {
    struct dev_leaf leaf;
    const char *names[CERT_MAX_NAMES + 1];
    const char *ca_dir, *out_dir, *cert_file, *key_file;
    bool help;
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
                            [KEY_FILE] = &dev->key_file};
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
    case CLIENT:
        dev->leaf.client = true;
        return 0;
    case HELP:
        dev->help = true;
        return 0;
    case CA_DIR:
    case OUT_DIR:
    case CERT_FILE:
    case KEY_FILE:
        *texts[id] = o->value;
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
    (void)printf(
        "  Chromium    certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n 'Cleat dev CA' -i %s\n"
        "              (once per CA; certutil is in Debian's libnss3-tools)\n",
        ca->cert_path);
}

static void tell(const struct dev *dev, const struct dev_ca *ca, const char *cert_path,
                 const char *key_path, int64_t not_after)
{
    tell_ca(ca);
    (void)printf("Made a certificate for ");
    for (size_t i = 0; i < dev->leaf.num_names; i++) {
        (void)printf("%s%s", i > 0 ? ", " : "", dev->names[i]);
    }
    (void)printf(" (%s), valid until ", cl_key_type_name(dev->leaf.key_type));
    print_day(not_after);
    (void)printf("\n  certificate  %s\n  private key  %s\n\n", cert_path, key_path);
    tell_next(dev, ca, cert_path, key_path);
}

/* ---- the whole ---- */

static cl_result make(const struct dev *dev, const char *ca_dir, struct cleat_error *err)
{
    char cert_name[DEV_PATH_SIZE], key_name[DEV_PATH_SIZE];
    const char *cert_path = dev->cert_file != NULL ? dev->cert_file : cert_name;
    const char *key_path = dev->key_file != NULL ? dev->key_file : key_name;
    int64_t now = (int64_t)(cl_clock_unix_ms() / 1000), not_after = 0;
    struct cl_buf cert_pem = {0}, key_pem = {0};
    struct dev_ca ca;
    if (!file_name(dev, ".pem", cert_name) || !file_name(dev, "-key.pem", key_name)) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG},
                            "the file's name would be too long: use --cert-file and --key-file");
    }
    cl_result r = dev_ca_open(&ca, ca_dir, now, err);
    if (r == CL_OK) {
        r = dev_leaf_make(&ca, &dev->leaf, now, &cert_pem, &key_pem, &not_after, err);
    }
    if (r == CL_OK) {
        r = dev_file_write(key_path, cl_buf_view(&key_pem), 0600, err);
    }
    if (r == CL_OK) {
        r = dev_file_write(cert_path, cl_buf_view(&cert_pem), 0644, err);
    }
    if (r == CL_OK) {
        tell(dev, &ca, cert_path, key_path, not_after);
    }
    cl_buf_deinit(&cert_pem);
    cl_buf_deinit(&key_pem);
    dev_ca_deinit(&ca);
    return r;
}

int cert_dev_run(int argc, char **argv)
{
    struct dev dev = {.leaf = {.key_type = CL_KEY_EC_P256, .days = DEV_LEAF_DAYS}};
    struct cl_options o;
    struct cleat_error err = {0};
    char folder[DEV_PATH_SIZE];
    int id, code = 0;
    cl_options_init(&o, &usage, argc, argv);
    while (code == 0 && (id = cl_options_next(&o)) != CL_OPTIONS_END) {
        code = set(&dev, id, &o);
    }
    if (code != 0) {
        return code;
    }
    if (dev.help) {
        cl_options_help(&usage, stdout);
        return CL_EXIT_OK;
    }
    if (dev.leaf.num_names == 0) {
        return cl_options_complain(&usage, "no name given");
    }
    if (dev.ca_dir == NULL && !dev_ca_default_folder(folder, sizeof(folder))) {
        return cl_options_complain(&usage, "no home folder: give --ca-dir");
    }
    dev.leaf.names = dev.names;
    if (make(&dev, dev.ca_dir != NULL ? dev.ca_dir : folder, &err) != CL_OK) {
        (void)fprintf(stderr, "cleat cert dev: %s\n", err.text);
        if (err.hint[0] != '\0') {
            (void)fprintf(stderr, "  hint: %s\n", err.hint);
        }
        return CL_EXIT_FAILURE;
    }
    return CL_EXIT_OK;
}

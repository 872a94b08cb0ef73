/* cli/cert_sign.c - `cleat cert sign`: a small CA. Of a request its key, its names and must-staple
 * are taken over; what a certificate may be used for is the CA's decision alone. Revocation lists
 * are made in sign_crl.c. */
#include <stdio.h>
#include <string.h>

#include "cli/cert.h"
#include "cli/cert_items.h"
#include "cli/cli.h"
#include "cli/dev_ca.h"
#include "cli/options.h"
#include "cli/sign_ca.h"
#include "cli/time_option.h"
#include "net/clock.h"
#include "x509/csr.h"
#include "x509/gname.h"
#include "x509/name.h"

#define DAY      86400
/* 36,500 days: a hundred years; what is longer is a slip of the finger */
#define MAX_DAYS 36500
/* 1,825 days: five years, as step and the WebPKI's intermediates */
#define CA_DAYS  1825
/* 1,024: real ones have less than a hundred */
#define MAX_URL  1024
/* RFC 3986 2 */
#define URL_CHARACTERS \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?#[]@!$&'()*+,;=%"

enum {
    CA = 1,
    CA_KEY,
    PASSIN,
    CSR,
    SERVER,
    CLIENT,
    INTERMEDIATE,
    ROOT,
    PATH_LEN,
    DAYS,
    CRL_URL,
    OCSP_URL,
    ISSUER_URL,
    CRL,
    FROM,
    REVOKE,
    SINCE,
    RELEASE,
    ONLY,
    DER,
    OUTPUT,
    FORCE,
    HELP
};

static const struct cl_option options[] = {
    {CA, 0, "ca", "FILE", "the CA's certificate"},
    {CA_KEY, 0, "ca-key", "FILE", "its private key"},
    CERT_PASSIN_ROW(PASSIN),
    {CSR, 0, "csr", "FILE", "the request; - is standard input"},
    {SERVER, 0, "server", NULL, "for a server (the default)"},
    {CLIENT, 0, "client", NULL, "for a client; with --server for both"},
    {INTERMEDIATE, 0, "intermediate", NULL, "for a CA below this one"},
    {ROOT, 0, "root", NULL, "for a CA of its own: self-signed with --ca-key, without --ca"},
    {PATH_LEN, 0, "path-len", "N", "CAs below the new one (default: 0; of a root, no limit)"},
    {DAYS, 0, "days", "N",
     "valid for N days, at most as long as the CA\n(default: 397; of a CA 1825, of a root 3650; of "
     "a list 30)"},
    {CRL_URL, 0, "crl-url", "URL", "where the certificate's revocation list will be"},
    {OCSP_URL, 0, "ocsp-url", "URL", "where an OCSP responder answers for it"},
    {ISSUER_URL, 0, "issuer-url", "URL", "where the CA's certificate is, in DER"},
    {CRL, 0, "crl", NULL, "make a revocation list instead"},
    {FROM, 0, "from", "FILE", "carry on that list, the last one: its entries stay"},
    {REVOKE, 0, "revoke", "FILE|SERIAL[:REASON]",
     "revoke that certificate (keyCompromise, superseded, …);\nrepeat for more"},
    {SINCE, 0, "since", "TIME", "not to be trusted since TIME: of the last --revoke"},
    {RELEASE, 0, "release", "FILE|SERIAL", "take it off the list: it was on hold"},
    {ONLY, 0, "only", "user|ca",
     "the list is for end entities alone, or for CAs alone;\nwith --crl-url for those with that "
     "URL alone"},
    {DER, 0, "der", NULL, "write DER, not PEM"},
    {OUTPUT, 'o', "output", "FILE", "write to FILE (default: print it)"},
    {FORCE, 0, "force", NULL, "write over FILE if there is one"},
    {HELP, 'h', "help", NULL, "print this text"},
};

static const struct cl_usage usage = {
    .command = "cert sign",
    .synopsis = "[OPTION]... --ca FILE --ca-key FILE --csr FILE\n"
                "--root [OPTION]... --ca-key FILE --csr FILE\n"
                "--crl [OPTION]... --ca FILE --ca-key FILE",
    .about =
        "Signs the certificate that a request asks for. Its key, its names and must-staple are\n"
        "taken over, nothing else; the request's own signature is checked first. Or makes the\n"
        "list of what the CA has revoked.",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .examples =
        "  cleat cert csr --new-key ca-key.pem --common-name 'Example CA' -o ca.csr\n"
        "  cleat cert sign --root --ca-key ca-key.pem --csr ca.csr -o ca.pem\n"
        "  cleat cert sign --ca ca.pem --ca-key ca-key.pem --csr server.csr -o server.pem\n"
        "  cleat cert sign --crl --ca ca.pem --ca-key ca-key.pem -o ca.crl\n"
        "  cleat cert sign --crl --ca ca.pem --ca-key ca-key.pem --from ca.crl -o ca.crl \\\n"
        "      --revoke server.pem:keyCompromise",
};

struct wish {
    const char *ca, *ca_key, *passin, *csr, *output, *crl_url, *ocsp_url, *issuer_url;
    bool server, client, intermediate, root, force, crl, der;
    long path_len, days;  /* -1 and 0: the default */
    struct sign_crl list; /* what --crl alone has */
};

struct signing {
    const struct wish *wish;
    struct sign_ca ca; /* of a root the key alone */
    struct cl_csr *csr;
    int64_t now, begin, end; /* Unix seconds */
};

static bool *flag_of(struct wish *w, int id)
{
    bool *flags[] = {
        [SERVER] = &w->server, [CLIENT] = &w->client, [INTERMEDIATE] = &w->intermediate,
        [ROOT] = &w->root,     [CRL] = &w->crl,       [DER] = &w->der,
        [FORCE] = &w->force};
    return (size_t)id < sizeof(flags) / sizeof(flags[0]) ? flags[id] : NULL;
}

static const char **text_of(struct wish *w, int id)
{
    const char **texts[] = {[CA] = &w->ca,
                            [CA_KEY] = &w->ca_key,
                            [CSR] = &w->csr,
                            [OUTPUT] = &w->output,
                            [CRL_URL] = &w->crl_url,
                            [OCSP_URL] = &w->ocsp_url,
                            [ISSUER_URL] = &w->issuer_url,
                            [FROM] = &w->list.from};
    return (size_t)id < sizeof(texts) / sizeof(texts[0]) ? texts[id] : NULL;
}

static int add_change(struct sign_crl *list, const struct cl_options *o, bool release)
{
    if (list->num_changes == SIGN_MAX_CHANGES) {
        return cl_options_complain(&usage, "more than %d certificates at once", SIGN_MAX_CHANGES);
    }
    list->changes[list->num_changes++] =
        (struct sign_change){.what = o->value, .since = INT64_MIN, .release = release};
    return 0;
}

static int take_list_option(struct sign_crl *list, int id, const struct cl_options *o)
{
    switch (id) {
    case REVOKE:
    case RELEASE:
        return add_change(list, o, id == RELEASE);
    case SINCE:
        if (list->num_changes == 0 || list->changes[list->num_changes - 1].release) {
            return cl_options_complain(&usage, "--since stands behind the --revoke that it is of");
        }
        return time_option_set(&list->changes[list->num_changes - 1].since, o);
    default:
        list->only_user = strcmp(o->value, "user") == 0;
        list->only_ca = strcmp(o->value, "ca") == 0;
        return list->only_user || list->only_ca
                   ? 0
                   : cl_options_complain(&usage, "--only takes user or ca, not '%s'", o->value);
    }
}

static int take(void *ctx, int id, const struct cl_options *o)
{
    struct wish *w = ctx;
    switch (id) {
    case PASSIN:
        return cert_pass_set(&w->passin, o);
    case DAYS:
        return cl_options_number(o, 1, MAX_DAYS, &w->days) ? 0 : CL_EXIT_USAGE;
    case PATH_LEN:
        return cl_options_number(o, 0, 100, &w->path_len) ? 0 : CL_EXIT_USAGE;
    case REVOKE:
    case RELEASE:
    case SINCE:
    case ONLY:
        return take_list_option(&w->list, id, o);
    case CL_OPTIONS_OPERAND:
        return cl_options_complain(&usage, "'%s' is too much: names come from the request",
                                   o->value);
    default:
        break;
    }
    const char **text = id > 0 ? text_of(w, id) : NULL;
    bool *flag = id > 0 ? flag_of(w, id) : NULL;
    if (text != NULL) {
        *text = o->value;
        return 0;
    }
    if (flag == NULL) {
        return CL_EXIT_USAGE;
    }
    *flag = true;
    return 0;
}

/* RFC 5280 4.2.1.13 and 4.2.2.1: absolute, and of a kind that clients fetch. */
static int check_urls(const struct wish *w)
{
    const char *urls[] = {w->crl_url, w->ocsp_url, w->issuer_url};
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        const char *url = urls[i];
        const size_t head = url == NULL                        ? 0
                            : strncmp(url, "http://", 7) == 0  ? 7
                            : strncmp(url, "https://", 8) == 0 ? 8
                                                               : 0;
        if (url == NULL) {
            continue;
        }
        if (head == 0 || url[head] == '\0' || strlen(url) > MAX_URL ||
            strspn(url, URL_CHARACTERS) != strlen(url)) {
            return cl_options_complain(&usage, "'%s' is no URL that begins with http://", url);
        }
        if (head == 8) {
            (void)fprintf(stderr,
                          "cleat cert sign: note: %s: many clients fetch such things over http:// "
                          "alone (RFC 5280 8)\n",
                          url);
        }
    }
    return 0;
}

static int check_list_usage(const struct wish *w)
{
    if (w->csr != NULL || w->root || w->intermediate || w->server || w->client ||
        w->path_len >= 0 || w->ocsp_url != NULL || w->issuer_url != NULL) {
        return cl_options_complain(&usage, "--crl signs no certificate: it goes with --from, "
                                           "--revoke, --release, --only, --crl-url and --days");
    }
    if (w->ca == NULL || w->ca_key == NULL) {
        return cl_options_complain(&usage, "%s is missing", w->ca == NULL ? "--ca" : "--ca-key");
    }
    return 0;
}

static int check_usage(struct wish *w)
{
    const bool is_ca = w->intermediate || w->root;
    const struct sign_crl *list = &w->list;
    if (w->crl) {
        return check_list_usage(w);
    }
    if (list->from != NULL || list->num_changes != 0 || list->only_user || list->only_ca) {
        return cl_options_complain(&usage, "--from, --revoke, --release and --only go with --crl");
    }
    if (w->csr == NULL || w->ca_key == NULL || (w->ca == NULL && !w->root)) {
        return cl_options_complain(&usage, "%s is missing",
                                   w->csr == NULL      ? "--csr"
                                   : w->ca_key == NULL ? "--ca-key"
                                                       : "--ca (or --root)");
    }
    if ((w->root && (w->ca != NULL || w->intermediate)) || (is_ca && (w->server || w->client))) {
        return cl_options_complain(
            &usage, "a CA is neither server nor client, and a root has no CA above it");
    }
    if (w->root && (w->crl_url != NULL || w->ocsp_url != NULL || w->issuer_url != NULL)) {
        return cl_options_complain(&usage, "nobody looks whether a root was revoked: no URL");
    }
    if (w->path_len >= 0 && !is_ca) {
        return cl_options_complain(&usage, "--path-len is for --intermediate and --root");
    }
    w->server = w->server || (!w->client && !is_ca);
    return 0;
}

/* ---- is it to be signed? ---- */

static cl_result check_ca(const struct signing *s, struct cleat_error *err)
{
    const struct cleat_cert *ca = s->ca.cert;
    if (s->wish->intermediate && ca->path_len >= 0 &&
        ca->path_len < 1 + (s->wish->path_len > 0 ? s->wish->path_len : 0)) {
        return sign_refuse(err, "RFC 5280 4.2.1.9", s->wish->ca,
                           "its path length does not allow such a CA below it", NULL);
    }
    return CL_OK;
}

/* The forms of names that clients compare; what is in a request was written by a stranger. */
static cl_result check_names(const struct signing *s, struct cleat_error *err)
{
    struct cl_rd rest = s->csr->wanted.san;
    struct cl_gname name;
    struct cl_rd local;
    struct cl_rd domain;
    while (cl_gname_next(&rest, &name)) {
        if ((name.kind == CLEAT_SAN_DNS && !cl_dns_valid(name.value, true)) ||
            (name.kind == CLEAT_SAN_EMAIL && !cl_email_split(name.value, &local, &domain))) {
            char text[128];
            (void)cl_gname_text(&name, text, sizeof(text));
            return cl_error_set(
                err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG, .section = "RFC 5280 4.2.1.6"},
                "%s: \"%s\" is neither a DNS name nor a mailbox", s->wish->csr, text);
        }
    }
    return CL_OK;
}

static cl_result check_request(const struct signing *s, struct cleat_error *err)
{
    const struct cleat_cert *wanted = &s->csr->wanted;
    const char *path = s->wish->csr;
    const bool is_ca = s->wish->intermediate || s->wish->root;
    struct cleat_error inner = {0};
    const cl_result r = cl_csr_check(s->csr, &inner);
    if (r != CL_OK) {
        return cl_error_set(err, (struct cl_why){.code = r}, "%s: %s", path, inner.text);
    }
    if (s->wish->root && !cl_rd_equal(wanted->spki, cl_key_spki(s->ca.key))) {
        return sign_refuse(err, NULL, path,
                           "a root signs itself, but the request is for another key",
                           "give the same key to cert csr and to --ca-key");
    }
    if (is_ca && cl_name_empty(&wanted->subject)) {
        return sign_refuse(err, "RFC 5280 4.1.2.6", path, "a CA needs a subject, and it has none",
                           "cleat cert csr --common-name");
    }
    if (!is_ca && wanted->num_sans == 0) {
        return sign_refuse(err, "RFC 9525 2", path,
                           "it has no subjectAltName; clients do not look at the common name",
                           "name the host to cleat cert csr");
    }
    if (s->ca.cert != NULL && cl_name_equal(&wanted->subject, &s->ca.cert->subject)) {
        return sign_refuse(err, "RFC 5280 6.1", path, "its subject is the CA's own",
                           "choose another name");
    }
    return is_ca ? CL_OK : check_names(s, err);
}

/* ---- sign ---- */

static void choose_time(struct signing *s)
{
    const struct wish *w = s->wish;
    const long days = w->days > 0       ? w->days
                      : w->root         ? DEV_CA_DAYS
                      : w->intermediate ? CA_DAYS
                                        : DEV_LEAF_DAYS;
    s->begin = s->now - DEV_BACKDATE;
    if (s->ca.cert != NULL && s->begin < cleat_cert_not_before(s->ca.cert)) {
        s->begin = cleat_cert_not_before(s->ca.cert);
    }
    /* Both ends belong to the validity (RFC 5280 4.1.2.5). */
    s->end = s->begin + (int64_t)days * DAY - 1;
    if (s->ca.cert != NULL && s->end > cleat_cert_not_after(s->ca.cert)) {
        s->end = cleat_cert_not_after(s->ca.cert);
        (void)fprintf(stderr, "cleat cert sign: note: valid for less than %ld days, as the CA is\n",
                      days);
    }
}

static void fill_usage(const struct wish *w, enum cl_key_type type, struct cl_cert_template *tpl)
{
    tpl->is_ca = w->intermediate || w->root;
    tpl->path_len = w->path_len >= 0 ? (int)w->path_len : w->intermediate ? 0 : -1;
    if (tpl->is_ca) {
        tpl->key_usage = CL_KU_KEY_CERT_SIGN | CL_KU_CRL_SIGN;
        return;
    }
    /* keyEncipherment: servers of TLS 1.2 with RSA key exchange */
    tpl->key_usage =
        CL_KU_DIGITAL_SIGNATURE | (type == CL_KEY_RSA && w->server ? CL_KU_KEY_ENCIPHERMENT : 0u);
    tpl->ext_key_usage =
        (w->server ? CL_EKU_SERVER_AUTH : 0u) | (w->client ? CL_EKU_CLIENT_AUTH : 0u);
}

/* What is taken over as it stands: the names, and TLSFeature. */
static size_t copy_exts(const struct signing *s, struct cl_cert_raw_ext out[2])
{
    struct cl_rd rest = s->csr->wanted.exts;
    struct cl_ext ext;
    size_t num = 0;
    while (!s->wish->intermediate && !s->wish->root && cl_ext_next(&rest, &ext)) {
        if (ext.id == CL_OID_EXT_SAN) {
            /* RFC 5280 4.2.1.6: critical when the subject is empty */
            out[num++] = (struct cl_cert_raw_ext){
                "2.5.29.17", cl_name_empty(&s->csr->wanted.subject), ext.value};
        } else if (ext.id == CL_OID_EXT_TLS_FEATURE && cl_cert_must_staple(&s->csr->wanted)) {
            out[num++] = (struct cl_cert_raw_ext){"1.3.6.1.5.5.7.1.24", false, ext.value};
        }
    }
    return num;
}

static cl_result sign(struct signing *s, struct cl_buf *der, struct cleat_error *err)
{
    uint8_t serial[16];
    struct cl_cert_raw_ext exts[2];
    if (s->ca.cert != NULL && cl_cert_has(s->ca.cert, CL_OID_EXT_NAME_CONSTRAINTS)) {
        (void)fprintf(stderr, "cleat cert sign: note: the CA has name constraints, which are not "
                              "looked at here: see cleat cert verify\n");
    }
    choose_time(s);
    CL_TRY(cl_rand(&cl_rng_system, serial, sizeof(serial)));
    struct cl_cert_template tpl = {.subject_der = s->csr->wanted.subject.der,
                                   .issuer = s->ca.cert,
                                   .spki = s->csr->wanted.spki,
                                   .serial = serial,
                                   .serial_len = sizeof(serial),
                                   .not_before = s->begin,
                                   .not_after = s->end,
                                   .crl_url = s->wish->crl_url,
                                   .ocsp_url = s->wish->ocsp_url,
                                   .issuer_url = s->wish->issuer_url,
                                   .raw_exts = exts,
                                   .num_raw_exts = copy_exts(s, exts)};
    fill_usage(s->wish, s->csr->wanted.key_type, &tpl);
    return cl_cert_build(der, &tpl, s->ca.key, err);
}

/* On standard error, for the certificate may be on standard output: whoever signs sees what. */
static void tell(const struct signing *s)
{
    const struct wish *w = s->wish;
    char text[256];
    char end[CL_TIME_TEXT];
    enum cleat_san_kind kind;
    const struct cleat_cert *wanted = &s->csr->wanted;
    (void)cl_name_text(&wanted->subject, text, sizeof(text));
    cl_time_text(s->end, end);
    (void)fprintf(stderr, "Signed %s as %s, valid until %s\n",
                  text[0] != '\0' ? text : "(no subject)",
                  w->root                  ? "a root"
                  : w->intermediate        ? "an intermediate CA"
                  : w->server && w->client ? "server and client"
                  : w->client              ? "a client"
                                           : "a server",
                  end);
    for (size_t i = 0; !w->root && !w->intermediate && i < cleat_cert_num_sans(wanted); i++) {
        if (cleat_cert_san(wanted, i, &kind, text, sizeof(text))) {
            (void)fprintf(stderr, "  for %s\n", text);
        }
    }
}

/* ---- the command ---- */

static cl_result read_request(struct signing *s, struct cleat_error *err)
{
    struct cert_items list = {0};
    struct cleat_error inner = {0};
    cl_result r = cert_items_read(&list, s->wish->csr, err);
    if (r == CL_OK) {
        const struct cert_item *item = cert_items_first(&list, CL_KIND_CSR);
        if (item == NULL) {
            r = sign_refuse(err, NULL, s->wish->csr, "it holds no certificate request", NULL);
        } else {
            r = cl_csr_parse(&s->csr, cl_buf_view(&item->der), &inner);
            r = r == CL_OK ? CL_OK
                           : cl_error_set(err, (struct cl_why){.code = r}, "%s: %s", s->wish->csr,
                                          inner.text);
        }
    }
    cert_items_deinit(&list);
    return r;
}

static cl_result run(struct signing *s, struct cl_buf *der, struct cleat_error *err)
{
    const struct wish *w = s->wish;
    if (w->root) {
        CL_TRY(cert_key_read(w->ca_key, &s->ca.how, &s->ca.key, err));
    } else {
        CL_TRY(sign_ca_open(&s->ca, CL_KU_KEY_CERT_SIGN, "keyCertSign", s->now, err));
        CL_TRY(check_ca(s, err));
    }
    CL_TRY(read_request(s, err));
    CL_TRY(check_request(s, err));
    CL_TRY(sign(s, der, err));
    CL_TRY(sign_output("CERTIFICATE", cl_buf_view(der), w->output, w->der, w->force, err));
    tell(s);
    return CL_OK;
}

static int make(const struct wish *w, int64_t now)
{
    struct signing s = {.wish = w, .ca = {.cert_path = w->ca, .key_path = w->ca_key}, .now = now};
    struct cleat_error err = {0};
    struct cl_buf der = {0};
    cert_opening_init(&s.ca.how, w->passin);
    const cl_result r = run(&s, &der, &err);
    cl_buf_deinit(&der);
    cl_csr_free(s.csr);
    sign_ca_deinit(&s.ca);
    return cert_tool_finish(usage.command, r, "the certificate", &err);
}

static int make_list(struct wish *w, int64_t now)
{
    struct cleat_error err = {0};
    struct sign_crl *list = &w->list;
    list->ca = w->ca;
    list->ca_key = w->ca_key;
    list->passin = w->passin;
    list->url = w->crl_url;
    list->output = w->output;
    list->as_der = w->der;
    list->force = w->force;
    list->days = w->days;
    const cl_result r = sign_crl_run(list, now, &err);
    return cert_tool_finish(usage.command, r, "the list", &err);
}

int cert_sign_run(int argc, char **argv)
{
    struct wish w = {.path_len = -1};
    const int64_t now = (int64_t)(cl_clock_unix_ms() / 1000);
    int code;
    if (!cl_options_each(&usage, argc, argv, HELP, take, &w, &code) ||
        (code = check_usage(&w)) != 0 || (code = check_urls(&w)) != 0) {
        return code;
    }
    return w.crl ? make_list(&w, now) : make(&w, now);
}

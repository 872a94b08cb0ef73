/* cli/cert_verify.c - `cleat cert verify`: a chain in, a verdict with its proof out.
 *
 * The certificates are given to the verifier as bytes: one that is malformed is part of the
 * verdict, not a reason to have none.
 */
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/mem.h"
#include "base/pem.h"
#include "cli/cert.h"
#include "cli/cert_fetch.h"
#include "cli/cert_gather.h"
#include "cli/cert_proof.h"
#include "cli/cli.h"
#include "cli/get_codes.h"
#include "cli/read_file.h"
#include "cli/client_dane.h"
#include "cli/client_options.h"
#include "cli/client_ct.h"
#include "cli/client_pins.h"
#include "cli/client_revocation.h"
#include "cli/client_target.h"
#include "cli/client_tls.h"
#include "cli/time_option.h"
#include "net/clock.h"
#include "x509/chain.h"
#include "x509/verify.h"

/* 4 MiB: a chain has 2 to 20 KB */
#define MAX_FILE (4u << 20)
/* A list of timestamps has a length of 16 bits. */
#define MAX_SCTS (2u + UINT16_MAX)

enum { HOST = 1, EMAIL, AT, POLICY, PURPOSE, CA, CAPATH, SCTS, EXPLAIN, JSON, HELP };

static const struct cl_option options[] = {
    {HOST, 0, "host", "NAME", "the DNS name or IP address that the certificate must be for"},
    {EMAIL, 0, "email", "MAILBOX", "the mailbox that it must be for"},
    {AT, 0, "at", "TIME", "verify at 2026-06-01, 2026-06-01T12:00:00Z or @UNIX, not now"},
    {POLICY, 0, "policy", "POLICY",
     "default: what every PKI must keep (RFC 5280 6);\n"
     "rfc5280: also what it asks of certificates;\n"
     "webpki: also the CA/Browser Forum's rules; webpki-strict"},
    {PURPOSE, 0, "purpose", "PURPOSE", "server (default), client or any"},
    {CA, 0, "ca", "FILE", "trust the certificates of this PEM file, not the system's"},
    {CA, 0, "cacert", "FILE", NULL},
    {CAPATH, 0, "capath", "DIR", "and those in the files of DIR"},
    CLIENT_PINNED_ROW,
    CLIENT_DANE_ROW,
    CLIENT_REVOCATION_ROWS,
    {CLIENT_CRL_FILE, 0, "crl", "FILE", "as --crlfile"},
    CLIENT_CT_ROWS,
    {SCTS, 0, "scts", "FILE",
     "timestamps as a server sends them in TLS (a SignedCertificateTimestampList)"},
    {EXPLAIN, 0, "explain", NULL, "every path that was tried, every check that was made"},
    {JSON, 0, "json", NULL, "all of it as JSON"},
    {HELP, 'h', "help", NULL, "print this text"},
};

static const struct cl_usage usage = {
    .command = "cert verify",
    .synopsis = "[OPTION]... FILE|-|https://HOST[:PORT]",
    .about =
        "Verifies a chain (PEM, the leaf first; or one certificate in DER) of a file, of\n"
        "standard input or of a server, and says why it is accepted, or why not and what to do.\n"
        "Exit code: 0 verified, 60 not verified, 77 CA file, 82 file with revocations, 90 a\n"
        "key that is not pinned, 1 and 2 other failures.",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .examples = "  cleat cert verify --host www.example.com --explain chain.pem\n"
                "  cleat cert verify --ca ca.pem --purpose client --at 2027-01-01 client.pem\n"
                "  cleat cert verify --json https://example.com | jq .error",
};

struct word {
    const char *name;
    int value;
};

static const struct word policies[] = {
    {"default", CLEAT_POLICY_DEFAULT},
    {"rfc5280", CLEAT_POLICY_RFC5280},
    {"webpki", CLEAT_POLICY_WEBPKI},
    {"webpki-strict", CLEAT_POLICY_WEBPKI_STRICT},
};
static const struct word purposes[] = {
    {"server", CLEAT_PURPOSE_SERVER},
    {"client", CLEAT_PURPOSE_CLIENT},
    {"any", CLEAT_PURPOSE_ANY},
};

struct ask {
    const char *source;
    const struct word *policy;
    const struct word *purpose;
    const char *host;
    const char *email;
    const char *scts; /* --scts */
    int64_t at;
    struct client_options trust; /* --ca, --capath, and what says what was revoked */
    struct client_pins pins;
    bool explain, json, help;
};

/* ---- the command line ---- */

static int find_word(const struct cl_options *o, const struct word *rows, size_t num,
                     const struct word **out)
{
    for (size_t i = 0; i < num; i++) {
        if (strcmp(o->value, rows[i].name) == 0) {
            *out = &rows[i];
            return 0;
        }
    }
    char list[80] = "";
    for (size_t i = 0; i < num; i++) {
        size_t len = strlen(list);
        (void)snprintf(list + len, sizeof(list) - len, "%s%s",
                       i == 0        ? ""
                       : i + 1 < num ? ", "
                                     : " or ",
                       rows[i].name);
    }
    return cl_options_complain(&usage, "%s takes %s, not '%s'", o->spelled, list, o->value);
}

static int take_option(struct ask *ask, int id, const struct cl_options *o)
{
    const char **text = id == HOST     ? &ask->host
                        : id == EMAIL  ? &ask->email
                        : id == CA     ? &ask->trust.cacert
                        : id == CAPATH ? &ask->trust.capath
                        : id == SCTS   ? &ask->scts
                                       : &ask->source;
    switch (id) {
    case AT:
        return time_option_set(&ask->at, o);
    case POLICY:
        return find_word(o, policies, sizeof(policies) / sizeof(policies[0]), &ask->policy);
    case PURPOSE:
        return find_word(o, purposes, sizeof(purposes) / sizeof(purposes[0]), &ask->purpose);
    case EXPLAIN:
        ask->explain = true;
        return 0;
    case JSON:
        ask->json = true;
        return 0;
    case CL_OPTIONS_OPERAND:
        if (ask->source != NULL) {
            return cl_options_complain(&usage, "one chain at a time");
        }
        break;
    default:
        break;
    }
    *text = o->value;
    return 0;
}

static int parse(struct ask *ask, int argc, char **argv)
{
    struct cl_options o;
    int id;
    cl_options_init(&o, &usage, argc, argv);
    while ((id = cl_options_next(&o)) != CL_OPTIONS_END) {
        if (id == HELP) {
            ask->help = true;
            return 0;
        }
        int code = id == CL_OPTIONS_ERROR ? CL_EXIT_USAGE : client_options_set(&ask->trust, id, &o);
        code = code == CL_SETTERS_UNKNOWN ? take_option(ask, id, &o) : code;
        if (code != 0) {
            return code;
        }
    }
    if (ask->source == NULL) {
        return cl_options_complain(&usage, "no chain given");
    }
    if (ask->scts != NULL && !ask->trust.ct && ask->trust.ct_logs == NULL) {
        return cl_options_complain(&usage, "--scts is of no use without --ct or --ct-logs FILE");
    }
    int code = client_pins_check(&ask->trust, &usage);
    code = code != 0 ? code : client_dane_check(&ask->trust, &usage);
    code = code != 0 ? code : client_ct_check(&ask->trust, &usage);
    return code != 0 ? code : client_revocation_check(&ask->trust, &usage);
}

/* ---- reading ---- */

/* source: NULL when the text says which file it is. */
static int complain(const char *source, const struct cleat_error *err, int code)
{
    (void)fprintf(stderr, "cleat cert verify: %s%s%s\n", source != NULL ? source : "",
                  source != NULL ? ": " : "", err->text);
    if (err->hint[0] != '\0') {
        (void)fprintf(stderr, "  hint: %s\n", err->hint);
    }
    return code;
}

/* The chain's certificates as bytes, one behind the other. */
struct input {
    struct cl_buf bytes;
    size_t ends[CL_VERIFY_MAX_CERTS + 1];
    size_t num;
    struct cl_buf staple; /* that a server sent with them */
    struct cl_buf scts;   /* likewise, or of --scts */
    bool staple_asked;
    bool from_public; /* the server is somewhere on the internet */
};

static struct cl_rd input_at(const struct input *in, size_t i)
{
    size_t from = i > 0 ? in->ends[i - 1] : 0;
    return cl_rd_of(in->bytes.p + from, in->ends[i] - from);
}

static cl_result read_pem(struct input *in, struct cl_rd text, struct cleat_error *err)
{
    struct cl_pem pem;
    struct cl_pem_block block;
    bool found;
    cl_pem_init(&pem, (const char *)text.p, text.len, err);
    for (;;) {
        CL_TRY(cl_pem_next(&pem, &block, &found));
        if (!found) {
            break;
        }
        if (!cl_rd_equal_str(block.label, "CERTIFICATE")) {
            continue;
        }
        if (in->num > CL_VERIFY_MAX_CERTS) {
            return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_LIMIT},
                                "it holds more than %d certificates", CL_VERIFY_MAX_CERTS);
        }
        CL_TRY(cl_pem_decode(&pem, &block, &in->bytes, MAX_FILE));
        in->ends[in->num++] = in->bytes.len;
    }
    return in->num > 0 ? CL_OK
                       : cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_NO_CERTIFICATE},
                                      "it holds no certificate");
}

static cl_result read_file(const char *path, struct input *in, struct cleat_error *err)
{
    struct cl_buf text = {0};
    const char *why = "";
    cl_result r;
    if (!cl_read_file(path, &text, MAX_FILE, &why)) {
        r = cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_SYSTEM}, "%s", why);
    } else if (text.len > 0 && text.p[0] == 0x30) { /* SEQUENCE: DER */
        r = cl_buf_append(&in->bytes, text.p, text.len, MAX_FILE);
        in->ends[in->num++] = in->bytes.len;
    } else {
        r = read_pem(in, cl_buf_view(&text), err);
    }
    cl_buf_deinit(&text);
    return r;
}

/* A server's chain; its name is what is asked for, unless --host says another. */
static int read_server(struct ask *ask, struct client_target *target, struct input *in)
{
    struct cert_fetched fetched = {0};
    int code = client_target_parse(target, ask->source, strlen(ask->source), &fetched.err);
    code = code == 0 ? cert_fetch(ask->source, &ask->trust, &fetched) : code;
    for (size_t i = 0; code == 0 && i < cl_chain_num(fetched.chain); i++) {
        struct cl_rd der = cl_cert_der(cl_chain_at(fetched.chain, i));
        code =
            cl_buf_append(&in->bytes, der.p, der.len, MAX_FILE) == CL_OK ? 0 : GET_EXIT_NO_MEMORY;
        in->ends[in->num++] = in->bytes.len;
    }
    ask->host = ask->host != NULL ? ask->host : target->host;
    in->staple = fetched.staple;
    in->staple_asked = true;
    in->from_public = fetched.from_public;
    fetched.staple = (struct cl_buf){0};
    in->scts = fetched.scts;
    fetched.scts = (struct cl_buf){0};
    if (code != 0) {
        code = complain(ask->source, &fetched.err, code);
    }
    cert_fetched_deinit(&fetched);
    return code;
}

static int read_chain(struct ask *ask, struct client_target *target, struct input *in)
{
    struct cleat_error err = {0};
    if (strstr(ask->source, "://") != NULL) {
        return read_server(ask, target, in);
    }
    return read_file(ask->source, in, &err) == CL_OK ? 0
                                                     : complain(ask->source, &err, CL_EXIT_FAILURE);
}

/* "The root costs bytes and helps nobody" is not true of what a TLSA record names. */
static size_t without_named(struct cleat_chain_note *notes, size_t num,
                            const struct cleat_verdict *verdict)
{
    size_t kept = 0;
    for (size_t i = 0; i < num; i++) {
        struct cleat_tlsa_told told;
        bool named = false;
        for (size_t k = 0; cleat_verdict_tlsa(verdict, k, &told); k++) {
            named = named || (told.result == CLEAT_TLSA_COUNTED && notes[i].position != 0 &&
                              told.certificate == (int)notes[i].position + 1);
        }
        if (!named || notes[i].serious) {
            notes[kept++] = notes[i];
        }
    }
    return kept;
}

/* What a file says goes before what the server sent. */
static int read_scts(const struct ask *ask, struct input *in)
{
    const char *why = "";
    in->scts.len = 0;
    if (cl_read_file(ask->scts, &in->scts, MAX_SCTS, &why)) {
        return 0;
    }
    struct cleat_error err = {0};
    (void)cl_error_set(&err, (struct cl_why){.code = CLEAT_ERR_SYSTEM}, "%s", why);
    return complain(ask->scts, &err, CL_EXIT_FAILURE);
}

/* ---- the verdict ---- */

/* What the chain is judged by. */
struct basis {
    const struct ask *ask;
    const struct input *in;
    const struct cleat_trust_store *trust;
    const struct cleat_dane *dane; /* or NULL */
    const struct client_revocation *revocation;
    const struct client_ct *ct;
    const struct cl_gathered *gathered; /* NULL: nothing was fetched */
    int code;
};

/* Tells the verdict and the pins, and returns the exit code: that of the chain goes first. */
static int tell(const struct basis *b, const struct cl_rd *ders,
                const struct cleat_verdict *verdict)
{
    char pin[CLEAT_RAW_PIN_LEN + 1];
    struct cleat_error pin_error = {0};
    static struct cleat_chain_note notes[CLEAT_CHAIN_MAX_NOTES];
    const struct ask *ask = b->ask;
    struct cleat_chain *chain = NULL;
    struct cert_proof proof = {.source = ask->source,
                               .host = ask->host,
                               .policy = ask->policy->name,
                               .purpose = ask->purpose->name,
                               .at = ask->at,
                               .verdict = verdict,
                               .options = &ask->trust,
                               .has_staple = b->in->staple.len != 0,
                               .gathered = b->gathered,
                               .notes = notes,
                               .pins = ask->trust.pinned != NULL ? &ask->pins : NULL,
                               .pin_error = &pin_error};
    if (cl_chain_from_der(&chain, ders, b->in->num, NULL) == CL_OK) {
        proof.chain = chain;
        proof.num_notes =
            cleat_chain_lint(chain, b->trust, ask->at, (enum cleat_purpose)ask->purpose->value,
                             notes, CLEAT_CHAIN_MAX_NOTES);
        proof.num_notes = without_named(notes, proof.num_notes, verdict);
    }
    if (proof.pins != NULL && chain != NULL) {
        (void)client_pins_judge(proof.pins, cl_chain_at(chain, 0), pin, &pin_error);
        proof.pin = pin;
    }
    if (ask->json) {
        cert_proof_json(&proof, stdout);
    } else {
        cert_proof_text(&proof, ask->explain, stdout);
    }
    cleat_chain_free(chain);
    return cleat_verdict_code(verdict) != CLEAT_OK ? GET_EXIT_VERIFY
           : pin_error.code != CLEAT_OK            ? GET_EXIT_PIN
                                                   : CL_EXIT_OK;
}

/* NULL when memory is short. */
static struct cleat_verdict *verify(const struct cl_verify_params *params, const struct cl_rd *ders,
                                    size_t num)
{
    struct cl_verify *v = NULL;
    if (cl_verify_new(&v, params, ders, num) != CL_OK) {
        return NULL;
    }
    while (cl_verify_step(v) == CL_VERIFY_NEEDS_JOB) {
        cl_job_run(cl_verify_job(v));
    }
    struct cleat_verdict *verdict = cl_verify_take_verdict(v);
    cl_verify_free(v);
    return verdict;
}

/* The chain's certificates, and behind them what was fetched. Returns how many. */
static size_t all_certs(const struct basis *b, struct cl_rd *out)
{
    const struct cleat_chain *more = b->gathered != NULL ? b->gathered->evidence.certs : NULL;
    size_t num = 0;
    while (num < b->in->num) {
        out[num] = input_at(b->in, num);
        num++;
    }
    for (size_t i = 0; more != NULL && i < cl_chain_num(more); i++) {
        out[num++] = cl_cert_der(cl_chain_at(more, i));
    }
    return num;
}

static void judge(struct basis *b)
{
    struct cl_rd ders[CL_VERIFY_MAX_CERTS + 1 + CL_CHAIN_MAX];
    const struct ask *ask = b->ask;
    const struct cleat_revocation_options *revocation = &b->revocation->options;
    const struct cleat_evidence none = {0};
    const struct cleat_evidence *more = b->gathered != NULL ? &b->gathered->evidence : &none;
    struct cl_verify_params params = {
        .trust = b->trust,
        .dane = b->dane,
        .host = ask->host,
        .email = ask->email,
        .now = ask->at,
        .purpose = (enum cleat_purpose)ask->purpose->value,
        .policy = (enum cleat_policy)ask->policy->value,
        .revocation = revocation->mode,
        .from_crls = revocation->from_crls,
        .from_ocsp = revocation->from_ocsp,
        .crls = more->crls != NULL ? more->crls : revocation->crls,
        .ocsp = more->ocsp != NULL ? more->ocsp : revocation->ocsp,
        .staple = cl_buf_view(&b->in->staple),
        .staple_asked = b->in->staple_asked,
        .ct = b->ct->mode,
        .ct_logs = b->ct->logs,
        .scts = cl_buf_view(&b->in->scts),
        .clock = cl_clock_ns,
    };
    const size_t num = all_certs(b, ders);
    /* Twice: so the times are those of a verification, not of libcrypto's start. */
    struct cleat_verdict *verdict = verify(&params, ders, num);
    cleat_verdict_free(verdict);
    verdict = verify(&params, ders, num);
    b->code = GET_EXIT_NO_MEMORY;
    if (verdict != NULL) {
        b->code = tell(b, ders, verdict);
    }
    cleat_verdict_free(verdict);
}

static void on_gathered(void *ctx, const struct cl_gathered *gathered)
{
    struct basis *b = ctx;
    b->gathered = gathered;
    judge(b);
    b->gathered = NULL;
}

/* Fetches what is missing and judges; a chain of which a certificate is malformed is judged as it
 * is. */
static int judge_with_more(struct basis *b, struct cleat_error *err)
{
    struct cl_rd ders[CL_VERIFY_MAX_CERTS + 1];
    struct cleat_chain *chain = NULL;
    const struct cleat_revocation_options *r = &b->revocation->options;
    struct cl_gather_spec spec = {
        .verify = {.trust = b->trust,
                   .dane = b->dane,
                   .host = b->ask->host,
                   .email = b->ask->email,
                   .now = b->ask->at,
                   .purpose = (enum cleat_purpose)b->ask->purpose->value,
                   .policy = (enum cleat_policy)b->ask->policy->value,
                   .revocation = r->mode,
                   .from_crls = r->from_crls,
                   .from_ocsp = r->from_ocsp,
                   .crls = r->crls,
                   .ocsp = r->ocsp,
                   .staple = b->in->staple.p,
                   .staple_len = b->in->staple.len},
        .aia_public_only = b->in->from_public,
        .done = on_gathered,
        .ctx = b,
    };
    const bool whole = cl_chain_from_der(&spec.chain, ders, all_certs(b, ders), NULL) == CL_OK;
    chain = spec.chain;
    if (!whole) {
        judge(b);
        return b->code;
    }
    int code = cert_gather(&b->ask->trust, b->revocation, &spec, err);
    cleat_chain_free(chain);
    return code != 0 ? code : b->code;
}

/* A server's records are those of its name and port, a file's are all that are given. */
static int judge_by_records(const struct ask *ask, const struct client_target *target,
                            const struct input *in, const struct cleat_trust_store *trust,
                            const struct client_revocation *revocation, const struct client_ct *ct)
{
    struct cleat_dane *dane = NULL;
    struct cleat_error err = {0};
    struct basis basis = {.ask = ask, .in = in, .trust = trust, .revocation = revocation, .ct = ct};
    const char *host = target->port != 0 ? target->host : NULL;
    int code = client_dane_open(&ask->trust, host, target->port, &dane, &err);
    if (code == 0 && dane == NULL && ask->trust.tlsa.num != 0) {
        (void)cl_error_set(&err, (struct cl_why){.code = CLEAT_ERR_BAD_TLSA},
                           "--tlsa: there is no record for this server");
        code = CL_EXIT_USAGE;
    }
    basis.dane = dane;
    if (code == 0 && client_evidence_wanted(&ask->trust, revocation)) {
        code = judge_with_more(&basis, &err);
    } else if (code == 0) {
        judge(&basis);
        code = basis.code;
    }
    code = err.code != 0 ? complain(NULL, &err, code) : code;
    cleat_dane_free(dane);
    return code;
}

static int run(struct ask *ask, struct client_target *target)
{
    struct input in = {0};
    struct cleat_trust_store *trust = NULL;
    struct client_revocation revocation = {0};
    struct client_ct ct = {0};
    struct cleat_error err = {0};
    int code = client_tls_trust(&ask->trust, &trust, &err);
    if (code != 0) {
        return complain(ask->source, &err, code);
    }
    code = ask->trust.pinned != NULL ? client_pins_read(ask->trust.pinned, &ask->pins, &err) : 0;
    code = code == 0 ? client_revocation_open(&ask->trust, &revocation, &err) : code;
    code = code == 0 ? client_ct_open(&ask->trust, &ct, &err) : code;
    if (code != 0) {
        (void)complain(NULL, &err, code);
    }
    code = code == 0 ? read_chain(ask, target, &in) : code;
    code = code == 0 && ask->scts != NULL ? read_scts(ask, &in) : code;
    if (code == 0) {
        code = judge_by_records(ask, target, &in, trust, &revocation, &ct);
    }
    client_revocation_close(&revocation);
    client_ct_close(&ct);
    cleat_trust_store_free(trust);
    cl_buf_deinit(&in.bytes);
    cl_buf_deinit(&in.staple);
    cl_buf_deinit(&in.scts);
    return code;
}

int cert_verify_run(int argc, char **argv)
{
    struct ask ask = {.policy = &policies[0],
                      .purpose = &purposes[0],
                      .at = (int64_t)(cl_clock_unix_ms() / 1000)};
    int code = parse(&ask, argc, argv);
    struct client_target *target = NULL;
    if (code == 0 && ask.help) {
        cl_options_help(&usage, stdout);
    } else if (code == 0) {
        target = cl_calloc(1, sizeof(*target));
        code = target != NULL ? run(&ask, target) : GET_EXIT_NO_MEMORY;
    }
    cl_free(target);
    client_options_deinit(&ask.trust);
    return code;
}

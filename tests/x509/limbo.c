/* cleat-limbo FILE.json [PREFIX] - runs x509-limbo cases (and NIST PKITS in the same form) through
 * the verifier.
 *
 * One line a case, "ID expected actual reason", then "N passed, M failed"; exit 0 when all agree
 * with what is expected, deliberate differences included. Which policy a case belongs to follows
 * from its id.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "cleat/revocation.h"

/* A case of which the verifier deliberately says something else, and why. */
static const struct difference {
    const char *id;
    const char *why;
} differences[] = {
#define NO_DSA                                                                                    \
    "DSA is not built: no CA of the web may use it (CABF BR 6.1.5), FIPS 186-5 has withdrawn it " \
    "for "                                                                                        \
    "new signatures"
    {"pkits::4.1.4::Section1ValidDSASignaturesTest4", NO_DSA},
    {"pkits::4.1.5::Section1ValidDSAParameterInheritanceTest5", NO_DSA},
    {NULL, NULL},
};

static const struct {
    const char *prefix;
    enum cleat_policy policy;
} policies[] = {
    {"webpki::cn::", CLEAT_POLICY_WEBPKI_STRICT},
    {"webpki::", CLEAT_POLICY_WEBPKI},
    {"online::", CLEAT_POLICY_WEBPKI},
    {"bettertls::", CLEAT_POLICY_DEFAULT},
    {"pkits::", CLEAT_POLICY_DEFAULT},
    {"cve::", CLEAT_POLICY_DEFAULT},
    {"pathological::", CLEAT_POLICY_DEFAULT},
    {"", CLEAT_POLICY_RFC5280},
};

static const struct {
    const char *name;
    const char *oid;
} policy_oids[] = {
    {"anyPolicy", "2.5.29.32.0"},
    {"NIST-test-policy-1", "2.16.840.1.101.3.2.1.48.1"},
    {"NIST-test-policy-2", "2.16.840.1.101.3.2.1.48.2"},
    {"NIST-test-policy-3", "2.16.840.1.101.3.2.1.48.3"},
    {"NIST-test-policy-4", "2.16.840.1.101.3.2.1.48.4"},
    {"NIST-test-policy-5", "2.16.840.1.101.3.2.1.48.5"},
    {"NIST-test-policy-6", "2.16.840.1.101.3.2.1.48.6"},
};
#define NUM_POLICY_OIDS (sizeof(policy_oids) / sizeof(policy_oids[0]))

struct answer {
    bool accepted;
    char reason[700];
};

static struct cleat_suffix_list *suffixes;

/* PEM blocks of a JSON list, or of one string, behind what is there already. */
static void join(json_t *list, char **text, size_t *len)
{
    size_t num = json_is_array(list) ? json_array_size(list) : json_is_string(list);
    for (size_t i = 0; i < num; i++) {
        json_t *item = json_is_array(list) ? json_array_get(list, i) : list;
        size_t add = json_string_length(item);
        *text = realloc(*text, *len + add + 2);
        if (*text == NULL) {
            abort();
        }
        memcpy(*text + *len, json_string_value(item), add);
        *len += add;
        (*text)[(*len)++] = '\n';
        (*text)[*len] = '\0';
    }
}

static int64_t parse_time(json_t *value)
{
    struct tm tm = {0};
    if (!json_is_string(value) ||
        strptime(json_string_value(value), "%Y-%m-%dT%H:%M:%S", &tm) == NULL) {
        return (int64_t)time(NULL);
    }
    return (int64_t)timegm(&tm);
}

/* limbo marks with "pedantic-" what deployed certificates neglect. */
static bool is_pedantic(json_t *c)
{
    json_t *features = json_object_get(c, "features");
    for (size_t i = 0; i < json_array_size(features); i++) {
        if (strncmp(json_string_value(json_array_get(features, i)), "pedantic-", 9) == 0) {
            return true;
        }
    }
    return false;
}

static enum cleat_policy policy_of(json_t *c, const char *id)
{
    size_t i = 0;
    if (strncmp(id, "webpki::", 8) == 0 && is_pedantic(c)) {
        return CLEAT_POLICY_WEBPKI_STRICT;
    }
    while (strncmp(id, policies[i].prefix, strlen(policies[i].prefix)) != 0) {
        i++;
    }
    return policies[i].policy;
}

/* "NIST-test-policy-1,NIST-test-policy-2" */
static size_t split_policies(json_t *value, const char **out)
{
    size_t num = 0;
    const char *at = json_is_string(value) ? json_string_value(value) : "";
    for (size_t i = 0; i < NUM_POLICY_OIDS; i++) {
        if (strstr(at, policy_oids[i].name) != NULL) {
            out[num++] = policy_oids[i].oid;
        }
    }
    return num;
}

static void name_options(json_t *c, struct cleat_verify_options *o)
{
    json_t *peer = json_object_get(c, "expected_peer_name");
    if (json_is_object(peer)) {
        const char *kind = json_string_value(json_object_get(peer, "kind"));
        const char *value = json_string_value(json_object_get(peer, "value"));
        if (strcmp(kind, "RFC822") == 0) {
            o->email = value;
        } else {
            o->host = value;
        }
    }
}

/* A chain of up to 100 certificates is more than cleat_chain_from_pem takes: limbo's hostile cases
 * go through the lower door, which the TLS engine uses. */
int cleat_limbo_verify(const struct cleat_verify_options *o, const char *pem, size_t len,
                       struct cleat_verdict **out);

static void verify(json_t *c, struct cleat_verify_options *o, struct answer *a)
{
    char *pem = NULL;
    size_t len = 0;
    struct cleat_verdict *verdict = NULL;
    join(json_object_get(c, "peer_certificate"), &pem, &len);
    join(json_object_get(c, "untrusted_intermediates"), &pem, &len);
    int r = cleat_limbo_verify(o, pem, len, &verdict);
    if (r != CLEAT_OK) {
        (void)snprintf(a->reason, sizeof(a->reason), "%s", cleat_error_name(r));
    } else {
        const struct cleat_error *e = cleat_verdict_error(verdict);
        a->accepted = cleat_verdict_code(verdict) == CLEAT_OK;
        (void)snprintf(a->reason, sizeof(a->reason), "%s%s%s",
                       cleat_error_name(cleat_verdict_code(verdict)), a->accepted ? "" : ": ",
                       e->text);
    }
    cleat_verdict_free(verdict);
    free(pem);
}

/* Every expected mailbox must be one of the certificate's. */
static void verify_names(json_t *c, struct cleat_verify_options *o, struct answer *a)
{
    json_t *names = json_object_get(c, "expected_peer_names");
    size_t num = json_is_array(names) ? json_array_size(names) : 0;
    for (size_t i = 0; i < num || i == 0; i++) {
        json_t *name = json_array_get(names, i);
        a->accepted = false;
        if (name != NULL &&
            strcmp(json_string_value(json_object_get(name, "kind")), "RFC822") == 0) {
            o->email = json_string_value(json_object_get(name, "value"));
        }
        verify(c, o, a);
        if (!a->accepted) {
            return;
        }
    }
}

static void run(json_t *c, struct answer *a)
{
    const char *initial[NUM_POLICY_OIDS];
    const char *id = json_string_value(json_object_get(c, "id"));
    const char *kind = json_string_value(json_object_get(c, "validation_kind"));
    json_t *depth = json_object_get(c, "max_chain_depth");
    char *roots = NULL;
    char *crls = NULL;
    size_t roots_len = 0;
    size_t crls_len = 0;
    struct cleat_trust_store *trust = NULL;
    struct cleat_crl_set *set = NULL;
    struct cleat_error err = {0};
    memset(a, 0, sizeof(*a));
    join(json_object_get(c, "trusted_certs"), &roots, &roots_len);
    join(json_object_get(c, "crls"), &crls, &crls_len);
    struct cleat_verify_options o = {.now = parse_time(json_object_get(c, "validation_time")),
                                     .policy = policy_of(c, id),
                                     .suffixes = suffixes,
                                     .initial_policies = initial};
    o.num_initial_policies = split_policies(json_object_get(c, "initial_policy_set"), initial);
    o.require_explicit_policy = json_is_true(json_object_get(c, "initial_explicit_policy"));
    o.inhibit_policy_mapping = json_is_true(json_object_get(c, "initial_policy_mapping_inhibit"));
    o.inhibit_any_policy = json_is_true(json_object_get(c, "initial_inhibit_any_policy"));
    if (kind != NULL) {
        o.purpose = strcmp(kind, "CLIENT") == 0 ? CLEAT_PURPOSE_CLIENT : CLEAT_PURPOSE_SERVER;
    }
    if (json_is_integer(depth)) {
        int n = (int)json_integer_value(depth);
        o.max_intermediates = n == 0 ? -1 : n;
    }
    name_options(c, &o);
    if (crls_len != 0) {
        o.revocation = CLEAT_REVOCATION_REQUIRED;
        if (cleat_crl_set_from_pem(crls, crls_len, &set, &err) != CLEAT_OK) {
            (void)snprintf(a->reason, sizeof(a->reason), "CRL: %s", err.text);
        }
        o.crls = set;
    }
    if (cleat_trust_store_from_pem(roots, roots_len, &trust, &err) != CLEAT_OK) {
        (void)snprintf(a->reason, sizeof(a->reason), "trust store: %s", err.text);
    } else if (crls_len == 0 || set != NULL) {
        o.trust = trust;
        verify_names(c, &o, a);
    }
    cleat_trust_store_free(trust);
    cleat_crl_set_free(set);
    free(roots);
    free(crls);
}

static const struct difference *difference_of(const char *id)
{
    for (size_t i = 0; differences[i].id != NULL; i++) {
        if (strcmp(differences[i].id, id) == 0) {
            return &differences[i];
        }
    }
    return NULL;
}

static char *read_file(const char *name, size_t *len)
{
    FILE *f = fopen(name, "rb");
    char *text = NULL;
    if (f == NULL) {
        return NULL;
    }
    if (fseek(f, 0, SEEK_END) == 0 && ftell(f) > 0) {
        *len = (size_t)ftell(f);
        rewind(f);
        text = malloc(*len + 1);
        if (text != NULL && fread(text, 1, *len, f) != *len) {
            free(text);
            text = NULL;
        }
    }
    (void)fclose(f);
    return text;
}

#define SUFFIX_FILE "/usr/share/publicsuffix/public_suffix_list.dat"

static void load_suffixes(void)
{
    size_t len = 0;
    char *text = read_file(SUFFIX_FILE, &len);
    if (text == NULL || cleat_suffix_list_from_text(text, len, &suffixes) != CLEAT_OK) {
        (void)fprintf(stderr,
                      "NOTE: no %s (package publicsuffix): wildcards below registries of "
                      "more than one label are not recognised\n",
                      SUFFIX_FILE);
    }
    free(text);
}

int main(int argc, char **argv)
{
    json_error_t error;
    size_t passed = 0;
    size_t failed = 0;
    size_t deliberate = 0;
    const char *prefix = argc == 3 ? argv[2] : "";
    if (argc != 2 && argc != 3) {
        (void)fprintf(stderr, "usage: cleat-limbo FILE.json [PREFIX]\n");
        return 2;
    }
    json_t *root = json_load_file(argv[1], 0, &error);
    json_t *cases = root != NULL ? json_object_get(root, "testcases") : NULL;
    if (!json_is_array(cases)) {
        (void)fprintf(stderr, "cleat-limbo: %s: %s\n", argv[1],
                      root == NULL ? error.text : "no \"testcases\"");
        return 2;
    }
    load_suffixes();
    for (size_t i = 0; i < json_array_size(cases); i++) {
        json_t *c = json_array_get(cases, i);
        struct answer a;
        const char *id = json_string_value(json_object_get(c, "id"));
        const char *expected = json_string_value(json_object_get(c, "expected_result"));
        if (strncmp(id, prefix, strlen(prefix)) != 0) {
            continue;
        }
        run(c, &a);
        const char *actual = a.accepted ? "SUCCESS" : "FAILURE";
        const struct difference *d = difference_of(id);
        bool agree = strcmp(expected, actual) == 0;
        if (!agree && d != NULL) {
            deliberate++;
            (void)snprintf(a.reason, sizeof(a.reason), "deliberate difference: %s", d->why);
        }
        passed += agree || d != NULL;
        failed += !agree && d == NULL;
        (void)printf("%s%s %s %s %s\n", agree || d != NULL ? "" : "DIFFERS ", id, expected, actual,
                     a.reason);
    }
    (void)printf("%zu passed, %zu failed\n", passed, failed);
    if (deliberate != 0) {
        (void)fprintf(stderr, "%zu deliberate differences\n", deliberate);
    }
    cleat_suffix_list_free(suffixes);
    json_decref(root);
    return failed == 0 ? 0 : 1;
}

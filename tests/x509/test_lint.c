/* The rules of the policies for a certificate itself: who asks what of whom. */
#include "support_x509.h"

static const uint8_t null_value[] = {0x05, 0x00};
static const uint8_t eku_server[] = {0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06,
                                     0x01, 0x05, 0x05, 0x07, 0x03, 0x01};
/* id-ad-ocsp, http://a/ */
static const uint8_t aia[] = {0x30, 0x17, 0x30, 0x15, 0x06, 0x08, 0x2b, 0x06, 0x01,
                              0x05, 0x05, 0x07, 0x30, 0x01, 0x86, 0x09, 'h',  't',
                              't',  'p',  ':',  '/',  '/',  'a',  '/'};

static struct cl_cert_raw_ext raw;

static void add(struct cl_cert_template *t, const char *oid, bool critical, const uint8_t *value,
                size_t len)
{
    raw = (struct cl_cert_raw_ext){oid, critical, cl_rd_of(value, len)};
    t->raw_exts = &raw;
    t->num_raw_exts = 1;
}

static void nothing(struct cl_cert_template *t)
{
    (void)t;
}

static void no_key_usage(struct cl_cert_template *t)
{
    t->key_usage = 0;
}

static void no_key_ids(struct cl_cert_template *t)
{
    t->no_key_ids = true;
}

static void critical_eku(struct cl_cert_template *t)
{
    t->ext_key_usage = 0;
    add(t, "2.5.29.37", true, eku_server, sizeof(eku_server));
}

static void critical_aia(struct cl_cert_template *t)
{
    add(t, "1.3.6.1.5.5.7.1.1", true, aia, sizeof(aia));
}

static void no_eku(struct cl_cert_template *t)
{
    t->ext_key_usage = 0;
}

static void name_not_among_sans(struct cl_cert_template *t)
{
    t->common_name = "www.example.com";
}

static void no_names(struct cl_cert_template *t)
{
    t->num_dns_names = 0;
}

static void cert_sign(struct cl_cert_template *t)
{
    t->key_usage |= CL_KU_KEY_CERT_SIGN;
}

static void mailbox(struct cl_cert_template *t)
{
    static const char *const emails[] = {"a@example.com"};
    t->emails = emails;
    t->num_emails = 1;
}

static void unknown_extension(struct cl_cert_template *t)
{
    add(t, "1.3.6.1.4.1.99999.1", false, null_value, sizeof(null_value));
}

enum role {
    LEAF,
    MIDDLE,
    ANCHOR,
};

#define NEVER  0u
#define R      (1u << CLEAT_POLICY_RFC5280)
#define W      (1u << CLEAT_POLICY_WEBPKI)
#define S      (1u << CLEAT_POLICY_WEBPKI_STRICT)
#define ALWAYS (1u << CLEAT_POLICY_DEFAULT | R | W | S)

/* refused: by which policies */
static const struct row {
    const char *name;
    void (*spoil)(struct cl_cert_template *t);
    enum role role;
    unsigned refused;
} rows[] = {
    {"as it should be", nothing, LEAF, NEVER},
    {"an extension nobody knows", unknown_extension, LEAF, NEVER},
    {"a CA without key usage", no_key_usage, MIDDLE, R | W | S},
    {"a root without key usage", no_key_usage, ANCHOR, NEVER},
    {"a leaf without key usage", no_key_usage, LEAF, NEVER},
    {"a CA without key identifiers", no_key_ids, MIDDLE, R | W | S},
    {"a root without key identifiers", no_key_ids, ANCHOR, R},
    {"a leaf without an authority key identifier", no_key_ids, LEAF, R | W | S},
    {"a critical extended key usage", critical_eku, LEAF, S},
    {"a critical authority information access", critical_aia, LEAF, ALWAYS},
    {"no extended key usage", no_eku, LEAF, S},
    {"a common name that is no SAN", name_not_among_sans, LEAF, S},
    {"no SAN", no_names, LEAF, W | S},
    {"keyCertSign without being a CA", cert_sign, LEAF, R | W | S},
    {"a mailbox in a server's certificate", mailbox, LEAF, W | S},
};

static unsigned refusals(const struct row *row)
{
    struct cl_cert_template tpl[3];
    struct entity made[3];
    unsigned refused = 0;
    tpl[2] = t_template("Root", NULL, t_key(0), true);
    if (row->role == ANCHOR) {
        row->spoil(&tpl[2]);
    }
    made[2] = t_make(&tpl[2], NULL, t_key(0));
    tpl[1] = t_template("CA", &made[2], t_key(1), true);
    if (row->role == MIDDLE) {
        row->spoil(&tpl[1]);
    }
    made[1] = t_make(&tpl[1], &made[2], t_key(1));
    tpl[0] = t_template("leaf.example.com", &made[1], t_key(2), false);
    if (row->role == LEAF) {
        row->spoil(&tpl[0]);
    }
    made[0] = t_make(&tpl[0], &made[1], t_key(2));
    const struct entity *anchor = &made[2];
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    for (unsigned p = CLEAT_POLICY_DEFAULT; p <= CLEAT_POLICY_WEBPKI_STRICT; p++) {
        struct cl_verify_params params = t_params(trust);
        const struct cleat_cert *chain[] = {made[0].cert, made[1].cert};
        params.policy = (enum cleat_policy)p;
        params.host = row->spoil == no_names ? NULL : params.host;
        refused |= t_code(&params, chain, 2) != CLEAT_OK ? 1u << p : 0;
    }
    cleat_trust_store_free(trust);
    for (size_t i = 0; i < 3; i++) {
        t_free(&made[i]);
    }
    return refused;
}

static void test_each_rule_is_of_its_policies_and_roles(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const unsigned got = refusals(&rows[i]);
        if (got != rows[i].refused) {
            fail_msg("%s: refused by policies %#x, not %#x", rows[i].name, got, rows[i].refused);
        }
    }
}

/* Starfield's and Go Daddy's second generation: the roots of stores are not refused for serial
 * number 0, which younger rules forbid; certificates below them are. */
static void test_a_serial_number_that_is_not_positive_is_held_against_all_but_the_anchor(
    void **state)
{
    (void)state;
    static const uint8_t serial_head[] = {0x02, 0x10};
    for (int of_leaf = 0; of_leaf < 2; of_leaf++) {
        struct entity root = t_ca("Root", NULL, 0);
        struct entity leaf = t_leaf("leaf.example.com", &root, 1);
        struct cleat_cert *zero;
        const struct entity *from = of_leaf != 0 ? &leaf : &root;
        uint8_t der[1024];
        assert_true(from->cert->der.len <= sizeof(der));
        memcpy(der, from->cert->der.p, from->cert->der.len);
        uint8_t *serial = memmem(der, from->cert->der.len, serial_head, sizeof(serial_head));
        assert_non_null(serial);
        /* 16 bytes become 16 of a negative number: what the rule calls not positive */
        serial[2] = 0x80;
        assert_int_equal(cl_cert_parse(&zero, cl_rd_of(der, from->cert->der.len), NULL), CL_OK);
        struct entity spoilt = {.cert = zero};
        const struct entity *anchor = of_leaf != 0 ? &root : &spoilt;
        struct cleat_trust_store *trust = t_trust(&anchor, 1);
        struct cl_verify_params params = t_params(trust);
        params.policy = CLEAT_POLICY_WEBPKI;
        const struct cleat_cert *chain[] = {of_leaf != 0 ? zero : leaf.cert};
        assert_int_equal(t_code(&params, chain, 1),
                         of_leaf != 0 ? CLEAT_ERR_BAD_CERTIFICATE : CLEAT_OK);
        cleat_trust_store_free(trust);
        t_free(&spoilt);
        t_free(&leaf);
        t_free(&root);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_rule_is_of_its_policies_and_roles),
        cmocka_unit_test(
            test_a_serial_number_that_is_not_positive_is_held_against_all_but_the_anchor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

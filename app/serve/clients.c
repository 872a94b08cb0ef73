/* serve/clients.c - see clients.h. */
#include "serve/clients.h"

#include <stdio.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "cleat/tls_rawkey.h"
#include "crypto/hash.h"
#include "dns/addr.h"
#include "serve/access.h"

/* 512: names in certificates are shorter; a longer one fits no rule */
#define MAX_NAME    512
/* 8 KiB: what is kept of a client for the log */
#define MAX_COLUMNS 8192
/* 8: alternative names in a log line */
#define MAX_LOGGED  8

enum kind { DNS, EMAIL, URI, IP, CN, FINGERPRINT };

static const struct {
    const char *prefix;
    enum kind kind;
    enum cleat_san_kind san; /* of the first four */
} kinds[] = {
    {"DNS:", DNS, CLEAT_SAN_DNS}, {"email:", EMAIL, CLEAT_SAN_EMAIL},
    {"URI:", URI, CLEAT_SAN_URI}, {"IP:", IP, CLEAT_SAN_IP},
    {"CN:", CN, CLEAT_SAN_OTHER}, {"sha256:", FINGERPRINT, CLEAT_SAN_OTHER},
};

struct rule {
    enum kind kind;
    const char *spelled; /* the option's text; outlives the rules */
    char *value;
    uint8_t fingerprint[32];
};

struct cl_clients {
    size_t num;
    struct rule rules[];
};

/* ---- rules ---- */

/* 64 hexadecimal digits, with or without colons. */
static bool parse_fingerprint(const char *text, uint8_t out[32])
{
    char digits[64];
    size_t num = 0;
    size_t len;
    for (; *text != '\0'; text++) {
        if (*text == ':' && num % 2 == 0) {
            continue;
        }
        if (num == sizeof(digits)) {
            return false;
        }
        digits[num++] = *text;
    }
    return num == sizeof(digits) && cl_hex_decode(digits, num, out, 32, &len);
}

static bool parse_ip(const char *text, char out[CL_ADDR_TEXT_SIZE])
{
    struct cl_addr addr;
    if (!cl_addr_parse(text, 0, &addr)) {
        return false;
    }
    cl_addr_format(&addr, out);
    return true;
}

static enum kind guess(const char *text)
{
    uint8_t digest[32];
    char ip[CL_ADDR_TEXT_SIZE];
    if (parse_fingerprint(text, digest)) {
        return FINGERPRINT;
    }
    if (parse_ip(text, ip)) {
        return IP;
    }
    return strstr(text, "://") != NULL ? URI : strchr(text, '@') != NULL ? EMAIL : DNS;
}

/* Letters, digits, '-', '_' and dots; "*." in front. */
static bool is_dns(const char *text)
{
    const char *name = strncmp(text, "*.", 2) == 0 ? text + 2 : text;
    return name[0] != '\0' && name[0] != '.' &&
           name[strspn(
               name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")] == '\0';
}

static bool parse_rule(struct rule *rule, const char *text)
{
    const char *value = text;
    char ip[CL_ADDR_TEXT_SIZE];
    rule->spelled = text;
    rule->kind = guess(text);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t len = strlen(kinds[i].prefix);
        if (strncasecmp(text, kinds[i].prefix, len) == 0) {
            rule->kind = kinds[i].kind;
            value = text + len;
        }
    }
    const char *at = strchr(value, '@');
    if (value[0] == '\0' || strlen(value) >= MAX_NAME ||
        (rule->kind == FINGERPRINT && !parse_fingerprint(value, rule->fingerprint)) ||
        (rule->kind == IP && !parse_ip(value, ip)) || (rule->kind == DNS && !is_dns(value)) ||
        (rule->kind == EMAIL && (at == NULL || at == value || at[1] == '\0'))) {
        return false;
    }
    value = rule->kind == IP ? ip : value;
    rule->value = cl_strndup(value, strlen(value));
    return true;
}

cl_result cl_clients_new(const char *const *rules, size_t num, struct cl_clients **out,
                         struct cleat_error *err)
{
    struct cl_clients *c = cl_calloc(1, sizeof(*c) + num * sizeof(c->rules[0]));
    *out = NULL;
    if (c == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    for (size_t i = 0; i < num; i++) {
        bool good = parse_rule(&c->rules[i], rules[i]);
        c->num++;
        if (!good || c->rules[i].value == NULL) {
            cl_clients_free(c);
            return good ? CLEAT_ERR_NOMEM
                        : cl_error_set(err,
                                       (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG,
                                                       .hint = "it is DNS:, email:, URI:, IP:, CN: "
                                                               "or sha256: and a value, or a "
                                                               "value that looks like one of them"},
                                       "--client-allow %s names no client", rules[i]);
        }
    }
    *out = c;
    return CL_OK;
}

void cl_clients_free(struct cl_clients *clients)
{
    for (size_t i = 0; clients != NULL && i < clients->num; i++) {
        cl_free(clients->rules[i].value);
    }
    cl_free(clients);
}

/* ---- matching ---- */

/* "*.test" stands for one label more, as in certificates for servers. */
static bool dns_fits(const char *rule, const char *name)
{
    if (strncmp(rule, "*.", 2) != 0) {
        return strcasecmp(rule, name) == 0;
    }
    const char *dot = strchr(name, '.');
    return dot != NULL && dot != name && name[0] != '*' && strcasecmp(rule + 1, dot) == 0;
}

/* RFC 5321 2.4: the local part is compared as it is, the domain without case. */
static bool email_fits(const char *rule, const char *name)
{
    const char *at = strrchr(rule, '@');
    size_t local = (size_t)(at - rule);
    return strncmp(rule, name, local + 1) == 0 && strcasecmp(at, name + local) == 0;
}

static bool name_fits(const struct rule *rule, const char *name)
{
    switch (rule->kind) {
    case DNS:
        return dns_fits(rule->value, name);
    case EMAIL:
        return email_fits(rule->value, name);
    default:
        return strcmp(rule->value, name) == 0;
    }
}

static bool sans_fit(const struct rule *rule, const struct cleat_cert *leaf)
{
    char name[MAX_NAME];
    enum cleat_san_kind kind;
    for (size_t i = 0; i < cleat_cert_num_sans(leaf); i++) {
        /* A name that was cut is longer than any rule. */
        if (cleat_cert_san(leaf, i, &kind, name, sizeof(name)) && kind == kinds[rule->kind].san &&
            strlen(name) + 1 < sizeof(name) && name_fits(rule, name)) {
            return true;
        }
    }
    return false;
}

static bool rule_fits(const struct rule *rule, const struct cleat_cert *leaf)
{
    char name[MAX_NAME];
    uint8_t digest[32];
    switch (rule->kind) {
    case FINGERPRINT:
        cleat_cert_fingerprint(leaf, digest);
        return memcmp(digest, rule->fingerprint, sizeof(digest)) == 0;
    case CN:
        return cleat_cert_common_name(leaf, name, sizeof(name)) < sizeof(name) &&
               strcmp(rule->value, name) == 0;
    default:
        return sans_fit(rule, leaf);
    }
}

bool cl_clients_allow(const struct cl_clients *clients, const struct cleat_cert *leaf, char *why,
                      size_t cap)
{
    if (clients == NULL) {
        (void)snprintf(why, cap, "every client may come in");
        return true;
    }
    for (size_t i = 0; leaf != NULL && i < clients->num; i++) {
        if (rule_fits(&clients->rules[i], leaf)) {
            (void)snprintf(why, cap, "--client-allow %s", clients->rules[i].spelled);
            return true;
        }
    }
    (void)snprintf(why, cap,
                   leaf == NULL ? "it has no certificate"
                                : "none of the %zu --client-allow fits its certificate",
                   clients->num);
    return false;
}

void cl_clients_binding(const struct cl_clients *clients, char *out, size_t cap)
{
    struct cl_hash hash;
    uint8_t digest[32];
    char hex[2 * sizeof(digest) + 1];
    if (clients == NULL) {
        (void)snprintf(out, cap, "cleat serve");
        return;
    }
    cl_hash_init(&hash, CL_HASH_SHA256);
    for (size_t i = 0; i < clients->num; i++) {
        const struct rule *rule = &clients->rules[i];
        uint8_t kind = (uint8_t)rule->kind;
        cl_hash_update(&hash, &kind, 1);
        cl_hash_update(&hash, rule->value, strlen(rule->value) + 1);
    }
    cl_hash_peek(&hash, digest);
    cl_hex_encode(digest, sizeof(digest), hex);
    (void)snprintf(out, cap, "cleat serve, clients %s", hex);
}

/* ---- logs ---- */

static void put(struct cl_buf *out, const char *text)
{
    cl_access_escape(out, text, strlen(text), CL_ACCESS_MAX_FIELD);
}

static cl_result quoted(struct cl_buf *out, const char *text, const char *after)
{
    CL_TRY(cl_buf_append(out, "\"", 1, MAX_COLUMNS));
    put(out, text[0] != '\0' ? text : "-");
    CL_TRY(cl_buf_append(out, "\"", 1, MAX_COLUMNS));
    return cl_buf_append(out, after, strlen(after), MAX_COLUMNS);
}

static cl_result put_names(struct cl_buf *out, const struct cleat_cert *leaf)
{
    char name[MAX_NAME];
    enum cleat_san_kind kind;
    size_t num = cleat_cert_num_sans(leaf);
    CL_TRY(cl_buf_append(out, num > 0 ? "\"" : "\"-", num > 0 ? 1 : 2, MAX_COLUMNS));
    for (size_t i = 0; i < num && i < MAX_LOGGED; i++) {
        if (cleat_cert_san(leaf, i, &kind, name, sizeof(name))) {
            put(out, i > 0 ? "," : "");
            put(out, cleat_san_kind_name(kind));
            put(out, ":");
            put(out, name);
        }
    }
    return cl_buf_append(out, "\" ", 2, MAX_COLUMNS);
}

/* Log readers split at spaces. */
static cl_result put_user(struct cl_buf *out, const struct cleat_cert *leaf)
{
    char name[MAX_NAME] = "";
    enum cleat_san_kind kind;
    if (!cleat_cert_san(leaf, 0, &kind, name, sizeof(name)) || name[0] == '\0') {
        (void)cleat_cert_common_name(leaf, name, sizeof(name));
    }
    put(out, name[0] != '\0' ? name : "(unnamed)");
    for (size_t i = 0; i < out->len; i++) {
        out->p[i] = out->p[i] == ' ' ? '_' : out->p[i];
    }
    return out->len > 0 ? CL_OK : CLEAT_ERR_NOMEM;
}

static cl_result fill(struct cl_client_id *id, const struct cleat_cert *leaf)
{
    char text[MAX_NAME];
    uint8_t digest[32];
    CL_TRY(put_user(&id->user, leaf));
    (void)cleat_cert_subject(leaf, text, sizeof(text));
    CL_TRY(quoted(&id->columns, text, " "));
    CL_TRY(put_names(&id->columns, leaf));
    cleat_cert_fingerprint(leaf, digest);
    cl_hex_encode(digest, sizeof(digest), text);
    put(&id->columns, text);
    CL_TRY(cl_buf_append(&id->columns, " ", 1, MAX_COLUMNS));
    (void)cleat_cert_issuer(leaf, text, sizeof(text));
    return quoted(&id->columns, text, "");
}

cl_result cl_client_id_fill(struct cl_client_id *id, const struct cleat_cert *leaf)
{
    cl_result r = fill(id, leaf);
    if (r != CL_OK) {
        cl_client_id_deinit(id);
    }
    return r;
}

static cl_result fill_raw(struct cl_client_id *id, const uint8_t *spki, size_t len)
{
    uint8_t digest[32];
    char text[2 * sizeof(digest) + 1];
    char pin[CLEAT_RAW_PIN_LEN + 1];
    cleat_raw_key_pin(spki, len, pin);
    cl_hash_once(CL_HASH_SHA256, spki, len, digest);
    cl_hex_encode(digest, sizeof(digest), text);
    CL_TRY(cl_buf_append(&id->user, pin, strlen(pin), MAX_COLUMNS));
    CL_TRY(quoted(&id->columns, "raw public key", " "));
    CL_TRY(quoted(&id->columns, "", " "));
    CL_TRY(cl_buf_append(&id->columns, text, strlen(text), MAX_COLUMNS));
    CL_TRY(cl_buf_append(&id->columns, " ", 1, MAX_COLUMNS));
    return quoted(&id->columns, "", "");
}

cl_result cl_client_id_fill_raw(struct cl_client_id *id, const uint8_t *spki, size_t len)
{
    cl_result r = fill_raw(id, spki, len);
    if (r != CL_OK) {
        cl_client_id_deinit(id);
    }
    return r;
}

void cl_client_id_deinit(struct cl_client_id *id)
{
    cl_buf_deinit(&id->user);
    cl_buf_deinit(&id->columns);
}

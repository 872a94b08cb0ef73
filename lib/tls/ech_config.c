/* tls/ech_config.c - ECHConfig (RFC 9849 4): bytes to struct, then whether a client can use it; and
 * new ones. Lists come from DNS, from files and from servers that reject: all of them hostile. */
#include "tls/ech_config.h"

#include "base/text.h"
#include "tls/set16.h"
#include "x509/name.h"

/* RFC 9849 4.2: "an extension type codepoint with the high order bit set to 1" is mandatory */
#define MANDATORY   0x8000
/* 1,024: "tls ech", and a configuration that a client is to send with; those in use have 70 bytes,
 * with a post-quantum key perhaps 1,300, which is no KEM of ours */
#define ROOM_OF_NEW 1024

static bool parse_contents(struct cl_rd body, struct cl_ech_config *c)
{
    return cl_rd_u8(&body, &c->id) && cl_rd_u16(&body, &c->kem) &&
           cl_rd_vec16(&body, &c->public_key) && c->public_key.len != 0 &&
           cl_rd_vec16(&body, &c->suites) && c->suites.len >= 4 && c->suites.len % 4 == 0 &&
           cl_rd_u8(&body, &c->max_name_len) && cl_rd_vec8(&body, &c->public_name) &&
           c->public_name.len != 0 && cl_rd_vec16(&body, &c->extensions) && cl_rd_done(&body);
}

static bool extensions_valid(struct cl_rd list)
{
    uint16_t type;
    struct cl_rd data;
    while (!cl_rd_done(&list)) {
        if (!cl_rd_u16(&list, &type) || !cl_rd_vec16(&list, &data)) {
            return false;
        }
    }
    return true;
}

bool cl_ech_config_next(struct cl_rd *configs, struct cl_ech_config *out)
{
    const uint8_t *start = configs->p;
    struct cl_rd contents;
    *out = (struct cl_ech_config){0};
    if (!cl_rd_u16(configs, &out->version) || !cl_rd_vec16(configs, &contents)) {
        return false;
    }
    out->whole = cl_rd_of(start, 4 + contents.len);
    /* RFC 9849 4: "Clients MUST ignore any ECHConfig structure with a version they do not
     * support": its length is all that can be known */
    return out->version != CL_ECH_VERSION ||
           (parse_contents(contents, out) && extensions_valid(out->extensions));
}

bool cl_ech_list_open(struct cl_rd bytes, struct cl_rd *configs)
{
    struct cl_ech_config c;
    if (!cl_rd_vec16(&bytes, configs) || !cl_rd_done(&bytes) || cl_rd_done(configs)) {
        return false;
    }
    struct cl_rd rest = *configs;
    while (!cl_rd_done(&rest)) {
        if (!cl_ech_config_next(&rest, &c)) {
            return false;
        }
    }
    return true;
}

/* ---- may a client use it? ---- */

static bool is_suite(uint16_t kdf, uint16_t aead)
{
    return cl_hpke_kdf_name(kdf) != NULL && cl_hpke_aead_name(aead) != NULL &&
           aead != CL_HPKE_EXPORT_ONLY;
}

bool cl_ech_config_suite(const struct cl_ech_config *c, struct cl_hpke_suite *out)
{
    struct cl_rd list = c->suites;
    while (cl_rd_u16(&list, &out->kdf) && cl_rd_u16(&list, &out->aead)) {
        if (is_suite(out->kdf, out->aead)) {
            return true;
        }
    }
    return false;
}

bool cl_ech_config_has_suite(const struct cl_ech_config *c, struct cl_hpke_suite suite)
{
    struct cl_rd list = c->suites;
    uint16_t kdf, aead;
    while (cl_rd_u16(&list, &kdf) && cl_rd_u16(&list, &aead)) {
        if (kdf == suite.kdf && aead == suite.aead) {
            return is_suite(kdf, aead);
        }
    }
    return false;
}

/* RFC 9849 6.1.7: names whose last label a resolver may take for part of an IPv4 address. */
static bool ends_as_hexadecimal(struct cl_rd name)
{
    size_t at = name.len;
    while (at > 0 && name.p[at - 1] != '.') {
        at--;
    }
    if (name.len - at < 2 || name.p[at] != '0' || cl_ascii_lower(name.p[at + 1]) != 'x') {
        return false;
    }
    for (at += 2; at < name.len; at++) {
        const uint8_t c = cl_ascii_lower(name.p[at]);
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) {
            return false;
        }
    }
    return true;
}

static bool public_name_valid(struct cl_rd name)
{
    return cl_dns_valid(name, false) && !ends_as_hexadecimal(name);
}

static const char *extension_objection(struct cl_rd list)
{
    struct cl_set16 seen;
    uint16_t type;
    struct cl_rd data;
    seen.any = false;
    while (cl_rd_u16(&list, &type) && cl_rd_vec16(&list, &data)) {
        /* RFC 9849 4.2: "there MUST NOT be more than one extension of the same type" */
        if (cl_set16_add(&seen, type)) {
            return "an extension stands in it twice";
        }
        /* RFC 9849 4.2: "If an unsupported mandatory extension is present, clients MUST ignore the
         * ECHConfig"; none is supported */
        if ((type & MANDATORY) != 0) {
            return "it has a mandatory extension that is not known";
        }
    }
    return NULL;
}

const char *cl_ech_config_objection(const struct cl_ech_config *c)
{
    struct cl_hpke_suite suite;
    if (c->version != CL_ECH_VERSION) {
        return "its version is not known";
    }
    const struct cl_hpke_kem *kem = cl_hpke_kem_by_id(c->kem);
    if (kem == NULL) {
        return "its KEM is not known";
    }
    if (c->public_key.len != kem->public_len) {
        return "its public key is not as long as its KEM's are";
    }
    if (!cl_ech_config_suite(c, &suite)) {
        return "none of its cipher suites is known";
    }
    if (!public_name_valid(c->public_name)) {
        return "its public name is not a host name";
    }
    return extension_objection(c->extensions);
}

/* ---- building ---- */

static bool params_valid(const struct cleat_ech_params *p)
{
    bool ok = p->public_name != NULL && strlen(p->public_name) <= UINT8_MAX &&
              public_name_valid(cl_rd_str(p->public_name)) && p->num_suites <= CLEAT_ECH_MAX_SUITES;
    for (size_t i = 0; ok && i < p->num_suites; i++) {
        ok = is_suite(p->suites[i].kdf, p->suites[i].aead);
    }
    return ok;
}

cl_result cl_ech_config_build(const struct cleat_ech_params *params, uint8_t id,
                              const struct cl_hpke_key *key, struct cl_buf *out)
{
    static const struct cleat_ech_suite usual = {CL_HPKE_HKDF_SHA256, CL_HPKE_AES_128_GCM};
    const struct cleat_ech_suite *suites = params->num_suites != 0 ? params->suites : &usual;
    const size_t num = params->num_suites != 0 ? params->num_suites : 1;
    if (!params_valid(params)) {
        return CLEAT_ERR_BAD_CONFIG;
    }
    CL_TRY(cl_buf_reserve(out, ROOM_OF_NEW, CL_ECH_MAX_LIST));
    struct cl_wr w = cl_buf_writer(out);
    struct cl_wr_mark list = cl_wr_open16(&w);
    cl_wr_u16(&w, CL_ECH_VERSION);
    struct cl_wr_mark contents = cl_wr_open16(&w);
    cl_wr_u8(&w, id);
    cl_wr_u16(&w, key->kem->id);
    struct cl_wr_mark m = cl_wr_open16(&w);
    cl_wr_bytes(&w, key->public_key, key->kem->public_len);
    cl_wr_close(&w, m);
    m = cl_wr_open16(&w);
    for (size_t i = 0; i < num; i++) {
        cl_wr_u16(&w, suites[i].kdf);
        cl_wr_u16(&w, suites[i].aead);
    }
    cl_wr_close(&w, m);
    cl_wr_u8(&w, params->max_name_len);
    m = cl_wr_open8(&w);
    cl_wr_view(&w, cl_rd_str(params->public_name));
    cl_wr_close(&w, m);
    cl_wr_u16(&w, 0); /* no extensions */
    cl_wr_close(&w, contents);
    cl_wr_close(&w, list);
    cl_buf_commit(out, &w);
    return cl_wr_ok(&w) ? CL_OK : CLEAT_ERR_LIMIT;
}

cl_result cl_ech_info(struct cl_rd config, struct cl_buf *out)
{
    static const char label[] = "tls ech"; /* its NUL is the zero byte */
    CL_TRY(cl_buf_append(out, label, sizeof(label), CL_ECH_MAX_LIST));
    return cl_buf_append(out, config.p, config.len, CL_ECH_MAX_LIST);
}

/* ---- for display ---- */

int cleat_ech_list_get(const uint8_t *list, size_t len, size_t i, struct cleat_ech_config *out)
{
    struct cl_rd configs;
    struct cl_ech_config c;
    if (!cl_ech_list_open(cl_rd_of(list, len), &configs)) {
        return CLEAT_ERR_BAD_ECH_CONFIG;
    }
    do {
        if (cl_rd_done(&configs) || !cl_ech_config_next(&configs, &c)) {
            return CLEAT_ERR_USAGE;
        }
    } while (i-- > 0);
    const struct cl_hpke_kem *kem = cl_hpke_kem_by_id(c.kem);
    *out = (struct cleat_ech_config){
        .bytes = c.whole.p,
        .len = c.whole.len,
        .version = c.version,
        .unusable = cl_ech_config_objection(&c),
        .config_id = c.id,
        .kem = c.kem,
        .kem_name = kem != NULL ? kem->name : NULL,
        .public_key = c.public_key.p,
        .public_key_len = c.public_key.len,
        .suites = c.suites.p,
        .suites_len = c.suites.len,
        .max_name_len = c.max_name_len,
        .public_name = (const char *)c.public_name.p,
        .public_name_len = c.public_name.len,
        .extensions = c.extensions.p,
        .extensions_len = c.extensions.len,
    };
    return CLEAT_OK;
}

const char *cleat_ech_kdf_name(uint16_t kdf)
{
    return cl_hpke_kdf_name(kdf);
}

const char *cleat_ech_aead_name(uint16_t aead)
{
    return cl_hpke_aead_name(aead);
}

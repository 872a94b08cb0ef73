/* cli/client_options.c - see client_options.h. */
#include "cli/client_options.h"

#include <strings.h>

#include "cleat/tls.h"
#include "cli/cert_items.h"
#include "cli/client_ct.h"
#include "cli/client_dane.h"
#include "cli/client_pins.h"
#include "cli/client_revocation.h"

static int set_family4(void *options, const struct cl_options *from)
{
    ((struct client_options *)options)->family = AF_INET;
    return 0;
}

static int set_family6(void *options, const struct cl_options *from)
{
    ((struct client_options *)options)->family = AF_INET6;
    return 0;
}

static int set_tls12(void *options, const struct cl_options *from)
{
    ((struct client_options *)options)->tls_min = CLEAT_TLS_1_2;
    return 0;
}

static int set_tls13(void *options, const struct cl_options *from)
{
    ((struct client_options *)options)->tls_min = CLEAT_TLS_1_3;
    return 0;
}

/* As curl: DER and engines are among its types, too. */
static int set_cert_type(void *options, const struct cl_options *from)
{
    ((struct client_options *)options)->cert_type = from->value;
    return strcasecmp(from->value, "PEM") == 0 || strcasecmp(from->value, "P12") == 0
               ? 0
               : cl_options_complain(from->usage,
                                     "--cert-type takes PEM or P12, not '%s'; other files are "
                                     "converted by 'cleat cert convert'",
                                     from->value);
}

static int set_passin(void *options, const struct cl_options *from)
{
    return cert_pass_set(&((struct client_options *)options)->passin, from);
}

#define AT(field) offsetof(struct client_options, field)
static const struct cl_setter setters[] = {
    {CLIENT_VERBOSE, CL_SET_TRUE, AT(verbose), NULL},
    {CLIENT_INSECURE, CL_SET_TRUE, AT(insecure), NULL},
    {CLIENT_TRACE_JSON, CL_SET_TEXT, AT(trace_json), NULL},
    {CLIENT_PCAP, CL_SET_TEXT, AT(pcap), NULL},
    {CLIENT_RECORD, CL_SET_TEXT, AT(record), NULL},
    {CLIENT_RECORD_SECRETS, CL_SET_TRUE, AT(record_secrets), NULL},
    {CLIENT_CACERT, CL_SET_TEXT, AT(cacert), NULL},
    {CLIENT_CAPATH, CL_SET_TEXT, AT(capath), NULL},
    {CLIENT_CERT, CL_SET_TEXT, AT(cert), NULL},
    {CLIENT_CERT_TYPE, CL_SET_BY_FUNCTION, 0, set_cert_type},
    {CLIENT_KEY, CL_SET_TEXT, AT(key), NULL},
    {CLIENT_PASS, CL_SET_TEXT, AT(pass), NULL},
    {CLIENT_PASSIN, CL_SET_BY_FUNCTION, 0, set_passin},
    {CLIENT_PROFILE, CL_SET_TEXT, AT(profile), NULL},
    {CLIENT_CIPHERS, CL_SET_TEXT, AT(ciphers), NULL},
    {CLIENT_TLS13_CIPHERS, CL_SET_TEXT, AT(tls13_ciphers), NULL},
    {CLIENT_CURVES, CL_SET_TEXT, AT(curves), NULL},
    {CLIENT_SIGALGS, CL_SET_TEXT, AT(sigalgs), NULL},
    {CLIENT_PSK, CL_SET_TEXT, AT(psk), NULL},
    {CLIENT_CERT_COMPRESSION, CL_SET_TEXT, AT(cert_compression), NULL},
    {CLIENT_ECH, CL_SET_TEXT, AT(ech), NULL},
    {CLIENT_PINNED, CL_SET_TEXT, AT(pinned), NULL},
    {CLIENT_RAW_KEY, CL_SET_TEXT, AT(raw_public_key), NULL},
    {CLIENT_RAW_KEY_PIN, CL_SET_WORD, AT(raw_key_pins), NULL},
    {CLIENT_REVOCATION, CL_SET_TEXT, AT(revocation), NULL},
    {CLIENT_REVOCATION_CACHE, CL_SET_TEXT, AT(revocation_cache), NULL},
    {CLIENT_REVOCATION_TIMEOUT, CL_SET_SECONDS, AT(revocation_timeout_ms), NULL},
    {CLIENT_AIA, CL_SET_TRUE, AT(aia), NULL},
    {CLIENT_HARD_FAIL, CL_SET_TRUE, AT(hard_fail), NULL},
    {CLIENT_CERT_STATUS, CL_SET_TRUE, AT(cert_status), NULL},
    {CLIENT_CT, CL_SET_TRUE, AT(ct), NULL},
    {CLIENT_CT_LOGS, CL_SET_TEXT, AT(ct_logs), NULL},
    {CLIENT_CRL_FILE, CL_SET_WORD, AT(crl_files), NULL},
    {CLIENT_OCSP_RESPONSE, CL_SET_WORD, AT(ocsp_responses), NULL},
    {CLIENT_TLSA, CL_SET_WORD, AT(tlsa), NULL},
    {CLIENT_DOH_URL, CL_SET_TEXT, AT(doh_url), NULL},
    {CLIENT_DOH_INSECURE, CL_SET_TRUE, AT(doh_insecure), NULL},
    {CLIENT_PROXY, CL_SET_TEXT, AT(proxy), NULL},
    {CLIENT_NOPROXY, CL_SET_TEXT, AT(noproxy), NULL},
    {CLIENT_PROXY_USER, CL_SET_TEXT, AT(proxy_user), NULL},
    {CLIENT_PROXY_HEADER, CL_SET_WORD, AT(proxy_headers), NULL},
    {CLIENT_PROXY_CACERT, CL_SET_TEXT, AT(proxy_cacert), NULL},
    {CLIENT_PROXY_INSECURE, CL_SET_TRUE, AT(proxy_insecure), NULL},
    {CLIENT_RESOLVE, CL_SET_WORD, AT(resolves), NULL},
    {CLIENT_CONNECT_TO, CL_SET_WORD, AT(connect_tos), NULL},
    {CLIENT_CONNECT_TIMEOUT, CL_SET_SECONDS, AT(connect_timeout_ms), NULL},
    {CLIENT_TLS_MAX, CL_SET_VERSION, AT(tls_max), NULL},
    {CLIENT_TLS_MIN, CL_SET_VERSION, AT(tls_min), NULL},
    {CLIENT_IPV4, CL_SET_BY_FUNCTION, 0, set_family4},
    {CLIENT_IPV6, CL_SET_BY_FUNCTION, 0, set_family6},
    {CLIENT_TLS12, CL_SET_BY_FUNCTION, 0, set_tls12},
    {CLIENT_TLS13, CL_SET_BY_FUNCTION, 0, set_tls13},
};

int client_options_set(struct client_options *o, int id, const struct cl_options *from)
{
    return cl_setters_apply(setters, sizeof(setters) / sizeof(setters[0]), id, o, from);
}

int client_options_check(const struct client_options *o, const struct cl_usage *usage)
{
    if (o->tls_min != 0 && o->tls_max != 0 && o->tls_min > o->tls_max) {
        return cl_options_complain(usage, "the lowest TLS version is above the highest");
    }
    if (o->key != NULL && o->cert == NULL) {
        return cl_options_complain(usage, "--key is of no use without --cert");
    }
    if (o->cert_type != NULL && o->cert == NULL) {
        return cl_options_complain(usage, "--cert-type is of no use without --cert");
    }
    if ((o->pass != NULL || o->passin != NULL) && o->cert == NULL && o->raw_public_key == NULL) {
        return cl_options_complain(usage, "%s is of no use without --cert or --raw-public-key",
                                   o->pass != NULL ? "--pass" : "--passin");
    }
    if (o->pass != NULL && o->passin != NULL) {
        return cl_options_complain(usage, "--pass and --passin: give one of the two");
    }
    if (o->record_secrets && o->record == NULL) {
        return cl_options_complain(usage, "--record-secrets is of no use without --record FILE");
    }
    if (o->insecure && o->raw_key_pins.num != 0) {
        return cl_options_complain(usage,
                                   "-k accepts any key, --raw-key-pin one: give one of the two");
    }
    int code = client_pins_check(o, usage);
    code = code != 0 ? code : client_dane_check(o, usage);
    code = code != 0 ? code : client_ct_check(o, usage);
    return code != 0 ? code : client_revocation_check(o, usage);
}

void client_options_deinit(struct client_options *o)
{
    cl_words_deinit(&o->resolves);
    cl_words_deinit(&o->connect_tos);
    cl_words_deinit(&o->raw_key_pins);
    cl_words_deinit(&o->crl_files);
    cl_words_deinit(&o->ocsp_responses);
    cl_words_deinit(&o->tlsa);
    cl_words_deinit(&o->proxy_headers);
    *o = (struct client_options){0};
}

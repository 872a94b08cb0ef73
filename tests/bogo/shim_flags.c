/* tests/bogo/shim_flags.c - see shim_flags.h. */
#include "bogo/shim_flags.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind {
    IGNORED,       /* what it asks for is always so here, or cannot be told apart */
    IGNORED_VALUE, /* the same, and a value follows */
    BOOL,
    INT,
    LIST, /* one number an occurrence */
    TEXT,
    NEW_CREDENTIAL,
    NEW_RAW_CREDENTIAL,
    CREDENTIAL_TEXT, /* of the newest credential */
    CREDENTIAL_LIST,
    CREDENTIAL_BOOL,
    BASE64,
    BASE64_LIST, /* one an occurrence */
    CREDENTIAL_BASE64,
};

struct flag {
    const char *name;
    enum kind kind;
    size_t offset;
};

#define OPTION(member)     offsetof(struct shim_options, member)
#define CREDENTIAL(member) offsetof(struct shim_credential, member)

static const struct flag flags[] = {
    {"-port", INT, OPTION(port)},
    {"-shim-id", INT, OPTION(shim_id)},
    {"-ipv6", BOOL, OPTION(ipv6)},
    {"-server", BOOL, OPTION(server)},
    {"-resume-count", INT, OPTION(resume_count)},
    {"-is-handshaker-supported", BOOL, OPTION(is_handshaker_supported)},
    /* credentials */
    {"-new-x509-credential", NEW_CREDENTIAL, 0},
    {"-new-rpk-credential", NEW_RAW_CREDENTIAL, 0},
    {"-cert-file", CREDENTIAL_TEXT, CREDENTIAL(cert_file)},
    {"-key-file", CREDENTIAL_TEXT, CREDENTIAL(key_file)},
    {"-signing-prefs", CREDENTIAL_LIST, CREDENTIAL(signing_prefs)},
    {"-must-match-issuer", CREDENTIAL_BOOL, CREDENTIAL(must_match_issuer)},
    {"-ocsp-response", CREDENTIAL_BASE64, CREDENTIAL(ocsp_response)},
    {"-signed-cert-timestamps", CREDENTIAL_BASE64, CREDENTIAL(scts)},
    {"-new-psk-credential", NEW_CREDENTIAL, 0},
    {"-psk-importer-key", CREDENTIAL_BASE64, CREDENTIAL(psk)},
    {"-psk-importer-identity", CREDENTIAL_BASE64, CREDENTIAL(psk_identity)},
    {"-psk-importer-context", CREDENTIAL_BASE64, CREDENTIAL(psk_context)},
    {"-psk-importer-sha256", CREDENTIAL_BOOL, CREDENTIAL(psk_sha256)},
    {"-psk-importer-sha384", CREDENTIAL_BOOL, CREDENTIAL(psk_sha384)},
    {"-expect-selected-credential", LIST, OPTION(expect_selected_credential)},
    {"-accepted-peer-cert-types", LIST, OPTION(accepted_peer_cert_types)},
    {"-available-client-cert-types", LIST, OPTION(available_client_cert_types)},
    {"-expect-peer-certificate-type", LIST, OPTION(expect_peer_certificate_type)},
    {"-expect-peer-rpk-sha256", BASE64, OPTION(expect_peer_rpk_sha256)},
    /* what is negotiated */
    {"-min-version", INT, OPTION(min_version)},
    {"-max-version", INT, OPTION(max_version)},
    {"-no-tls13", BOOL, OPTION(no_tls13)},
    {"-no-tls12", BOOL, OPTION(no_tls12)},
    {"-server-preference", IGNORED, 0},
    {"-no-tls11", IGNORED, 0},
    {"-no-tls1", IGNORED, 0},
    {"-cipher", TEXT, OPTION(cipher)},
    {"-psk", TEXT, OPTION(psk)},
    {"-psk-identity", TEXT, OPTION(psk_identity)},
    {"-curves", LIST, OPTION(curves)},
    {"-verify-prefs", LIST, OPTION(verify_prefs)},
    {"-host-name", TEXT, OPTION(host_name)},
    {"-advertise-alpn", TEXT, OPTION(advertise_alpn)},
    {"-select-alpn", TEXT, OPTION(select_alpn)},
    {"-decline-alpn", BOOL, OPTION(decline_alpn)},
    {"-reject-alpn", BOOL, OPTION(reject_alpn)},
    {"-no-ticket", BOOL, OPTION(no_ticket)},
    {"-enable-early-data", BOOL, OPTION(enable_early_data)},
    {"-enable-ocsp-stapling", BOOL, OPTION(enable_ocsp_stapling)},
    {"-enable-signed-cert-timestamps", BOOL, OPTION(enable_signed_cert_timestamps)},
    {"-fallback-scsv", BOOL, OPTION(fallback_scsv)},
    {"-false-start", BOOL, OPTION(false_start)},
    {"-allow-false-start-without-alpn", BOOL, OPTION(allow_false_start_without_alpn)},
    {"-use-client-ca-list", TEXT, OPTION(use_client_ca_list)},
    {"-max-send-fragment", INT, OPTION(max_send_fragment)},
    /* tickets are sealed with keys that the application can set; a callback is not needed */
    {"-use-ticket-callback", IGNORED, 0},
    {"-use-ticket-aead-callback", IGNORED, 0},
    {"-renew-ticket", IGNORED, 0}, /* always done */
    {"-skip-ticket", BOOL, OPTION(skip_ticket)},
    {"-enable-grease", BOOL, OPTION(enable_grease)},
    {"-install-cert-compression-algs", BOOL, OPTION(install_cert_compression_algs)},
    {"-install-one-cert-compression-alg", INT, OPTION(install_one_cert_compression_alg)},
    {"-permute-extensions", BOOL, OPTION(permute_extensions)},
    {"-reverify-on-resume", BOOL, OPTION(reverify_on_resume)},
    {"-verify-peer", BOOL, OPTION(verify_peer)},
    {"-require-any-client-certificate", BOOL, OPTION(require_any_client_certificate)},
    /* decisions of the application */
    {"-verify-fail", BOOL, OPTION(verify_fail)},
    {"-fail-early-callback", BOOL, OPTION(fail_early_callback)},
    {"-fail-ddos-callback", BOOL, OPTION(fail_ddos_callback)},
    {"-fail-cert-callback", BOOL, OPTION(fail_cert_callback)},
    {"-use-ocsp-callback", BOOL, OPTION(use_ocsp_callback)},
    {"-set-ocsp-in-callback", IGNORED, 0},
    {"-decline-ocsp-callback", BOOL, OPTION(decline_ocsp_callback)},
    {"-fail-ocsp-callback", BOOL, OPTION(fail_ocsp_callback)},
    {"-use-early-callback", IGNORED, 0},
    {"-install-ddos-callback", IGNORED, 0},
    {"-use-old-client-cert-callback", IGNORED, 0},
    {"-use-custom-verify-callback", BOOL, OPTION(use_custom_verify_callback)},
    {"-expect-verify-result", IGNORED, 0},
    {"-trust-cert", IGNORED_VALUE, 0}, /* this application decides about the peer itself */
    /* what the shim does */
    {"-async", BOOL, OPTION(async)},
    {"-implicit-handshake", BOOL, OPTION(implicit_handshake)},
    {"-no-op-extra-handshake", IGNORED, 0},
    {"-handshake-twice", BOOL, OPTION(handshake_twice)},
    {"-shim-writes-first", BOOL, OPTION(shim_writes_first)},
    {"-shim-initial-write", TEXT, OPTION(shim_initial_write)},
    {"-repeat-shim-initial-write", INT, OPTION(repeat_shim_initial_write)},
    {"-shim-shuts-down", BOOL, OPTION(shim_shuts_down)},
    {"-check-close-notify", BOOL, OPTION(check_close_notify)},
    {"-handshake-never-done", BOOL, OPTION(handshake_never_done)},
    {"-key-update", BOOL, OPTION(key_update)},
    {"-key-update-before-read", BOOL, OPTION(key_update_before_read)},
    {"-read-with-unfinished-write", BOOL, OPTION(read_with_unfinished_write)},
    {"-write-different-record-sizes", BOOL, OPTION(write_different_record_sizes)},
    {"-partial-write", IGNORED, 0},
    {"-read-size", IGNORED_VALUE, 0},
    {"-peek-then-read", IGNORED, 0}, /* data stays in view until the next step */
    {"-use-exporter-between-reads", BOOL, OPTION(use_exporter_between_reads)},
    {"-export-keying-material", INT, OPTION(export_keying_material)},
    {"-export-label", TEXT, OPTION(export_label)},
    {"-export-context", TEXT, OPTION(export_context)},
    {"-use-export-context", BOOL, OPTION(use_export_context)},
    {"-export-traffic-secrets", BOOL, OPTION(export_traffic_secrets)},
    {"-tls-unique", BOOL, OPTION(tls_unique)},
    {"-send-alert", BOOL, OPTION(send_alert)},
    {"-early-write-after-message", INT, OPTION(early_write_after_message)},
    {"-resumption-delay", INT, OPTION(resumption_delay)},
    /* what must come out */
    {"-expect-version", INT, OPTION(expect_version)},
    {"-expect-cipher", INT, OPTION(expect_cipher)},
    {"-expect-cipher-aes", INT, OPTION(expect_cipher)}, /* the tests' machines have AES */
    {"-expect-cipher-no-aes", IGNORED_VALUE, 0},
    {"-expect-peer-verify-pref", LIST, OPTION(expect_peer_verify_prefs)},
    {"-expect-curve-id", INT, OPTION(expect_curve_id)},
    {"-expect-peer-signature-algorithm", INT, OPTION(expect_peer_signature_algorithm)},
    {"-expect-server-name", TEXT, OPTION(expect_server_name)},
    {"-expect-no-server-name", BOOL, OPTION(expect_no_server_name)},
    {"-expect-alpn", TEXT, OPTION(expect_alpn)},
    {"-expect-advertised-alpn", TEXT, OPTION(expect_advertised_alpn)},
    {"-expect-peer-cert-file", TEXT, OPTION(expect_peer_cert_file)},
    {"-expect-no-peer-cert", BOOL, OPTION(expect_no_peer_cert)},
    {"-expect-session-miss", BOOL, OPTION(expect_session_miss)},
    {"-expect-no-session", BOOL, OPTION(expect_no_session)},
    {"-expect-accept-early-data", BOOL, OPTION(expect_accept_early_data)},
    {"-expect-reject-early-data", BOOL, OPTION(expect_reject_early_data)},
    {"-expect-no-offer-early-data", BOOL, OPTION(expect_no_offer_early_data)},
    {"-expect-ticket-supports-early-data", BOOL, OPTION(expect_ticket_supports_early_data)},
    {"-expect-early-data-reason", TEXT, OPTION(expect_early_data_reason)},
    {"-expect-ticket-age-skew", INT, OPTION(expect_ticket_age_skew)},
    {"-expect-ocsp-response", BASE64, OPTION(expect_ocsp_response)},
    {"-expect-signed-cert-timestamps", BASE64, OPTION(expect_scts)},
    {"-expect-ticket-renewal", BOOL, OPTION(expect_ticket_renewal)},
    {"-expect-client-ca-list", TEXT, OPTION(expect_client_ca_list)},
    {"-expect-certificate-types", BASE64, OPTION(expect_certificate_types)},
    {"-enable-ech-grease", BOOL, OPTION(enable_ech_grease)},
    {"-reject-unusable-ech-config", BOOL, OPTION(reject_unusable_ech_config)},
    {"-ech-config-list", BASE64, OPTION(ech_config_list)},
    {"-ech-server-config", BASE64_LIST, OPTION(ech_server_configs)},
    {"-ech-server-key", BASE64_LIST, OPTION(ech_server_keys)},
    {"-ech-is-retry-config", LIST, OPTION(ech_is_retry_config)},
    {"-expect-ech-accept", BOOL, OPTION(expect_ech_accept)},
    {"-expect-ech-name-override", TEXT, OPTION(expect_ech_name_override)},
    {"-expect-no-ech-name-override", BOOL, OPTION(expect_no_ech_name_override)},
    {"-expect-ech-retry-configs", BASE64, OPTION(expect_ech_retry_configs)},
    {"-expect-no-ech-retry-configs", BOOL, OPTION(expect_no_ech_retry_configs)},
    {"-expect-hrr", BOOL, OPTION(expect_hrr)},
    {"-expect-no-hrr", BOOL, OPTION(expect_no_hrr)},
    {"-expect-extended-master-secret", BOOL, OPTION(expect_extended_master_secret)},
    /* without it no handshake of TLS 1.2 comes to an end */
    {"-expect-secure-renegotiation", IGNORED, 0},
    {"-no-legacy-server-connect", IGNORED, 0},
    /* what is always done with a HelloRequest (RFC 5246 7.4.1.1) */
    {"-renegotiate-ignore", IGNORED, 0},
    {"-expect-session-id", IGNORED, 0},
    {"-expect-no-session-id", IGNORED, 0},
};

_Noreturn void shim_not_implemented(const char *what)
{
    (void)fprintf(stderr, "not implemented: %s\n", what);
    exit(SHIM_EXIT_NOT_IMPLEMENTED);
}

static _Noreturn void bad_value(const char *name, const char *value)
{
    (void)fprintf(stderr, "bad value for %s: %s\n", name, value);
    exit(SHIM_EXIT_FAILED);
}

static const struct flag *find_flag(const char *name)
{
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (strcmp(flags[i].name, name) == 0) {
            return &flags[i];
        }
    }
    return NULL;
}

static long number(const struct flag *flag, const char *value)
{
    char *end;
    errno = 0;
    long n = strtol(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0') {
        bad_value(flag->name, value);
    }
    return n;
}

static void add(const struct flag *flag, struct shim_list *list, const char *value)
{
    if (list->num == SHIM_MAX_LIST) {
        bad_value(flag->name, value);
    }
    list->items[list->num++] = number(flag, value);
}

static int base64_value(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

static struct shim_bytes base64(const struct flag *flag, const char *value)
{
    size_t len = strlen(value);
    struct shim_bytes out = {malloc(len + 1), 0};
    unsigned bits = 0;
    int have = 0;
    for (size_t i = 0; out.p != NULL && i < len && value[i] != '='; i++) {
        int digit = base64_value(value[i]);
        if (digit < 0) {
            bad_value(flag->name, value);
        }
        bits = bits << 6 | (unsigned)digit;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out.p[out.len++] = (uint8_t)(bits >> have);
        }
    }
    return out; /* the process's, to its end */
}

static void add_bytes(const struct flag *flag, struct shim_bytes_list *list, const char *value)
{
    if (list->num == SHIM_MAX_LIST) {
        bad_value(flag->name, value);
    }
    list->items[list->num++] = base64(flag, value);
}

static void apply(const struct flag *flag, struct shim_options *o, const char *value)
{
    char *option = (char *)o + flag->offset;
    char *credential = (char *)&o->credentials[o->num_new_credentials] + flag->offset;
    switch (flag->kind) {
    case IGNORED:
    case IGNORED_VALUE:
        break;
    case BOOL:
        *(bool *)(void *)option = true;
        break;
    case INT:
        *(long *)(void *)option = number(flag, value);
        break;
    case LIST:
        add(flag, (struct shim_list *)(void *)option, value);
        break;
    case TEXT:
        *(const char **)(void *)option = value;
        break;
    case BASE64:
        *(struct shim_bytes *)(void *)option = base64(flag, value);
        break;
    case BASE64_LIST:
        add_bytes(flag, (struct shim_bytes_list *)(void *)option, value);
        break;
    case CREDENTIAL_BASE64:
        *(struct shim_bytes *)(void *)credential = base64(flag, value);
        break;
    case NEW_CREDENTIAL:
    case NEW_RAW_CREDENTIAL:
        if (++o->num_new_credentials == SHIM_MAX_CREDENTIALS) {
            bad_value(flag->name, "too many");
        }
        o->credentials[o->num_new_credentials].raw = flag->kind == NEW_RAW_CREDENTIAL;
        break;
    case CREDENTIAL_TEXT:
        *(const char **)(void *)credential = value;
        break;
    case CREDENTIAL_BOOL:
        *(bool *)(void *)credential = true;
        break;
    case CREDENTIAL_LIST:
        add(flag, (struct shim_list *)(void *)credential, value);
        break;
    }
}

static bool has_value(const struct flag *flag)
{
    return flag->kind != IGNORED && flag->kind != BOOL && flag->kind != NEW_CREDENTIAL &&
           flag->kind != NEW_RAW_CREDENTIAL && flag->kind != CREDENTIAL_BOOL;
}

/* Takes "-on-resume" off "-on-resume-verify-fail". */
static bool take_prefix(const char **name, const char *prefix)
{
    size_t len = strlen(prefix);
    if (strncmp(*name, prefix, len) != 0 || (*name)[len] != '-') {
        return false;
    }
    *name += len;
    return true;
}

static void set_defaults(struct shim_options *o)
{
    o->shim_initial_write = "hello";
    o->repeat_shim_initial_write = 1;
    o->export_label = "";
    o->export_context = "";
}

void shim_parse_flags(int argc, char **argv, struct shim_command *out)
{
    memset(out, 0, sizeof(*out));
    set_defaults(&out->initial);
    set_defaults(&out->resume);
    set_defaults(&out->retry);
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i];
        (void)take_prefix(&name, "-on-shim");
        bool initial = take_prefix(&name, "-on-initial");
        bool resume = !initial && take_prefix(&name, "-on-resume");
        bool retry = !initial && !resume && take_prefix(&name, "-on-retry");
        const struct flag *flag = find_flag(name);
        if (flag == NULL) {
            shim_not_implemented(name);
        }
        const char *value = NULL;
        if (has_value(flag)) {
            if (++i == argc) {
                bad_value(name, "none given");
            }
            value = argv[i];
        }
        if (!resume && !retry) {
            apply(flag, &out->initial, value);
        }
        if (!initial && !retry) {
            apply(flag, &out->resume, value);
        }
        if (!initial && !resume) {
            apply(flag, &out->retry, value);
        }
    }
}

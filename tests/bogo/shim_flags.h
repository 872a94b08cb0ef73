/* tests/bogo/shim_flags.h - the command line of BoringSSL's test runner, parsed into options.
 *
 * One table {name, kind, where it goes} in shim_flags.c. A flag that is not in it ends the process
 * with 89, which the runner takes for "not implemented". A prefix -on-initial-, -on-resume- or
 * -on-retry- restricts a flag to one kind of connection.
 */
#ifndef BOGO_SHIM_FLAGS_H
#define BOGO_SHIM_FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHIM_EXIT_FAILED          1
#define SHIM_EXIT_NOT_IMPLEMENTED 89

/* 32: more than any case gives */
#define SHIM_MAX_LIST        32
#define SHIM_MAX_CREDENTIALS 8

struct shim_list {
    long items[SHIM_MAX_LIST];
    size_t num;
};

struct shim_bytes {
    uint8_t *p;
    size_t len;
};

struct shim_bytes_list {
    struct shim_bytes items[SHIM_MAX_LIST];
    size_t num;
};

struct shim_credential {
    bool raw; /* a raw public key: key_file alone */
    const char *cert_file;
    const char *key_file;
    struct shim_list signing_prefs;
    bool must_match_issuer;
    struct shim_bytes ocsp_response;
    struct shim_bytes scts;
    struct shim_bytes psk; /* imported; a credential has this or a certificate */
    struct shim_bytes psk_identity;
    struct shim_bytes psk_context;
    bool psk_sha256;
    bool psk_sha384;
};

struct shim_options {
    long port;
    long shim_id;
    bool ipv6;
    bool server;
    long resume_count;
    bool is_handshaker_supported;

    /* credentials[0] is the default one; -new-x509-credential begins the next */
    struct shim_credential credentials[SHIM_MAX_CREDENTIALS];
    size_t num_new_credentials;
    struct shim_list expect_selected_credential;
    struct shim_list accepted_peer_cert_types;
    struct shim_list available_client_cert_types;
    struct shim_list expect_peer_certificate_type;
    struct shim_bytes expect_peer_rpk_sha256;

    long min_version;
    long max_version;
    bool no_tls13;
    bool no_tls12;
    const char *cipher;
    const char *psk; /* of TLS 1.2 */
    const char *psk_identity;
    struct shim_list curves;
    struct shim_list verify_prefs;
    const char *host_name;
    const char *advertise_alpn;
    const char *select_alpn;
    bool decline_alpn;
    bool reject_alpn;
    bool no_ticket;
    bool verify_peer;
    bool require_any_client_certificate;

    bool enable_early_data;
    bool enable_ocsp_stapling;
    bool enable_signed_cert_timestamps;
    bool fallback_scsv;
    bool enable_grease;
    bool install_cert_compression_algs;
    long install_one_cert_compression_alg;
    bool permute_extensions;
    bool reverify_on_resume;

    bool false_start;
    bool allow_false_start_without_alpn;
    const char *use_client_ca_list; /* DER names in hexadecimal, separated by commas */
    long max_send_fragment;
    bool skip_ticket;

    bool verify_fail;
    bool use_ocsp_callback;
    bool decline_ocsp_callback;
    bool fail_ocsp_callback;
    bool use_custom_verify_callback;
    bool fail_early_callback;
    bool fail_ddos_callback;
    bool fail_cert_callback;

    bool async;
    bool implicit_handshake;
    bool handshake_twice;
    bool shim_writes_first;
    const char *shim_initial_write;
    long repeat_shim_initial_write;
    bool shim_shuts_down;
    bool check_close_notify;
    bool handshake_never_done;
    bool key_update;
    bool key_update_before_read;
    bool read_with_unfinished_write;
    bool write_different_record_sizes;
    bool use_exporter_between_reads;
    long export_keying_material;
    const char *export_label;
    const char *export_context;
    bool use_export_context;
    bool export_traffic_secrets;
    bool tls_unique;
    long resumption_delay;
    bool send_alert;
    long early_write_after_message;

    long expect_version;
    long expect_cipher;
    struct shim_list expect_peer_verify_prefs;
    long expect_curve_id;
    long expect_peer_signature_algorithm;
    const char *expect_server_name;
    bool expect_no_server_name;
    const char *expect_alpn;
    const char *expect_advertised_alpn;
    const char *expect_peer_cert_file;
    bool expect_no_peer_cert;
    bool expect_session_miss;
    bool expect_no_session;
    bool expect_ticket_renewal;
    bool expect_extended_master_secret;
    bool expect_accept_early_data;
    bool expect_reject_early_data;
    bool expect_no_offer_early_data;
    bool expect_ticket_supports_early_data;
    const char *expect_early_data_reason;
    long expect_ticket_age_skew;
    struct shim_bytes expect_ocsp_response;
    struct shim_bytes expect_scts;
    const char *expect_client_ca_list;
    struct shim_bytes expect_certificate_types;
    bool enable_ech_grease;
    bool reject_unusable_ech_config;
    struct shim_bytes ech_config_list;
    struct shim_bytes_list ech_server_configs;
    struct shim_bytes_list ech_server_keys;
    struct shim_list ech_is_retry_config;
    bool expect_ech_accept;
    const char *expect_ech_name_override;
    bool expect_no_ech_name_override;
    struct shim_bytes expect_ech_retry_configs;
    bool expect_no_ech_retry_configs;

    bool expect_hrr;
    bool expect_no_hrr;
};

struct shim_command {
    struct shim_options initial;
    struct shim_options resume;
    struct shim_options retry; /* a resumption whose early data was refused, from there on */
};

/* shim_parse_flags fills *out; exits with 89 at the first flag that is not known, with 1 at a value
 * that makes no sense. */
void shim_parse_flags(int argc, char **argv, struct shim_command *out);

/* shim_not_implemented ends the process as a case for which something is missing. */
_Noreturn void shim_not_implemented(const char *what);

#endif

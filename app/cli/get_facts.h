/* cli/get_facts.h - what is known about a transfer when it is over, for --write-out. */
#ifndef CL_CLI_GET_FACTS_H
#define CL_CLI_GET_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "cleat/http.h"
#include "dns/addr.h"

/* Times are microseconds since the transfer began; 0: not reached. Texts are "" when not known. */
struct get_slo;

struct get_facts {
    uint64_t time_namelookup, time_connect, time_appconnect, time_pretransfer, time_starttransfer;
    uint64_t time_posttransfer, time_redirect, time_total;
    uint64_t size_download, size_upload, size_header, size_request;
    uint64_t speed_download, speed_upload; /* bytes a second */
    long http_code, exit_code, num_redirects, num_connects, num_headers, ssl_verify_result, url_num;
    long remote_port, local_port;
    long http_connect; /* of the last answer to CONNECT */
    long num_retries, num_certs, xfer_id, conn_id, tls_early_bytes;
    long tls_ocsp_bytes, tls_scts; /* what came with the certificate */
    bool resumed, hello_retry, proxy_used;
    char url[CLEAT_HTTP_MAX_URL + 1];
    char url_effective[2 * CLEAT_HTTP_MAX_URL + 1];
    char redirect_url[2 * CLEAT_HTTP_MAX_URL + 1];
    char method[CLEAT_HTTP_MAX_METHOD + 1];
    char http_version[8];
    char content_type[256];
    char filename_effective[256];
    char errormsg[360];
    char remote_ip[CL_ADDR_TEXT_SIZE];
    char local_ip[CL_ADDR_TEXT_SIZE];
    char scheme[8];
    char tls_version[16], tls_cipher[64], tls_group[32], tls_signature[40], tls_alpn[64];
    char tls_ocsp_status[20];
    char tls_early_data[16]; /* accepted, rejected, not-sent */
    char tls_ech[16];        /* cleat_ech_status_name() */
    char referer[CLEAT_HTTP_MAX_URL + 1];
    struct cl_buf head;  /* of the last response, without the empty line */
    struct cl_buf certs; /* what the server showed, PEM; empty when it was resumed */
    struct cl_buf page;  /* --mixed-content: what is looked at */
    const struct get_slo *slo;
};

/* get_facts_deinit frees what hangs on it. */
void get_facts_deinit(struct get_facts *f);

#endif

/* cli/client_doh.c - see client_doh.h. */
#include "cli/client_doh.h"

#include "cli/client.h"
#include "cli/client_tls.h"
#include "cli/get_codes.h"

/* As what is fetched for verification: trusted are the same CAs as for servers, but it is not asked
 * whether its certificate was revoked: that would need names. */
static int make_tls(struct client *c, struct cleat_error *err)
{
    static const struct cleat_revocation_options off = {0};
    const struct client_options plain = {.insecure = c->options->doh_insecure, .alpn = "http/1.1"};
    const struct client_tls_peer peer = {.trust = c->trust, .revocation = &off};
    const struct client_tls_watch nobody = {0};
    if (c->trust == NULL && !plain.insecure) { /* -k, and nothing is there to verify by */
        struct cleat_trust_store *trust = NULL;
        const int code = client_tls_trust(c->options, &trust, err);
        c->trust = trust;
        return code != 0 ? code : make_tls(c, err);
    }
    return client_tls_config(&plain, &peer, &nobody, NULL, &c->doh.tls, err);
}

static int open_server(struct client *c, struct cleat_error *err)
{
    const struct client_options *o = c->options;
    struct client_target server;
    char host[CLIENT_HOST_SIZE];
    uint16_t port;
    const struct cl_proxy *proxy = NULL;
    int code = client_target_parse(&server, o->doh_url, strlen(o->doh_url), err);
    if (code == 0 &&
        !client_connect_to(&o->connect_tos, server.host, server.port, host, &port, err)) {
        code = GET_EXIT_USAGE;
    }
    code = code == 0 ? client_proxy_for(c, server.host, server.port, true, &proxy, err) : code;
    if (code != 0) {
        return code;
    }
    const struct cl_doh_setup setup = {.hub = c->hub,
                                       .dns = c->doh.dns,
                                       .tls = c->doh.tls,
                                       .trace = c->trace,
                                       .url = server.text,
                                       .proxy = proxy,
                                       .connect_host = host,
                                       .connect_port = port,
                                       .insecure = o->doh_insecure};
    const cl_result r = cl_doh_new(&setup, &c->doh.doh, err);
    return r == CL_OK ? 0 : r == CLEAT_ERR_NOMEM ? GET_EXIT_NO_MEMORY : GET_EXIT_BAD_URL;
}

int client_doh_open(struct client *c, struct cleat_error *err)
{
    if (c->options->doh_url == NULL || c->options->doh_url[0] == '\0') {
        return 0;
    }
    int code = client_dns_new(c, &c->doh.dns, err);
    code = code == 0 ? make_tls(c, err) : code;
    code = code == 0 ? open_server(c, err) : code;
    if (code == 0) {
        cl_dns_set_source(c->dns, cl_doh_source(c->doh.doh));
    }
    return code;
}

void client_doh_close(struct client *c)
{
    cl_doh_free(c->doh.doh);
    cl_dns_free(c->doh.dns);
    cleat_tls_config_free(c->doh.tls);
    c->doh = (struct client_doh){0};
}

/* echo_server.c - echo_server PORT CERT-FILE KEY-FILE: sends back what it gets, one client at a
 * time. With PORT 0 the system chooses; the port is the first thing printed. */
#include "host.h"
#include "stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct cleat_tls_config *make_config(const char *cert_file, const char *key_file)
{
    struct cleat_error error = {0};
    struct cleat_chain *chain;
    struct cleat_key *key;
    struct cleat_tls_builder *builder;
    struct cleat_tls_config *config;
    size_t cert_len, key_len;
    char *cert_pem = read_file(cert_file, &cert_len), *key_pem = read_file(key_file, &key_len);
    must(cleat_chain_from_pem(cert_pem, cert_len, &chain, &error), &error);
    must(cleat_key_from_pem(key_pem, key_len, &key, &error), &error);
    must(cleat_tls_builder_new(CLEAT_SERVER, &builder), NULL);
    cleat_tls_builder_clock(builder, now_ms, NULL);
    must(cleat_tls_builder_credential(builder, chain, key), cleat_tls_builder_error(builder));
    must(cleat_tls_builder_finish(builder, &config, &error), &error);
    cleat_key_free(key);
    cleat_chain_free(chain);
    free(key_pem);
    free(cert_pem);
    return config;
}

static void serve(struct stream *s)
{
    const uint8_t *data;
    size_t len;
    int status = stream_handshake(s);
    while (status == 0 && (status = stream_read(s, &data, &len)) == 1) {
        status = stream_write(s, data, len);
    }
    if (status != 0 || stream_close(s) != 0) {
        fprintf(stderr, "client: %s\n", stream_why(s));
    }
}

int main(int argc, char **argv)
{
    static struct stream s;
    if (argc != 4) {
        fprintf(stderr, "usage: echo_server PORT CERT-FILE KEY-FILE\n");
        return 2;
    }
    struct cleat_tls_config *config = make_config(argv[2], argv[3]);
    int listener = tcp_listen((uint16_t)strtoul(argv[1], NULL, 10));
    int fd = listener;
    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        s = (struct stream){.fd = fd};
        must(cleat_tls_server_new(config, NULL, &s.tls), NULL);
        serve(&s);
        cleat_tls_free(s.tls);
        close(fd);
    }
    perror("echo_server"); /* it ends only when it can listen no more */
    return 1;
}

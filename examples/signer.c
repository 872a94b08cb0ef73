/* signer.c - signer SOCKET KEY-FILE [DELAY-MS]: has the private key, and signs for a
 * signing_server.
 *
 * It signs what a TLS 1.3 server signs in a handshake and nothing else, so that whoever breaks into
 * the server cannot make it sign certificates. DELAY-MS makes it as slow as some HSMs are. Prints a
 * line when it is ready; serves one server at a time. */
#include "host.h"
#include "signing.h"

#include <cleat/job.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* RFC 9846 4.5.2 */
#define PAD 64
static const char context[] = "TLS 1.3, server CertificateVerify"; /* the zero belongs to it */

static struct cleat_key *read_key(const char *path)
{
    struct cleat_error error = {0};
    struct cleat_key *key;
    size_t len;
    char *pem = read_file(path, &len);
    must(cleat_key_from_pem(pem, len, &key, &error), &error);
    memset(pem, 0, len);
    free(pem);
    return key;
}

static bool is_a_handshake(const struct signing_request *r)
{
    size_t i = 0;
    while (i < PAD && r->message[i] == ' ') {
        i++;
    }
    return i == PAD && r->len > PAD + sizeof(context) && r->len <= sizeof(r->message) &&
           memcmp(r->message + PAD, context, sizeof(context)) == 0;
}

static void serve(int fd, const struct cleat_key *key, unsigned delay_ms)
{
    struct signing_request request;
    while (recv(fd, &request, sizeof(request), 0) == sizeof(request)) {
        struct signing_answer answer = {.id = request.id};
        size_t len = 0;
        struct timespec delay = {delay_ms / 1000, delay_ms % 1000 * 1000000L};
        nanosleep(&delay, NULL);
        if (!is_a_handshake(&request)) {
            fprintf(stderr, "signer: refused to sign what is not a TLS 1.3 handshake\n");
        } else if (cleat_key_sign(key, request.scheme, request.message, request.len,
                                  answer.signature, sizeof(answer.signature), &len) != CLEAT_OK) {
            fprintf(stderr, "signer: the key does not go with scheme 0x%04x\n", request.scheme);
        }
        answer.len = (uint16_t)len;
        if (send(fd, &answer, sizeof(answer), MSG_NOSIGNAL) != sizeof(answer)) {
            return;
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 3 && argc != 4) {
        fprintf(stderr, "usage: signer SOCKET KEY-FILE [DELAY-MS]\n");
        return 2;
    }
    struct cleat_key *key = read_key(argv[2]);
    unsigned delay_ms = argc == 4 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;
    int listener = signing_socket(argv[1], 1), fd;
    if (listener < 0) {
        return 1;
    }
    printf("%s\n", cleat_key_kind(key));
    fflush(stdout);
    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        serve(fd, key, delay_ms);
        close(fd);
    }
    perror("signer"); /* it ends only when it can listen no more */
    return 1;
}

/* fuzz/http_differential.h - one stream of requests, read by our parser and by llhttp.
 *
 * Both read one message after the other, as long as they agree. What may differ is in two tables of
 * http_differential.c, each row with the section that says who is right: what we refuse and llhttp
 * takes, and, the dangerous way, what we take and llhttp refuses. Any other difference is a
 * finding: in acceptance, method, target, version, fields, body, where the message ends, and
 * whether another may follow.
 */
#ifndef HTTP_DIFFERENTIAL_H
#define HTTP_DIFFERENTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 64 KiB: twice the longest head and some; longer input is not looked at */
#define DIFFERENTIAL_MAX 65536

struct differential {
    unsigned agreed;      /* messages that both read alike */
    bool both_refused;    /* the stream ended in a message that neither takes */
    const char *stricter; /* the reason why we refuse what llhttp takes, NULL: not so */
    const char *laxer;    /* why we take what llhttp refuses */
    char finding[512];    /* "": nothing that no table explains */
};

/* differential_run compares the two over one stream; p may be of any length. */
void differential_run(const uint8_t *p, size_t len, struct differential *out);

/* differential_unused gives the reason of a row of the tables that no stream needed so far, from
 * row *from on, which then is the number behind it; NULL: none is left. */
const char *differential_unused(size_t *from);

#endif

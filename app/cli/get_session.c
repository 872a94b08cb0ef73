/* cli/get_session.c - open and close what transfers share. */
#include "cli/get_session.h"

#include <string.h>

#include "cli/get_codes.h"

int get_session_init(struct get_session *s, const struct get_options *o, struct cleat_error *err)
{
    memset(s, 0, sizeof(*s));
    s->options = o;
    int code = client_init(&s->client, &o->client, err);
    if (code == 0 && !get_sessions_open(&s->sessions, o->ssl_sessions)) {
        code = GET_EXIT_NO_MEMORY;
    }
    if (code == 0 && o->dump_header != NULL) {
        s->dump_file = client_open_file(o->dump_header, err);
        code = s->dump_file != NULL ? 0 : GET_EXIT_WRITE;
    }
    if (code == 0) {
        code = get_cookies_open(&s->cookies, o, s->client.trace, err);
    }
    if (code == 0) {
        get_pool_init(&s->pool, &s->client, &s->sessions);
    }
    return code;
}

void get_session_deinit(struct get_session *s)
{
    get_pool_close(&s->pool);
    get_cookies_close(&s->cookies);
    get_sessions_close(&s->sessions);
    client_deinit(&s->client);
    client_close_file(s->dump_file);
    memset(s, 0, sizeof(*s));
}

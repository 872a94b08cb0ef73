/* cli/ws.c - the command `cleat ws`: a WebSocket client for terminals and pipes. */
#include <signal.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/client_explain.h"
#include "cli/get_codes.h"
#include "cli/ws_session.h"

/* How the connection was closed, in words: always when it was no normal close. */
static void tell_close(const struct ws_session *s, int code)
{
    bool silent = code == WS_EXIT_OK && !s->interactive && s->client.trace == NULL;
    if (silent || !s->clean || s->options->json) {
        return;
    }
    char reason[WS_REASON_SIZE];
    memcpy(reason, s->reason, sizeof(reason));
    cl_text_make_printable(reason);
    (void)fprintf(stderr, "closed by %s: %u, %s%s%s\n", s->closing_by_us ? "us" : "the server",
                  (unsigned)s->close_code, cleat_ws_code_sentence(s->close_code),
                  reason[0] != '\0' ? ": " : "", reason);
}

static void tell(const struct ws_session *s, int code)
{
    if (code != WS_EXIT_OK && s->err.code != 0) {
        (void)fprintf(stderr, "cleat: %s\n",
                      s->err.text[0] != '\0' ? s->err.text : cleat_error_sentence(s->err.code));
        client_tell_detail(&s->err, code == WS_EXIT_CONNECT &&
                                        get_exit_of_handshake(&s->err) == GET_EXIT_VERIFY);
    }
    tell_close(s, code);
}

int cl_cmd_ws(int argc, char **argv)
{
    struct ws_options o;
    (void)signal(SIGPIPE, SIG_IGN);
    int code = ws_options_parse(&o, argc, argv);
    struct ws_session *s = code == 0 ? cl_calloc(1, sizeof(*s)) : NULL;
    if (s != NULL) {
        code = ws_session_run(s, &o);
        tell(s, code);
        ws_session_deinit(s);
    } else if (code == 0) {
        code = CL_EXIT_FAILURE;
    }
    cl_free(s);
    ws_options_deinit(&o);
    return code < 0 ? CL_EXIT_OK : code;
}

/* fuzz/fuzz_ws_request.c - requests for an upgrade: whatever is answered is a complete response. */
#include <stdlib.h>
#include <string.h>

#include "cleat/ws.h"

static void answer(const struct cleat_ws_upgrade *u, const struct cleat_error *err)
{
    static const struct cleat_http_view get = {"GET", 3};
    struct cleat_http_head head;
    char out[2048];
    size_t len;
    if (cleat_ws_upgrade_write(u, err, out, sizeof(out), &len) != CLEAT_OK) {
        abort();
    }
    cleat_http_response_init(&head, get);
    if (cleat_http_head_feed(&head, out, len, NULL) != CLEAT_HTTP_COMPLETE ||
        head.status != u->status || head.len + head.content_length != len) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const protocols[] = {"chat", "mqtt"};
    static const char *const origins[] = {"https://app.example", "null"};
    struct cleat_ws_accept policy = {
        .subprotocols = protocols, .num_subprotocols = 2, .origins = origins, .num_origins = 2};
    struct cleat_http_head head;
    struct cleat_ws_upgrade u;
    cleat_ws_deflate_init(&policy.deflate, true);
    cleat_http_request_init(&head);
    if (cleat_http_head_feed(&head, data, size, NULL) != CLEAT_HTTP_COMPLETE) {
        return 0;
    }
    for (int http2 = 0; http2 < 2; http2++) {
        struct cleat_error err = {0};
        policy.http2 = http2 != 0;
        int rc = cleat_ws_upgrade_check(&u, &head, &policy, &err);
        if ((rc == CLEAT_OK) != (u.status < 300) || (rc != CLEAT_OK) != (err.code != 0)) {
            abort();
        }
        if (u.status != 200) {
            answer(&u, rc == CLEAT_OK ? NULL : &err);
        }
    }
    return 0;
}

/* fuzz/fuzz_ws_response.c - responses to a request for an upgrade: what is agreed was offered. */
#include <stdlib.h>
#include <string.h>

#include "cleat/ws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const protocols[] = {"chat", "mqtt"};
    static const struct cleat_http_view get = {"GET", 3};
    struct cleat_ws_offer offer = {.subprotocols = protocols, .num_subprotocols = 2};
    struct cleat_http_head head;
    struct cleat_ws_upgrade u;
    struct cleat_error err = {0};
    cleat_ws_deflate_init(&offer.deflate, false);
    offer.deflate.client_max_window_bits = 12;
    cleat_http_response_init(&head, get);
    if (cleat_http_head_feed(&head, data, size, NULL) != CLEAT_HTTP_COMPLETE) {
        return 0;
    }
    int rc = cleat_ws_response_check(&u, &head, &offer, "dGhlIHNhbXBsZSBub25jZQ==", &err);
    if ((rc != CLEAT_OK) != (err.code != 0) || (rc == CLEAT_OK && head.status != 101)) {
        abort();
    }
    if (u.deflate.on &&
        (u.deflate.client_max_window_bits > 12 || u.deflate.client_max_window_bits < 8 ||
         u.deflate.server_max_window_bits > 15 || u.deflate.server_max_window_bits < 8)) {
        abort();
    }
    if (u.subprotocol != NULL && u.subprotocol != protocols[0] && u.subprotocol != protocols[1]) {
        abort();
    }
    return 0;
}

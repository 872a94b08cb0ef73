/* fuzz/fuzz_ws_frames.c - frames to a server or a client (first byte: bit 0), with or without
 * compression (1), in pieces (2): whole, byte by byte and in between the outcome is the same. */
#include "ws_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct cleat_ws_options o;
    cleat_ws_options_init(&o);
    o.max_message = 65536;
    o.stream = (data[0] & 4) != 0;
    if ((data[0] & 2) != 0) {
        cleat_ws_deflate_init(&o.deflate, (data[0] & 8) != 0);
    }
    bool is_client = (data[0] & 1) != 0;
    struct ws_outcome whole = ws_run(o, is_client, data + 1, size - 1, size);
    struct ws_outcome bytes = ws_run(o, is_client, data + 1, size - 1, 1);
    struct ws_outcome some = ws_run(o, is_client, data + 1, size - 1, 5);
    ws_same(&whole, &bytes);
    ws_same(&whole, &some);
    return 0;
}

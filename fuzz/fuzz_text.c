/* fuzz/fuzz_text.c - hexadecimal and base64: what decodes, encodes back to the same text. */
#include <ctype.h>
#include <stdlib.h>

#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t bytes[4096];
    static char back[2 * sizeof(bytes) + 1];
    static char text[2 * sizeof(bytes) + 1];
    size_t len = 0;
    if (size > sizeof(bytes)) {
        return 0;
    }
    const char *s = (const char *)data;
    if (cl_base64_decode(s, size, false, bytes, sizeof(bytes), &len)) {
        cl_base64_encode(bytes, len, back);
        if (CL_BASE64_LEN(len) != size || memcmp(back, data, size) != 0) {
            abort();
        }
    }
    (void)!cl_base64_decode(s, size, true, bytes, size / 2, &len);
    if (cl_hex_decode(s, size, bytes, sizeof(bytes), &len)) {
        cl_hex_encode(bytes, len, back);
        for (size_t i = 0; i < size; i++) {
            text[i] = (char)tolower(data[i]);
        }
        if (2 * len != size || memcmp(back, text, size) != 0) {
            abort();
        }
    }
    return 0;
}

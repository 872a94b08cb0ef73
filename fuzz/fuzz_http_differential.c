/* fuzz/fuzz_http_differential.c - streams of requests, read by our parser and by llhttp: where they
 * differ, a row of http_differential.c explains it. */
#include <stdio.h>
#include <stdlib.h>

#include "http_differential.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct differential d;
    differential_run(data, size, &d);
    if (d.finding[0] != '\0') {
        fprintf(stderr, "%s\n", d.finding);
        abort();
    }
    return 0;
}

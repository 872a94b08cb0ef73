/* fuzz/fuzz_ct_list.c - a list of logs in the form of browsers: what is taken has logs, within
 * bounds, and what is refused leaves nothing. */
#include <stdlib.h>

#include "conn/ct_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool true_)
{
    if (!true_) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cl_ct_list list;
    struct cleat_error err = {0};
    const cl_result r = cl_ct_list_read((const char *)data, size, &list, &err);
    require((r == CL_OK) == (list.logs != NULL));
    require(r == CL_OK || r == CLEAT_ERR_NOMEM || err.text[0] != '\0');
    require(r != CL_OK || (cleat_ct_logs_num(list.logs) > 0 && size <= CL_CT_LIST_MAX));
    cleat_ct_logs_free(list.logs);
    return 0;
}

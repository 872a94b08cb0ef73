/* fuzz/fuzz_recording.c - a recording that somebody sent: it is read and run, whatever it says. */
#include "record/replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct cl_replay_watch nobody;
    struct cl_recording rec;
    struct cl_replay_result found;
    struct cleat_error err = {0};
    if (cl_recording_parse(&rec, (const char *)data, len, &err) == CL_OK &&
        cl_replay_run(&rec, &nobody, &found, &err) == CL_OK && found.different &&
        found.text[0] == '\0') {
        __builtin_trap(); /* a difference without a word */
    }
    cl_recording_deinit(&rec);
    return 0;
}

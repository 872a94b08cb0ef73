/* cli/bench_common.c - see bench.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cleat/batch.h"
#include "cleat/version.h"
#include "cli/bench.h"
#include "cli/cli.h"
#include "crypto/aead.h"
#include "crypto/mlkem.h"
#include "crypto/version.h"

/* ---- SIGINT ---- */

volatile sig_atomic_t bench_stop;

static void on_interrupt(int number)
{
    bench_stop = 1;
}

void bench_catch_interrupt(void)
{
    /* SA_RESETHAND: whoever does not want to wait presses the keys again */
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
}

/* ---- the command line ---- */

bool bench_seconds(const struct cl_options *o, double low, double high, double *out)
{
    char *end;
    double seconds = strtod(o->value, &end);
    if (end == o->value || *end != '\0' || !(seconds >= low && seconds <= high)) {
        (void)cl_options_complain(o->usage, "%s takes a number of seconds from %g to %g, not '%s'",
                                  o->spelled, low, high, o->value);
        return false;
    }
    *out = seconds;
    return true;
}

/* ---- output ---- */

/* The processor's name as Linux tells it; false where it does not. */
static bool processor(char *out, size_t cap)
{
    FILE *f = fopen("/proc/cpuinfo", "re");
    bool found = false;
    char line[256];
    while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL) {
        char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon != NULL && colon[1] == ' ') {
            line[strcspn(line, "\n")] = '\0';
            (void)snprintf(out, cap, "%s", colon + 2);
            found = true;
        }
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    return found;
}

bool bench_wanted(const char *only, const char *id, const char *name)
{
    return only == NULL || strcasestr(id, only) != NULL || strcasestr(name, only) != NULL;
}

void bench_head(FILE *out)
{
    char cpu[128];
    (void)fprintf(out, "cleat %s, %s\n", cleat_version(), cl_crypto_version());
    if (processor(cpu, sizeof(cpu))) {
        (void)fprintf(out, "processor:  %s\n", cpu);
    }
    (void)fprintf(out, "handshakes: %s\nML-KEM:     %s\nrecords:    %s\n", cleat_batch_describe(),
                  cl_mlkem_describe(), cl_aead_describe());
}

json_t *bench_json(const char *command)
{
    char cpu[128];
    bool known = processor(cpu, sizeof(cpu));
    return json_pack("{s:i, s:s, s:s, s:s, s:s?, s:s, s:s, s:s}", "schema", BENCH_SCHEMA, "command",
                     command, "version", cleat_version(), "libcrypto", cl_crypto_version(),
                     "processor", known ? cpu : NULL, "handshakes", cleat_batch_describe(),
                     "ml_kem", cl_mlkem_describe(), "records", cl_aead_describe());
}

int bench_finish(json_t *json, bool json_wanted, int code)
{
    if (bench_stop != 0) {
        (void)fprintf(stderr, "cleat bench: interrupted: the figures are what there was so far\n");
        code = code == CL_EXIT_OK ? BENCH_EXIT_INTERRUPTED : code;
    }
    if (json != NULL) {
        (void)json_object_set_new(json, "interrupted", json_boolean(bench_stop != 0));
    }
    if (json_wanted &&
        (json == NULL || json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) != 0)) {
        code = CL_EXIT_FAILURE;
    } else if (json_wanted) {
        (void)printf("\n");
    }
    json_decref(json);
    return code;
}

const char *bench_grouped(double n, char out[BENCH_GROUPED_SIZE])
{
    char digits[BENCH_GROUPED_SIZE];
    const int len = snprintf(digits, sizeof(digits), "%.0f", n < 1e15 ? n : 1e15);
    size_t at = 0;
    for (int i = 0; i < len; i++) {
        if (i != 0 && (len - i) % 3 == 0) {
            out[at++] = ',';
        }
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

/* cli/client_ct.c - see client_ct.h. */
#include "cli/client_ct.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/data_path.h"
#include "cli/get_codes.h"
#include "cli/read_file.h"
#include "conn/ct_list.h"
#include "net/clock.h"

#define PATH_SIZE 4096
#define DAY       86400
/* 70 days: with an older list browsers demand no timestamps any more; here it is warned about */
#define MAX_AGE   70

/* ---- where the list is ---- */

/* --ct-logs, $CLEAT_CT_LOGS, the user's, the machine's; NULL: none of them is there. */
static const char *find_list(const char *option, char path[PATH_SIZE])
{
    static const char machine[] = "/etc/cleat/ct-logs.json";
    const char *named = option != NULL ? option : getenv("CLEAT_CT_LOGS");
    if (named != NULL && named[0] != '\0') {
        return named;
    }
    if (cl_data_path("cleat/ct-logs.json", path, PATH_SIZE) && access(path, R_OK) == 0) {
        return path;
    }
    return access(machine, R_OK) == 0 ? machine : NULL;
}

int client_ct_check(const struct client_options *o, const struct cl_usage *usage)
{
    char path[PATH_SIZE];
    const bool any = o->ct || o->ct_logs != NULL;
    const char *other = o->insecure                ? "-k accepts any certificate"
                        : o->raw_key_pins.num != 0 ? "--raw-key-pin wants no certificate"
                        : o->psk != NULL           ? "--psk is for servers without a certificate"
                                                   : NULL;
    if (o->ct && other != NULL) {
        return cl_options_complain(usage, "%s, --ct wants one that was logged: give one of the two",
                                   other);
    }
    if (any && o->record != NULL) {
        return cl_options_complain(usage, "--record knows nothing of Certificate Transparency, so "
                                          "that a replay would judge otherwise: leave out one of "
                                          "the two");
    }
    if (o->ct && find_list(o->ct_logs, path) == NULL) {
        const bool home = cl_data_path("cleat/ct-logs.json", path, sizeof(path));
        return cl_options_complain(
            usage,
            "--ct needs the list of logs that browsers know; there is none yet. Get one, once a "
            "month, with\n  cleat get -o %s https://www.gstatic.com/ct/log_list/v3/"
            "log_list.json\nor give --ct-logs FILE",
            home ? path : "/etc/cleat/ct-logs.json");
    }
    return 0;
}

/* ---- reading it ---- */

static void warn(const char *path, const struct cl_ct_list *list)
{
    const int64_t days = ((int64_t)(cl_clock_unix_ms() / 1000) - list->made) / DAY;
    if (list->made != 0 && days > MAX_AGE) {
        (void)fprintf(stderr,
                      "cleat: the list of logs in %s is %" PRId64 " days old: newer logs are not "
                      "in it; browsers stop at %d days\n",
                      path, days, MAX_AGE);
    }
    if (list->num_passed_over != 0) {
        char name[sizeof(list->passed_over)];
        memcpy(name, list->passed_over, sizeof(name));
        cl_text_make_printable(name);
        (void)fprintf(
            stderr,
            "cleat: %s: %zu log%s of a state that is not known here: %s%s; its timestamps "
            "count for nothing\n",
            path, list->num_passed_over, list->num_passed_over > 1 ? "s" : "", name,
            list->num_passed_over > 1 ? ", ..." : "");
    }
}

static int bad_list(struct cleat_error *err, const char *path, const struct cleat_error *why)
{
    (void)cl_error_set(err,
                       (struct cl_why){.code = why->code,
                                       .hint = "the list of logs is that of "
                                               "https://www.gstatic.com/ct/log_list/v3/"
                                               "log_list.json, or in its form"},
                       "cannot use the list of logs in %.100s: %.240s", path, why->text);
    return GET_EXIT_CA_FILE;
}

static int read_list(const char *path, struct cl_ct_list *list, struct cleat_error *err)
{
    struct cl_buf text = {0};
    struct cleat_error why = {0};
    const char *reason = "";
    cl_result r = CLEAT_ERR_SYSTEM;
    if (path == NULL || !cl_read_file(path, &text, CL_CT_LIST_MAX, &reason)) {
        (void)cl_error_set(&why, (struct cl_why){.code = r}, "%s",
                           path != NULL ? reason : "it has gone");
    } else {
        r = cl_ct_list_read((const char *)text.p, text.len, list, &why);
    }
    cl_buf_deinit(&text);
    return r == CL_OK             ? 0
           : r == CLEAT_ERR_NOMEM ? GET_EXIT_NO_MEMORY
                                  : bad_list(err, path != NULL ? path : "no file", &why);
}

int client_ct_open(const struct client_options *o, struct client_ct *out, struct cleat_error *err)
{
    char room[PATH_SIZE];
    struct cl_ct_list list = {0};
    *out = (struct client_ct){.mode = CLEAT_CT_OFF};
    if (!o->ct && o->ct_logs == NULL) {
        return 0;
    }
    const char *path = find_list(o->ct_logs, room);
    const int code = read_list(path, &list, err);
    if (code == 0) {
        warn(path, &list);
        out->mode = o->ct ? CLEAT_CT_REQUIRED : CLEAT_CT_TOLD;
        out->logs = list.logs;
    }
    return code;
}

int client_ct_names(const char *option, struct cleat_ct_logs **out, struct cleat_error *err)
{
    char room[PATH_SIZE];
    struct cl_ct_list list = {0};
    const char *path = find_list(option, room);
    const int code = path != NULL ? read_list(path, &list, err) : 0;
    *out = list.logs;
    if (code == GET_EXIT_CA_FILE && option == NULL) {
        (void)fprintf(stderr, "cleat: %s; logs are shown without their names\n", err->text);
        return 0;
    }
    return code;
}

void client_ct_close(struct client_ct *ct)
{
    cleat_ct_logs_free(ct->logs);
    *ct = (struct client_ct){.mode = CLEAT_CT_OFF};
}

/* cli/dev_store_system.c - the store of the distribution: a folder for the administrator's own CAs,
 * and a program that puts all of them together. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/dev_stores.h"
#include "cli/read_file.h"
#include "cli/run_tool.h"

/* The first folder that there is. Debian and what comes from it; Fedora, RHEL; openSUSE; Arch. */
static const struct row {
    const char *folder;
    const char *suffix;
    const char *tool[3];
} rows[] = {
    {"/etc/pki/ca-trust/source/anchors", "pem", {"update-ca-trust", "extract", NULL}},
    {"/usr/local/share/ca-certificates", "crt", {"update-ca-certificates", NULL, NULL}},
    {"/etc/ca-certificates/trust-source/anchors", "crt", {"trust", "extract-compat", NULL}},
    {"/etc/pki/trust/anchors", "pem", {"update-ca-certificates", NULL, NULL}},
    {"/usr/share/pki/trust/anchors", "pem", {"update-ca-certificates", NULL, NULL}},
};

static const struct row *find_row(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (access(rows[i].folder, F_OK) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

static bool is_ours(const struct dev_stores *s, const char *path)
{
    struct cl_buf text = {0};
    const char *why;
    const bool same = cl_read_file(path, &text, 65536, &why) && dev_stores_same(s, &text);
    cl_buf_deinit(&text);
    return same;
}

/* What somebody types who may do it. Paths of ours have no quotes; those of users are quoted. */
static void tell_command(const struct dev_stores *s, const struct row *row, const char *path,
                         char *out, size_t cap)
{
    char tool[64];
    (void)snprintf(tool, sizeof(tool), "%s%s%s", row->tool[0], row->tool[1] != NULL ? " " : "",
                   row->tool[1] != NULL ? row->tool[1] : "");
    if (s->remove) {
        (void)snprintf(out, cap, "run: sudo rm '%s' && sudo %s", path, tool);
    } else {
        (void)snprintf(out, cap, "run: sudo install -m 644 '%s' '%s' && sudo %s", s->ca->cert_path,
                       path, tool);
    }
}

static bool update(struct dev_stores *s, const struct row *row, const char *path)
{
    struct cl_buf said = {0};
    char why[300];
    char line[200];
    const int code = run_tool(row->tool, &said);
    run_tool_last_line(&said, line, sizeof(line));
    cl_buf_deinit(&said);
    if (code == 0) {
        return true;
    }
    (void)snprintf(why, sizeof(why), code == 127 ? "%s cannot be run" : "%s failed: %s",
                   row->tool[0], line);
    dev_stores_failed(s, "system", path, why,
                      "the file is as it should be: run that program when it works again");
    return false;
}

void dev_store_system(struct dev_stores *s)
{
    const struct row *row = find_row();
    char path[DEV_PATH_SIZE];
    char fix[3 * DEV_PATH_SIZE];
    struct cleat_error err = {0};
    if (row == NULL) {
        dev_stores_failed(s, "system", "this system's store",
                          "none of the folders of Debian, Fedora, openSUSE and Arch is there",
                          "TRUST_STORES=nss,java leaves it out");
        return;
    }
    (void)snprintf(path, sizeof(path), "%s/%s.%s", row->folder, s->stem, row->suffix);
    const bool there = access(path, F_OK) == 0;
    if (s->remove ? !there : is_ours(s, path)) {
        dev_stores_done(s, "system", path, s->remove ? "not there" : "already trusted");
        return;
    }
    if (s->remove && !is_ours(s, path)) {
        dev_stores_failed(s, "system", path, "it holds something else than this CA", NULL);
        return;
    }
    const bool changed = s->remove
                             ? unlink(path) == 0
                             : dev_file_write(path, cl_buf_view(&s->pem), 0644, &err) == CL_OK;
    if (!changed) {
        tell_command(s, row, path, fix, sizeof(fix));
        dev_stores_failed(s, "system", path,
                          access(row->folder, W_OK) != 0 ? "that takes root" : err.text, fix);
        return;
    }
    if (update(s, row, path)) {
        dev_stores_done(s, "system", path, s->remove ? "taken out" : "trusted");
    }
}

/* cli/dev_store_nss.c - the databases of NSS: Chromium's, and those of every profile of Firefox.
 * They are changed with its own tool, certutil. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/dev_stores.h"
#include "cli/run_tool.h"

/* What was told to type before there was --install. */
#define OLD_NICK "Cleat dev CA"

/* Below the home folder. */
static const char *const databases[] = {
    ".pki/nssdb",
    ".local/share/pki/nssdb",
    "snap/chromium/current/.pki/nssdb",
};

static const char *const profiles[] = {
    ".mozilla/firefox",
    ".config/mozilla/firefox",
    "snap/firefox/common/.mozilla/firefox",
    ".var/app/org.mozilla.firefox/.mozilla/firefox",
    ".var/app/org.mozilla.firefox/config/mozilla/firefox",
    ".librewolf",
};

struct nss {
    struct dev_stores *stores;
    bool has_tool;
    unsigned num; /* databases that were found */
};

static const char *install_certutil(void)
{
    static const struct {
        const char *tool;
        const char *words;
    } rows[] = {
        {"apt", "run: sudo apt install libnss3-tools, then this again"},
        {"dnf", "run: sudo dnf install nss-tools, then this again"},
        {"zypper", "run: sudo zypper install mozilla-nss-tools, then this again"},
        {"pacman", "run: sudo pacman -S nss, then this again"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (run_tool_find(rows[i].tool)) {
            return rows[i].words;
        }
    }
    return "certutil comes with NSS (libnss3-tools, nss-tools)";
}

/* ---- one database ---- */

static int certutil(const char *database, const char *const *args, struct cl_buf *out)
{
    const char *argv[16] = {"certutil", "-d", database};
    size_t n = 3;
    while (*args != NULL && n < 15) {
        argv[n++] = *args++;
    }
    return run_tool(argv, out);
}

static bool has(const struct dev_stores *s, const char *database, const char *nick)
{
    const char *const args[] = {"-L", "-n", nick, "-a", NULL};
    struct cl_buf pem = {0};
    const bool same = certutil(database, args, &pem) == 0 && dev_stores_same(s, &pem);
    cl_buf_deinit(&pem);
    return same;
}

static bool trusts(const struct dev_stores *s, const char *database, const char *nick)
{
    const char *const args[] = {"-V", "-u", "L", "-n", nick, NULL};
    return has(s, database, nick) && certutil(database, args, NULL) == 0;
}

static void failed(struct dev_stores *s, const char *browser, const char *path,
                   const struct cl_buf *said, const char *fix)
{
    char why[300];
    run_tool_last_line(said, why, sizeof(why));
    dev_stores_failed(s, browser, path, why[0] != '\0' ? why : "certutil failed", fix);
}

static void take_out(struct dev_stores *s, const char *browser, const char *path,
                     const char *database)
{
    const char *const nicks[] = {s->nick, OLD_NICK};
    bool found = false;
    for (size_t i = 0; i < 2; i++) {
        const char *const args[] = {"-D", "-n", nicks[i], NULL};
        struct cl_buf said = {0};
        const bool there = has(s, database, nicks[i]);
        const bool bad = there && certutil(database, args, &said) != 0;
        found = found || there;
        if (bad) {
            failed(s, browser, path, &said, "close the browser and try again");
        }
        cl_buf_deinit(&said);
        if (bad) {
            return;
        }
    }
    dev_stores_done(s, browser, path, found ? "taken out" : "not there");
}

static void put_in(struct dev_stores *s, const char *browser, const char *path,
                   const char *database)
{
    const char *const args[] = {"-A", "-t", "C,,", "-n", s->nick, "-i", s->ca->cert_path, NULL};
    struct cl_buf said = {0};
    if (trusts(s, database, s->nick) || trusts(s, database, OLD_NICK)) {
        dev_stores_done(s, browser, path, "already trusted");
        return;
    }
    if (certutil(database, args, &said) != 0 || !trusts(s, database, s->nick)) {
        failed(s, browser, path, &said, "close the browser and try again");
    } else {
        dev_stores_done(s, browser, path, "trusted, from its next start on");
    }
    cl_buf_deinit(&said);
}

static void change(struct nss *n, const char *browser, const char *path)
{
    char database[DEV_PATH_SIZE + 8];
    n->num++;
    if (!n->has_tool) {
        dev_stores_failed(n->stores, browser, path, "there is no certutil", install_certutil());
        return;
    }
    (void)snprintf(database, sizeof(database), "sql:%s", path);
    (n->stores->remove ? take_out : put_in)(n->stores, browser, path, database);
}

/* ---- find them ---- */

static bool join(char out[DEV_PATH_SIZE], const char *folder, const char *name)
{
    const int n = snprintf(out, DEV_PATH_SIZE, "%s/%s", folder, name);
    return n > 0 && n < DEV_PATH_SIZE;
}

static bool has_database(const char *folder)
{
    char file[DEV_PATH_SIZE];
    return join(file, folder, "cert9.db") && access(file, F_OK) == 0;
}

static void firefox(struct nss *n, const char *folder)
{
    struct dirent **names = NULL;
    const int num = scandir(folder, &names, NULL, alphasort);
    for (int i = 0; i < num; i++) {
        char path[DEV_PATH_SIZE];
        if (names[i]->d_name[0] != '.' && join(path, folder, names[i]->d_name) &&
            has_database(path)) {
            change(n, "Firefox", path);
        }
        free(names[i]);
    }
    free(names);
}

/* Chromium reads a database that is there when it starts, and makes none by itself. */
static bool make_database(const char *home, char path[DEV_PATH_SIZE])
{
    static const char *const browsers[] = {"chromium",       "chromium-browser",
                                           "google-chrome",  "google-chrome-stable",
                                           "microsoft-edge", "brave-browser"};
    char parent[DEV_PATH_SIZE];
    char database[DEV_PATH_SIZE + 8];
    size_t i = 0;
    while (i < sizeof(browsers) / sizeof(browsers[0]) && !run_tool_find(browsers[i])) {
        i++;
    }
    if (i == sizeof(browsers) / sizeof(browsers[0]) || !join(parent, home, ".pki") ||
        !join(path, parent, "nssdb") || (mkdir(parent, 0700) != 0 && errno != EEXIST) ||
        (mkdir(path, 0700) != 0 && errno != EEXIST)) {
        return false;
    }
    (void)snprintf(database, sizeof(database), "sql:%s", path);
    const char *const args[] = {"-N", "--empty-password", NULL};
    return certutil(database, args, NULL) == 0;
}

void dev_store_nss(struct dev_stores *s)
{
    struct nss n = {.stores = s, .has_tool = run_tool_find("certutil")};
    const char *home = getenv("HOME");
    char path[DEV_PATH_SIZE];
    if (home == NULL || home[0] != '/') {
        return;
    }
    for (size_t i = 0; i < sizeof(databases) / sizeof(databases[0]); i++) {
        if (join(path, home, databases[i]) && has_database(path)) {
            change(&n, "Chromium", path);
        }
    }
    if (n.num == 0 && !s->remove && n.has_tool && make_database(home, path)) {
        change(&n, "Chromium", path);
    }
    for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
        if (join(path, home, profiles[i])) {
            firefox(&n, path);
        }
    }
}

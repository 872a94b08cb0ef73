/* cli/dev_store_java.c - the keystore of the Java below $JAVA_HOME, with its own tool. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/dev_stores.h"
#include "cli/run_tool.h"

/* What every Java is delivered with; mkcert takes it for granted as well. */
#define PASSWORD "changeit"

struct java {
    char tool[DEV_PATH_SIZE];
    char keystore[DEV_PATH_SIZE];
};

static bool find(struct java *j, const char *home)
{
    static const char *const places[] = {"lib/security/cacerts", "jre/lib/security/cacerts"};
    int n = snprintf(j->tool, sizeof(j->tool), "%s/bin/keytool", home);
    if (n < 0 || (size_t)n >= sizeof(j->tool) || !run_tool_find(j->tool)) {
        return false;
    }
    for (size_t i = 0; i < 2; i++) {
        n = snprintf(j->keystore, sizeof(j->keystore), "%s/%s", home, places[i]);
        if (n > 0 && (size_t)n < sizeof(j->keystore) && access(j->keystore, F_OK) == 0) {
            return true;
        }
    }
    return false;
}

static int keytool(const struct java *j, const char *const *args, struct cl_buf *out)
{
    const char *argv[20] = {j->tool, "-J-Duser.language=en"};
    const char *const common[] = {"-keystore", j->keystore, "-storepass", PASSWORD};
    size_t n = 2;
    while (*args != NULL && n < 15) {
        argv[n++] = *args++;
    }
    memcpy(argv + n, common, sizeof(common));
    return run_tool(argv, out);
}

static bool has(const struct dev_stores *s, const struct java *j)
{
    const char *const args[] = {"-exportcert", "-rfc", "-alias", s->nick, NULL};
    struct cl_buf pem = {0};
    const bool same = keytool(j, args, &pem) == 0 && dev_stores_same(s, &pem);
    cl_buf_deinit(&pem);
    return same;
}

static void tell_failure(struct dev_stores *s, const struct java *j, const struct cl_buf *said)
{
    char why[300];
    char fix[3 * DEV_PATH_SIZE];
    run_tool_last_line(said, why, sizeof(why));
    (void)snprintf(fix, sizeof(fix),
                   s->remove ? "run: sudo '%s' -delete -keystore '%s' -storepass " PASSWORD
                               " -alias '%s'"
                             : "run: sudo '%s' -importcert -noprompt -keystore '%s' -storepass "
                               "" PASSWORD " -alias '%s' -file '%s'",
                   j->tool, j->keystore, s->nick, s->ca->cert_path);
    if (access(j->keystore, W_OK) != 0) {
        dev_stores_failed(s, "Java", j->keystore, "that takes root", fix);
    } else {
        dev_stores_failed(s, "Java", j->keystore, why[0] != '\0' ? why : "keytool failed", NULL);
    }
}

void dev_store_java(struct dev_stores *s)
{
    const char *home = getenv("JAVA_HOME");
    struct java j;
    struct cl_buf said = {0};
    const char *const in[] = {"-importcert", "-noprompt",      "-alias", s->nick,
                              "-file",       s->ca->cert_path, NULL};
    const char *const out[] = {"-delete", "-alias", s->nick, NULL};
    if (home == NULL || home[0] == '\0') {
        return;
    }
    if (!find(&j, home)) {
        dev_stores_failed(s, "Java", home, "there is no bin/keytool with lib/security/cacerts",
                          "set JAVA_HOME to a Java, or leave it out");
    } else if (has(s, &j) != s->remove) {
        dev_stores_done(s, "Java", j.keystore, s->remove ? "not there" : "already trusted");
    } else if (keytool(&j, s->remove ? out : in, &said) != 0) {
        tell_failure(s, &j, &said);
    } else {
        dev_stores_done(s, "Java", j.keystore, s->remove ? "taken out" : "trusted");
    }
    cl_buf_deinit(&said);
}

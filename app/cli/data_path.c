/* cli/data_path.c - see data_path.h. */
#include "cli/data_path.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

bool cl_data_path(const char *name, char *out, size_t cap)
{
    const char *data = getenv("XDG_DATA_HOME");
    const char *home = getenv("HOME");
    int n = -1;
    if (data != NULL && data[0] == '/') { /* the specification: relative ones are ignored */
        n = snprintf(out, cap, "%s/%s", data, name);
    } else {
        const struct passwd *user = home == NULL || home[0] == '\0' ? getpwuid(getuid()) : NULL;
        home = user != NULL ? user->pw_dir : home;
        n = home != NULL && home[0] != '\0' ? snprintf(out, cap, "%s/.local/share/%s", home, name)
                                            : -1;
    }
    return n > 0 && (size_t)n < cap;
}

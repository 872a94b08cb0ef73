/* serve/protected.c - see protected.h. */
#include "serve/protected.h"

#include <string.h>

#include "base/mem.h"
#include "serve/static_path.h"

struct cl_protected {
    size_t num;
    char *names[]; /* relative, without slashes at the ends; "" is everything */
};

static void drop_last_slash(struct cl_static_path *path)
{
    size_t len = strlen(path->name);
    if (len > 0 && path->name[len - 1] == '/') {
        path->name[len - 1] = '\0';
    }
}

static cl_result bad_path(struct cleat_error *err, const char *path)
{
    const struct cl_why why = {.code = CLEAT_ERR_BAD_CONFIG,
                               .hint = "write it as in the URL, from the first slash on: /admin"};
    return cl_error_set(err, why, "--client-auth-path %s is no path that can be asked for", path);
}

cl_result cl_protected_new(const char *const *paths, size_t num, struct cl_protected **out,
                           struct cleat_error *err)
{
    struct cl_protected *p = cl_calloc(1, sizeof(*p) + num * sizeof(p->names[0]));
    *out = NULL;
    if (p == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    for (size_t i = 0; i < num; i++) {
        struct cl_static_path path;
        struct cleat_http_view view = {paths[i], strlen(paths[i])};
        if (view.len > CLEAT_HTTP_MAX_TARGET || cl_static_path_read(view, NULL, &path) != 0) {
            cl_protected_free(p);
            return bad_path(err, paths[i]);
        }
        drop_last_slash(&path);
        p->names[i] = cl_strndup(path.name, strlen(path.name));
        if (p->names[i] == NULL) {
            cl_protected_free(p);
            return CLEAT_ERR_NOMEM;
        }
        p->num++;
    }
    *out = p;
    return CL_OK;
}

void cl_protected_free(struct cl_protected *p)
{
    for (size_t i = 0; p != NULL && i < p->num; i++) {
        cl_free(p->names[i]);
    }
    cl_free(p);
}

static bool is_below(const char *name, const char *top)
{
    size_t len = strlen(top);
    return len == 0 || (strncmp(name, top, len) == 0 && (name[len] == '/' || name[len] == '\0'));
}

bool cl_protected_holds(const struct cl_protected *p, const struct cleat_http_head *request)
{
    struct cl_static_path path;
    if (p == NULL || cl_static_path_read(cl_static_path_of(request), NULL, &path) != 0) {
        return false;
    }
    for (size_t i = 0; i < p->num; i++) {
        if (is_below(path.name, p->names[i])) {
            return true;
        }
    }
    return false;
}

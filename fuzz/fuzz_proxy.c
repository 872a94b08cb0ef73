/* fuzz/fuzz_proxy.c - the URL of a proxy in the first line, a host in the second, and a list of
 * those that need none in the rest. */
#include <stdlib.h>
#include <string.h>

#include "conn/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void check_url(const char *text)
{
    struct cl_proxy p;
    struct cleat_error err = {0};
    if (cl_proxy_parse(text, &p, &err) == CL_OK) {
        require(p.host[0] != '\0' && cl_proxy_scheme(&p)[0] != '\0');
        require(strlen(p.host) < sizeof(p.host) && strlen(p.user) <= CL_PROXY_MAX_CREDENTIAL);
        require(strpbrk(p.user, ":\r\n") == NULL && strpbrk(p.password, "\r\n") == NULL);
        require(p.has_user || (p.user[0] == '\0' && p.password[0] == '\0'));
        require(p.fields.p == NULL);
    } else {
        require(err.code == CLEAT_ERR_BAD_URL || err.code == CLEAT_ERR_UNSUPPORTED);
    }
    cl_proxy_deinit(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    require(text != NULL);
    if (size != 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    char *host = strchr(text, '\n');
    if (host != NULL) {
        *host++ = '\0';
        char *list = strchr(host, '\n');
        if (list != NULL) {
            *list++ = '\0';
            /* A host is found in a list of itself alone, unless a separator cuts it up. */
            const bool plain = host[0] != '\0' && host[0] != '.' && host[0] != '/' &&
                               strpbrk(host, ", \t/") == NULL && host[strlen(host) - 1] != '.';
            require(!plain || cl_proxy_is_exempt(host, host));
            const bool everybody = strcmp(list, "*") == 0;
            require(cl_proxy_is_exempt(list, host) || !everybody);
        }
    }
    check_url(text);
    free(text);
    return 0;
}

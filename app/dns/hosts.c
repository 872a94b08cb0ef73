/* dns/hosts.c - the hosts file, localhost and overrides, without I/O. */
#include "dns/hosts.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool next_line(struct cl_rd *text, struct cl_rd *line)
{
    if (text->len == 0) {
        return false;
    }
    const uint8_t *end = memchr(text->p, '\n', text->len);
    size_t len = end != NULL ? (size_t)(end - text->p) : text->len;
    *line = cl_rd_of(text->p, len);
    if (!cl_rd_skip(text, len < text->len ? len + 1 : len)) {
        return false;
    }
    const uint8_t *comment = memchr(line->p, '#', line->len);
    if (comment != NULL) {
        line->len = (size_t)(comment - line->p);
    }
    return true;
}

static bool next_word(struct cl_rd *line, struct cl_rd *word)
{
    uint8_t c;
    while (line->len > 0 && is_blank(line->p[0])) {
        if (!cl_rd_u8(line, &c)) {
            return false;
        }
    }
    size_t len = 0;
    while (len < line->len && !is_blank(line->p[len])) {
        len++;
    }
    return len > 0 && cl_rd_take(line, len, word);
}

static bool line_names(struct cl_rd line, const char *name)
{
    struct cl_rd word;
    while (next_word(&line, &word)) {
        if (cl_ascii_equal_fold(word, cl_rd_str(name))) {
            return true;
        }
    }
    return false;
}

size_t cl_hosts_find(struct cl_rd text, const char *name, int family, struct cl_addr *out,
                     size_t cap, bool *known)
{
    size_t num = 0;
    struct cl_rd line, word;
    *known = false;
    while (next_line(&text, &line)) {
        char literal[CL_ADDR_TEXT_SIZE];
        struct cl_addr addr;
        if (!next_word(&line, &word) || word.len >= sizeof(literal) || !line_names(line, name)) {
            continue;
        }
        memcpy(literal, word.p, word.len);
        literal[word.len] = '\0';
        if (!cl_addr_parse(literal, 0, &addr)) {
            continue;
        }
        *known = true;
        if (addr.sa.sa_family == family && num < cap) {
            out[num++] = addr;
        }
    }
    return num;
}

bool cl_hosts_is_localhost(const char *name)
{
    static const char localhost[] = "localhost";
    const size_t want = sizeof(localhost) - 1;
    struct cl_rd r = cl_rd_str(name);
    if (r.len > 0 && r.p[r.len - 1] == '.') {
        r.len--;
    }
    if (r.len < want ||
        !cl_ascii_equal_fold(cl_rd_of(r.p + r.len - want, want), cl_rd_str(localhost))) {
        return false;
    }
    return r.len == want || r.p[r.len - want - 1] == '.';
}

/* Splits "HOST:PORT" or "HOST:PORT:..." (HOST may be a bracketed IPv6 literal); *rest is what
 * follows the port's colon, or NULL. */
static bool split_host_port(const char *text, struct cl_override *out, const char **rest)
{
    const char *host_end = text[0] == '[' ? strchr(text, ']') : text;
    host_end = host_end != NULL ? strchr(host_end, ':') : NULL;
    if (host_end == NULL) {
        return false;
    }
    size_t host_len = (size_t)(host_end - text);
    const char *host = text;
    if (host[0] == '[') {
        host++;
        host_len -= 2;
    }
    if (host_len == 0 || host_len >= sizeof(out->host)) {
        return false;
    }
    for (size_t i = 0; i < host_len; i++) {
        out->host[i] = (char)cl_ascii_lower((uint8_t)host[i]);
    }
    char *end;
    long port = strtol(host_end + 1, &end, 10);
    if (end == host_end + 1 || host_end[1] < '0' || host_end[1] > '9' || port < 1 || port > 65535 ||
        (*end != '\0' && *end != ':')) {
        return false;
    }
    out->port = (uint16_t)port;
    *rest = *end == ':' ? end + 1 : NULL;
    return true;
}

static bool parse_addrs(const char *list, struct cl_override *out)
{
    while (*list != '\0') {
        char literal[CL_ADDR_TEXT_SIZE];
        size_t len = strcspn(list, ",");
        if (len == 0 || len >= sizeof(literal) || out->num == CL_OVERRIDE_MAX_ADDRS) {
            return false;
        }
        memcpy(literal, list, len);
        literal[len] = '\0';
        if (!cl_addr_parse(literal, out->port, &out->addrs[out->num])) {
            return false;
        }
        out->num++;
        list += len + (list[len] == ',' ? 1 : 0);
    }
    return out->num > 0;
}

cl_result cl_override_parse(const char *text, struct cl_override *out, struct cleat_error *err)
{
    const struct cl_why why = {.code = CLEAT_ERR_USAGE,
                               .hint = "write HOST:PORT:ADDRESS, as in example.com:443:127.0.0.1"};
    const char *rest = NULL;
    const char *entry = text;
    memset(out, 0, sizeof(*out));
    if (*entry == '-' || *entry == '+') {
        out->remove = *entry == '-';
        entry++;
    }
    if (!split_host_port(entry, out, &rest)) {
        return cl_error_set(err, why, "\"%s\" does not begin with a host and a port", text);
    }
    if (out->remove ? rest != NULL : rest == NULL || !parse_addrs(rest, out)) {
        return cl_error_set(err, why, "\"%s\" does not end in a list of 1 to %d IP addresses", text,
                            CL_OVERRIDE_MAX_ADDRS);
    }
    return CL_OK;
}

const struct cl_override *cl_override_find(const struct cl_override *list, size_t num,
                                           const char *host, uint16_t port)
{
    const struct cl_override *exact = NULL, *any = NULL;
    for (size_t i = 0; i < num; i++) {
        if (list[i].port != port) {
            continue;
        }
        if (strcmp(list[i].host, "*") == 0) {
            any = list[i].remove ? NULL : &list[i];
        } else if (cl_ascii_equal_fold(cl_rd_str(list[i].host), cl_rd_str(host))) {
            exact = list[i].remove ? NULL : &list[i];
        }
    }
    return exact != NULL ? exact : any;
}

/* http/fields.c - looking at the fields of a complete head (RFC 9110 5), and names of statuses. */
#include "http/head.h"

bool cleat_http_is(struct cleat_http_view v, const char *text)
{
    return cl_rd_equal_str(cl_http_rd(v), text);
}

struct cleat_http_view cleat_http_find(const struct cleat_http_head *h, const char *name,
                                       size_t *from)
{
    size_t name_len = strlen(name);
    for (size_t i = from != NULL ? *from : 0; i < h->num_fields; i++) {
        struct cl_rd have = cl_http_rd_span(h, h->fields[i].name);
        if (have.len == name_len && cl_http_equal_fold(have, name)) {
            if (from != NULL) {
                *from = i + 1;
            }
            return cleat_http_text(h, h->fields[i].value);
        }
    }
    return (struct cleat_http_view){0};
}

size_t cleat_http_count(const struct cleat_http_head *h, const char *name)
{
    size_t num = 0;
    size_t from = 0;
    while (cleat_http_find(h, name, &from).p != NULL) {
        num++;
    }
    return num;
}

/* The length of the element in front: up to a comma that is not in a quoted string (RFC 9110
 * 5.6.4). */
static size_t element_len(struct cl_rd v)
{
    bool quoted = false;
    for (size_t i = 0; i < v.len; i++) {
        if (quoted && v.p[i] == '\\' && i + 1 < v.len) {
            i++;
        } else if (v.p[i] == '"') {
            quoted = !quoted;
        } else if (v.p[i] == ',' && !quoted) {
            return i;
        }
    }
    return v.len;
}

bool cleat_http_list_next(struct cleat_http_view *rest, struct cleat_http_view *out)
{
    struct cl_rd r = cl_http_rd(*rest);
    while (r.len != 0) {
        struct cl_rd element;
        uint8_t comma;
        if (!cl_rd_take(&r, element_len(r), &element)) {
            break;
        }
        if (!cl_rd_u8(&r, &comma)) {
            r.len = 0;
        }
        element = cl_http_trim(element);
        if (element.len != 0) {
            *rest = cl_http_view(r);
            *out = cl_http_view(element);
            return true;
        }
    }
    rest->len = 0;
    return false;
}

bool cleat_http_has_token(const struct cleat_http_head *h, const char *name, const char *token)
{
    size_t from = 0;
    struct cleat_http_view value;
    while ((value = cleat_http_find(h, name, &from)).p != NULL) {
        struct cleat_http_view element;
        while (cleat_http_list_next(&value, &element)) {
            struct cl_rd rest = cl_http_rd(element);
            struct cl_rd front = rest;
            if (cl_http_until(&rest, ';', &front)) {
                front = cl_http_trim(front);
            }
            if (cl_http_equal_fold(front, token)) {
                return true;
            }
        }
    }
    return false;
}

int cleat_http_reply_status(int code)
{
    switch (code) {
    case CLEAT_ERR_HTTP_SYNTAX:
    case CLEAT_ERR_HTTP_AMBIGUOUS:
    case CLEAT_ERR_HTTP_TRUNCATED:
    case CLEAT_ERR_CODING:
    case CLEAT_ERR_BAD_URL:
        return 400;
    case CLEAT_ERR_HTTP_TOO_LARGE:
        return 413;
    case CLEAT_ERR_UNSUPPORTED:
        return 501;
    case CLEAT_ERR_HTTP_VERSION:
        return 505;
    default:
        return 500;
    }
}

static const struct {
    uint16_t status;
    const char *reason;
} reasons[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {103, "Early Hints"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {305, "Use Proxy"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {511, "Network Authentication Required"},
};

const char *cleat_http_reason(int status)
{
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (reasons[i].status == status) {
            return reasons[i].reason;
        }
    }
    return "";
}

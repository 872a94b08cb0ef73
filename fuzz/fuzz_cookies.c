/* fuzz/fuzz_cookies.c - cookies: the first line is the host that sends them, the next ones, up to
 * an empty one, are Set-Cookie fields, the rest is a file. What the jar holds is sent within its
 * limits, and comes back the same from the file that it writes. */
#include <stdlib.h>
#include <string.h>

#include "agent/cookie_jar.h"
#include "http/chars.h"

#define NOW 1800000000

static void require(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void header_of(struct cl_jar *jar, const struct cl_cookie_origin *o, struct cl_buf *out)
{
    require(cl_jar_header(jar, o, NOW, out) == CL_OK && out->len <= CL_JAR_MAX_HEADER);
    for (size_t i = 0; i < out->len; i++) {
        require(out->p[i] >= 0x20 && out->p[i] != 0x7f);
    }
}

static void check_round_trip(struct cl_jar *jar, const struct cl_cookie_origin *o)
{
    struct cl_buf text = {0}, ours = {0}, theirs = {0};
    struct cl_jar *again;
    size_t num;
    require(cl_jar_new(&again) == CL_OK);
    require(cl_jar_write(jar, NOW, &text) == CL_OK);
    require(cl_jar_read(again, cl_buf_view(&text), NOW, false, &num) == CL_OK);
    require(num == cl_jar_num(jar) && cl_jar_num(again) == num);
    header_of(jar, o, &ours);
    header_of(again, o, &theirs);
    require(ours.len == theirs.len);
    cl_buf_deinit(&text);
    cl_buf_deinit(&ours);
    cl_buf_deinit(&theirs);
    cl_jar_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char host[256];
    struct cl_rd rest = cl_rd_of(data, size), line;
    struct cl_jar *jar;
    size_t num;
    if (!cl_http_until(&rest, '\n', &line) || line.len == 0 || line.len >= sizeof(host) ||
        line.p[0] == '.' || !cl_http_all(line, CL_CH_REGNAME)) { /* none that is looked up */
        return 0;
    }
    for (size_t i = 0; i < line.len; i++) {
        host[i] = (char)(line.p[i] >= 'A' && line.p[i] <= 'Z' ? line.p[i] + 32 : line.p[i]);
    }
    host[line.len] = '\0';
    const struct cl_cookie_origin origin = {.host = host,
                                            .is_ip = host[0] >= '0' && host[0] <= '9',
                                            .secure = size % 2 == 0,
                                            .path = cl_rd_str("/a/b")};
    require(cl_jar_new(&jar) == CL_OK);
    while (cl_http_until(&rest, '\n', &line) && line.len > 0) {
        (void)cl_jar_take(jar, &origin, line, NOW);
    }
    require(cl_jar_read(jar, rest, NOW, size % 3 == 0, &num) == CL_OK);
    require(cl_jar_num(jar) <= CL_JAR_MAX);
    check_round_trip(jar, &origin);
    cl_jar_free(jar);
    return 0;
}

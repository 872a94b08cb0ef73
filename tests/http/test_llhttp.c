/* tests/http/test_llhttp.c - the codec against the message collection of nodejs/llhttp.
 *
 * Each block of the collection is a stream of messages with the events that llhttp reports. A block
 * for llhttp's default mode must come out the same here: refused or not, how many heads and bodies,
 * how long. A block for one of its lenient modes must be refused. Where llhttp is laxer than RFC
 * 9112 read strictly, or than our list of smuggling tricks, or stricter than needed, a row of
 * `differences` says so with its reason; rows that are not needed fail the test.
 *
 * Most of its HTTP/1.1 requests have no Host: they are checked to be refused, then judged with one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/chars.h"
#include "support_http.h"

/* 64 KiB: the longest file has 31 */
#define MAX_FILE 65536

struct difference {
    const char *file;
    const char *heading;
    int code; /* what we say; 0: we accept it */
    const char *reason;
    bool used;
};

static struct difference differences[] = {
    {"request/sample.md", "No HTTP version", CLEAT_ERR_HTTP_VERSION,
     "HTTP/0.9 is not spoken (RFC 9112 2.3 knows no request without version)", false},
    {"request/method.md", "CONNECT with body", CLEAT_ERR_HTTP_AMBIGUOUS,
     "RFC 9110 9.3.6: a CONNECT request has no content", false},
    {"request/method.md", "M-SEARCH request", CLEAT_ERR_HTTP_SYNTAX,
     "RFC 9112 3.2.4: asterisk-form is for OPTIONS only", false},
    {"request/method.md", "SOURCE request with ICE", CLEAT_ERR_HTTP_SYNTAX,
     "RFC 9112 2.3: the version begins with HTTP", false},
    {"request/method.md", "OPTIONS request with RTSP", CLEAT_ERR_HTTP_SYNTAX,
     "RFC 9112 2.3: the version begins with HTTP", false},
    {"request/method.md", "ANNOUNCE request with RTSP", CLEAT_ERR_HTTP_SYNTAX,
     "RFC 9112 2.3: the version begins with HTTP", false},
    {"request/transfer-encoding.md", "Chunk extensions", CLEAT_ERR_HTTP_AMBIGUOUS,
     "chunk extensions: on our list of smuggling tricks", false},
    {"request/transfer-encoding.md", "Chunk extensions quoting", CLEAT_ERR_HTTP_AMBIGUOUS,
     "chunk extensions: on our list of smuggling tricks", false},
    {"request/transfer-encoding.md", "POST with `chunked` as last transfer-encoding",
     CLEAT_ERR_HTTP_SYNTAX,
     "a fragment in the target (RFC 9112 3.2.1), and a coding that we do not have (6.1: 501)",
     false},
    {"request/transfer-encoding.md",
     "POST with `chunked` as last transfer-encoding (multiple headers)", CLEAT_ERR_HTTP_SYNTAX,
     "a fragment in the target (RFC 9112 3.2.1), and a coding that we do not have (6.1: 501)",
     false},
    {"request/invalid.md", "HTTP protocol and ANNOUNCE method", CLEAT_OK,
     "RFC 9110 9.1: any token is a method; refusing it (501) is the server's affair", false},
    {"request/invalid.md", "Invalid method", CLEAT_OK,
     "RFC 9110 9.1: any token is a method; refusing it (501) is the server's affair", false},
    {"request/uri.md", "Quotes in URI", CLEAT_ERR_HTTP_SYNTAX,
     "RFC 3986 2: no URI holds a double quote", false},
    {"request/uri.md", "Fragment in URI", CLEAT_ERR_HTTP_SYNTAX,
     "RFC 9112 3.2.1: origin-form has no fragment", false},
    {"request/uri.md", "`host:port` and basic auth", CLEAT_ERR_HTTP_SYNTAX,
     "RFC 9110 4.2.4: user information in a target is treated as an error", false},
    {"request/pausing.md", "on_chunk_extension_name", CLEAT_ERR_HTTP_AMBIGUOUS,
     "chunk extensions: on our list of smuggling tricks", false},
    {"request/pausing.md", "on_chunk_extension_value", CLEAT_ERR_HTTP_AMBIGUOUS,
     "chunk extensions: on our list of smuggling tricks", false},
    {"response/sample.md", "RTSP response", CLEAT_ERR_HTTP_SYNTAX,
     "RFC 9112 2.3: the version begins with HTTP", false},
    {"response/sample.md", "ICE response", CLEAT_ERR_HTTP_SYNTAX,
     "RFC 9112 2.3: the version begins with HTTP", false},
    {"response/sample.md", "HTTP version 0.9", CLEAT_ERR_HTTP_VERSION,
     "neither HTTP/1.1 nor HTTP/1.0", false},
    {"response/sample.md", "Response starting with CRLF", CLEAT_ERR_HTTP_SYNTAX,
     "RFC 9112 2.2 lets servers ignore empty lines, not clients", false},
    {"response/transfer-encoding.md", "`chunked` before other transfer-encoding",
     CLEAT_ERR_HTTP_AMBIGUOUS,
     "only \"chunked\" as the last and only coding is accepted (RFC 9112 6.3)", false},
    {"response/transfer-encoding.md",
     "multiple transfer-encoding where chunked is not the last one", CLEAT_ERR_HTTP_AMBIGUOUS,
     "only \"chunked\" as the last and only coding is accepted (RFC 9112 6.3)", false},
    {"response/transfer-encoding.md",
     "`chunkedchunked` transfer-encoding does not enable chunked enconding",
     CLEAT_ERR_HTTP_AMBIGUOUS,
     "only \"chunked\" as the last and only coding is accepted (RFC 9112 6.3)", false},
    {"response/transfer-encoding.md", "Chunk extensions", CLEAT_ERR_HTTP_AMBIGUOUS,
     "chunk extensions: on our list of smuggling tricks", false},
    {"response/transfer-encoding.md", "Chunk extensions quoting", CLEAT_ERR_HTTP_AMBIGUOUS,
     "chunk extensions: on our list of smuggling tricks", false},
    {"response/connection.md", "HTTP 304 with Content-Length", CLEAT_ERR_HTTP_SYNTAX,
     "RFC 9112 2.2 lets servers ignore empty lines, not clients", false},
    {"response/connection.md", "HTTP 100 first, then 400", CLEAT_ERR_HTTP_SYNTAX,
     "RFC 9112 2.2 lets servers ignore empty lines, not clients", false},
    {"response/pausing.md", "on_chunk_extension_name", CLEAT_ERR_HTTP_AMBIGUOUS,
     "chunk extensions: on our list of smuggling tricks", false},
    {"response/pausing.md", "on_chunk_extension_value", CLEAT_ERR_HTTP_AMBIGUOUS,
     "chunk extensions: on our list of smuggling tricks", false},
    {"response/pipelining.md", "Should parse multiple events", CLEAT_ERR_HTTP_SYNTAX,
     "RFC 9112 2.2 lets servers ignore empty lines, not clients", false},
};

struct block {
    char file[64];
    char heading[160];
    char type[64];
    bool skip_bodies;
    char *bytes; /* decoded, with room for Host fields */
    size_t len;
    char *log;
};

struct counts {
    unsigned blocks, agreed, host_added, lenient_refused, different;
};

/* The escapes of llhttp's own test reader: line ends become CR LF, a backslash at the end of a line
 * joins it with the next, \r \n \t \f \xHH are decoded, any other backslash stays. */
static void decode(struct block *b, const char *text, size_t len)
{
    size_t n = 0;
    if (len != 0 && text[len - 1] == '\n') {
        len--;
    }
    for (size_t i = 0; i < len; i++) {
        char next = i + 1 < len ? text[i + 1] : '\0';
        const char *known = next != '\0' ? strchr("rntf", next) : NULL;
        if (text[i] == '\n') {
            b->bytes[n++] = '\r';
            b->bytes[n++] = '\n';
        } else if (text[i] == '\\' && next == '\n') {
            i++;
        } else if (text[i] == '\\' && known != NULL) {
            b->bytes[n++] = "\r\n\t\f"[known - &"rntf"[0]];
            i++;
        } else if (text[i] == '\\' && next == 'x' && i + 3 < len) {
            b->bytes[n++] = (char)strtol((char[]){text[i + 2], text[i + 3], '\0'}, NULL, 16);
            i += 3;
        } else {
            b->bytes[n++] = text[i];
        }
    }
    b->len = n;
}

/* Whether the line at `line` is a request line of HTTP/1.1; *out_end: behind its CR LF. */
static bool is_request_line(const char *line, const char *end, const char **out_end)
{
    const char *eol = memmem(line, (size_t)(end - line), "\r\n", 2);
    if (eol == NULL || eol - line < 12 || memcmp(eol - 9, " HTTP/1.1", 9) != 0) {
        return false;
    }
    struct cl_rd rest = cl_rd_of(line, (size_t)(eol - 9 - line));
    struct cl_rd method;
    *out_end = eol + 2;
    return cl_http_until(&rest, ' ', &method) && method.len != 0 &&
           cl_http_all(method, CL_CH_TOKEN) && memchr(rest.p, ' ', rest.len) == NULL;
}

static bool has_host(const char *head, const char *end)
{
    const char *empty = memmem(head, (size_t)(end - head), "\r\n\r\n", 4);
    size_t len = (size_t)((empty != NULL ? empty : end) - head);
    for (size_t i = 0; i + 5 <= len; i++) {
        if (strncasecmp(head + i, "host:", 5) == 0 && (i == 0 || head[i - 1] == '\n')) {
            return true;
        }
    }
    return false;
}

/* Adds "Host: h" behind each HTTP/1.1 request line whose head has none; gives how many. */
static unsigned add_hosts(struct block *b)
{
    unsigned num = 0;
    const char *behind = NULL;
    for (size_t at = 0; at < b->len; at++) {
        bool line_begins = at == 0 || b->bytes[at - 1] == '\n';
        /* a request may follow a body without line end in between */
        bool after_body = num != 0 && strncmp(b->bytes + at, "PUT ", 4) == 0;
        after_body = after_body || (num != 0 && strncmp(b->bytes + at, "PATCH ", 6) == 0);
        if (!(line_begins || after_body) ||
            !is_request_line(b->bytes + at, b->bytes + b->len, &behind) ||
            has_host(behind, b->bytes + b->len)) {
            continue;
        }
        size_t to = (size_t)(behind - b->bytes);
        memmove(b->bytes + to + 9, b->bytes + to, b->len - to);
        memcpy(b->bytes + to, "Host: h\r\n", 9);
        b->len += 9;
        b->bytes[b->len] = '\0';
        num++;
    }
    return num;
}

static unsigned count_text(const char *log, const char *text)
{
    unsigned num = 0;
    for (const char *p = log; (p = strstr(p, text)) != NULL; p += strlen(text)) {
        num++;
    }
    return num;
}

/* The sums of the lengths that heads announce, and of the content that came. */
static size_t announced_in(const char *log)
{
    size_t sum = 0;
    for (const char *p = log; (p = strstr(p, " content_length=")) != NULL; p++) {
        sum += strtoul(p + 16, NULL, 10);
    }
    return sum;
}

static size_t content_of(const char *log)
{
    size_t sum = 0;
    for (const char *p = log; (p = strstr(p, " span[body]=")) != NULL; p++) {
        const char *number = p;
        while (number[-1] != '=') {
            number--;
        }
        sum += strtoul(number, NULL, 10);
    }
    return sum;
}

/* What our result says, and what llhttp's log says, in the same words. */
static void tell_ours(const struct seen *s, char *out, size_t cap)
{
    unsigned complete = 0;
    size_t content = 0;
    uint64_t announced = 0;
    for (size_t i = 0; i < s->num_messages; i++) {
        announced += s->messages[i].content_length;
        complete += s->messages[i].complete;
        content += s->messages[i].content_len;
    }
    if (s->code != 0) {
        snprintf(out, cap, "refused");
    } else {
        snprintf(out, cap,
                 "heads=%zu bodies=%u content=%zu announced=%llu switched=%d after_close=%d",
                 s->num_messages, complete, content, (unsigned long long)announced, s->switched,
                 s->after_close);
    }
}

static void tell_theirs(const char *log, char *out, size_t cap)
{
    bool switched = strstr(log, "error code=22") != NULL;
    bool after_close = strstr(log, "error code=5 ") != NULL;
    bool paused = strstr(log, "error code=21") != NULL;
    if (strstr(log, "error code=") != NULL && !switched && !after_close && !paused) {
        snprintf(out, cap, "refused");
    } else {
        snprintf(out, cap,
                 "heads=%u bodies=%u content=%zu announced=%zu switched=%d after_close=%d",
                 count_text(log, "headers complete"), count_text(log, "message complete"),
                 content_of(log), strstr(log, "status=101") == NULL ? announced_in(log) : 0,
                 switched, after_close); /* RFC 9112 6.3: a 101 has no content, whatever it says */
    }
}

static struct difference *find_difference(const struct block *b)
{
    for (size_t i = 0; i < sizeof(differences) / sizeof(differences[0]); i++) {
        if (strcmp(differences[i].file, b->file) == 0 &&
            strcmp(differences[i].heading, b->heading) == 0) {
            return &differences[i];
        }
    }
    return NULL;
}

static void run_block(const struct block *b, struct seen *seen)
{
    struct stream s = {.is_response = strncmp(b->type, "response", 8) == 0,
                       .bytes = b->bytes,
                       .len = b->len,
                       .skip_bodies = b->skip_bodies};
    run_every_way(b->heading, &s, seen);
}

static void judge(struct block *b, struct counts *counts)
{
    char ours[160];
    char theirs[160];
    struct seen seen;
    bool lenient = strstr(b->type, "-lenient") != NULL;
    counts->blocks++;
    run_block(b, &seen);
    bool lacked_host = add_hosts(b) != 0;
    if (lacked_host) {
        /* the head without Host never came through: refused, or not even complete */
        assert_true(seen.num_messages == 0 || seen.code != 0 || seen.switched || seen.after_close);
        seen_deinit(&seen);
        run_block(b, &seen);
    }
    tell_theirs(b->log, theirs, sizeof(theirs));
    /* llhttp refuses within a line, we at its end: give the line its end */
    if (strcmp(theirs, "refused") == 0 && seen.code == 0 && seen.in_message) {
        memcpy(b->bytes + b->len, "\r\n\r\n", 5);
        b->len += 4;
        seen_deinit(&seen);
        run_block(b, &seen);
    }
    tell_ours(&seen, ours, sizeof(ours));
    struct difference *d = find_difference(b);
    if (lenient && (seen.code != 0 || seen.after_close)) {
        counts->lenient_refused++;
    } else if (d != NULL) {
        d->used = true;
        counts->different++;
        if (strcmp(ours, theirs) == 0 || seen.code != d->code) {
            fail_msg("%s: %s: %s (%s), no longer as the table says", b->file, b->heading, ours,
                     cleat_error_name(seen.code));
        }
    } else if (lenient || strcmp(ours, theirs) != 0) {
        print_error("%s | %s | %s\n  ours:   %s %s\n  theirs: %s\n", b->file, b->heading, b->type,
                    ours, cleat_error_name(seen.code), lenient ? "to be refused" : theirs);
        counts->blocks += 10000;
    } else {
        counts->agreed++;
        counts->host_added += lacked_host;
    }
    seen_deinit(&seen);
}

/* The text between the line at `*p` (a fence) and the closing fence; *p moves behind it. */
static char *take_fenced(char **p, size_t *out_len)
{
    char *text = strchr(*p, '\n') + 1;
    char *end = strstr(text, "\n```");
    assert_non_null(end);
    *out_len = (size_t)(end + 1 - text);
    *p = end + 4;
    return text;
}

static void judge_file(const char *file, char *text, struct counts *counts)
{
    struct block b = {0};
    char buffer[MAX_FILE];
    snprintf(b.file, sizeof(b.file), "%s", file);
    b.bytes = buffer;
    for (char *p = text; *p != '\0';) {
        size_t len = strcspn(p, "\n");
        if (p[0] == '#') {
            size_t skip = strspn(p, "# ");
            snprintf(b.heading, sizeof(b.heading), "%.*s", (int)(len - skip), p + skip);
        } else if (strncmp(p, "<!-- meta=", 10) == 0) {
            char *type = strstr(p, "\"type\"");
            type = strchr(strchr(type, ':'), '"') + 1;
            snprintf(b.type, sizeof(b.type), "%.*s", (int)strcspn(type, "\""), type);
            char *skip = strstr(p, "\"skipBody\"");
            b.skip_bodies = skip != NULL && skip < p + len;
        } else if (strncmp(p, "```http", 7) == 0) {
            char *message = take_fenced(&p, &len);
            memset(buffer, 0, sizeof(buffer));
            decode(&b, message, len);
            len = strcspn(p, "\n");
        } else if (strncmp(p, "```log", 6) == 0) {
            char *log = take_fenced(&p, &len);
            log[len] = '\0';
            b.log = log;
            judge(&b, counts);
            p++; /* the NUL took the place of the fence's first character */
            len = strcspn(p, "\n");
        }
        p += len + (p[len] != '\0');
    }
}

static void judge_folder(const char *root, const char *folder, struct counts *counts)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/http1/%s", root, folder);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        if (strstr(entry->d_name, ".md") == NULL) {
            continue;
        }
        char *text = calloc(1, MAX_FILE + 1);
        char name[300];
        snprintf(path, sizeof(path), "%s/http1/%s/%s", root, folder, entry->d_name);
        snprintf(name, sizeof(name), "%s/%s", folder, entry->d_name);
        FILE *f = fopen(path, "rb");
        assert_non_null(f);
        assert_true(fread(text, 1, MAX_FILE, f) < MAX_FILE);
        fclose(f);
        judge_file(name, text, counts);
        free(text);
    }
    closedir(dir);
}

static void test_every_message_is_judged_as_llhttp_does_or_the_difference_is_explained(void **state)
{
    const char *env = getenv("CLEAT_TEST_DATA");
    const char *root = env != NULL ? env : CLEAT_TEST_DATA;
    char path[512];
    struct counts counts = {0};
    snprintf(path, sizeof(path), "%s/http1/request/method.md", root);
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        print_message("SKIP: no %s: the HTTP/1 message collection is not there\n", path);
        skip();
    }
    fclose(f);
    judge_folder(root, "request", &counts);
    judge_folder(root, "response", &counts);
    print_message(
        "%u blocks: %u agreed (%u of them after adding Host), %u of lenient modes refused, "
        "%u deliberate differences\n",
        counts.blocks % 10000, counts.agreed, counts.host_added, counts.lenient_refused,
        counts.different);
    assert_true(counts.blocks < 10000);
    assert_true(counts.blocks > 100);
    for (size_t i = 0; i < sizeof(differences) / sizeof(differences[0]); i++) {
        if (!differences[i].used) {
            fail_msg("not in the collection: %s: %s", differences[i].file, differences[i].heading);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_every_message_is_judged_as_llhttp_does_or_the_difference_is_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

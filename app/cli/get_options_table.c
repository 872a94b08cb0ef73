/* cli/get_options_table.c - what `cleat get --help` prints, and how its options are spelled. */
#include "cli/get_options_table.h"

#include "cli/get_options.h"

static const struct cl_option rows[] = {
    {GET_HEADING, 0, "Output", NULL, NULL},
    {GET_OUTPUT, 'o', "output", "FILE", "write the body to FILE (\"-\": standard output)"},
    {GET_REMOTE_NAME, 'O', "remote-name", NULL,
     "write the body to a file named as the URL's last part"},
    {GET_INCLUDE, 'i', "include", NULL, "write the response head before the body"},
    {GET_HEAD, 'I', "head", NULL, "ask for the head only (HEAD)"},
    {GET_DUMP_HEADER, 'D', "dump-header", "FILE", "write the response heads to FILE"},
    {GET_WRITE_OUT, 'w', "write-out", "FORMAT",
     "print FORMAT when done: %{http_code}, %{time_total}, …;\n"
     "%{json} prints all of them; @FILE reads FORMAT from FILE"},
    {GET_TIMING, 0, "timing", NULL,
     "draw how long each phase took (DNS, TCP, TLS, first byte, transfer), on\n"
     "standard error"},
    {GET_SLO, 0, "slo", "LIMITS",
     "exit with 4 when a phase took longer than so many milliseconds:\n"
     "total=500,tls=100; the phases are redirect, dns, tcp, tls, send, ttfb,\n"
     "transfer and total"},
    {GET_MIXED_CONTENT, 0, "mixed-content", NULL,
     "instead of the page: what it loads over plain HTTP, with line numbers; exit\n"
     "with 4 when browsers block some of it"},
    {GET_MIXED_CONTENT_JSON, 0, "mixed-content-json", NULL, "the same, as JSON"},
    {GET_PRINT_CURL, 0, "print-curl", NULL,
     "print the curl command that does the same, instead of doing it"},
    CLIENT_TRACE_ROWS,
    CLIENT_PCAP_ROW,
    {CLIENT_RECORD, 0, "record", "FILE",
     "record the TLS handshake in FILE, for `cleat replay FILE`; without secrets of\n"
     "what is sent after it; further connections go to FILE.2, FILE.3, …"},
    {CLIENT_RECORD_SECRETS, 0, "record-secrets", NULL,
     "with --record: everything, secrets and all that is sent and received as well"},
    {GET_SILENT, 's', "silent", NULL, "no progress bar, no error messages"},
    {GET_SHOW_ERROR, 'S', "show-error", NULL, "with -s: error messages nevertheless"},
    {GET_NO_PROGRESS, 0, "no-progress-meter", NULL, "no progress bar"},
    {GET_PROGRESS_BAR, '#', "progress-bar", NULL, NULL},
    {GET_FAIL, 'f', "fail", NULL, "exit with 22, and no body, when the status is 400 or more"},
    {GET_FAIL_WITH_BODY, 0, "fail-with-body", NULL, "as -f, but write the body"},

    {GET_HEADING, 0, "Request", NULL, NULL},
    {GET_METHOD, 'X', "request", "METHOD", "use this method"},
    {GET_HEADER, 'H', "header", "LINE",
     "add \"Name: value\"; \"Name:\" removes, \"Name;\" sends it empty;\n@FILE reads lines"},
    {GET_DATA, 'd', "data", "DATA",
     "POST a form; @FILE reads it from FILE without line ends;\nseveral are joined with \"&\""},
    {GET_DATA_RAW, 0, "data-raw", "DATA", "as -d, but \"@\" means nothing"},
    {GET_DATA_BINARY, 0, "data-binary", "DATA", "as -d, but FILE is sent as it is"},
    {GET_JSON, 0, "json", "DATA", "POST JSON (@FILE reads it), and ask for JSON"},
    {GET_FORM, 'F', "form", "NAME=CONTENT",
     "POST a form with files (multipart/form-data): NAME=@FILE sends a file,\n"
     "NAME=<FILE its contents; ;type= and ;filename= behind it"},
    {GET_FORM_STRING, 0, "form-string", "NAME=TEXT", "as -F, but nothing in TEXT has a meaning"},
    {GET_UPLOAD, 'T', "upload-file", "FILE",
     "PUT FILE (\"-\": standard input); to a URL that ends in \"/\" under its name;\n"
     "with several URLs once for each, in their order"},
    {GET_COMPRESSED, 0, "compressed", NULL,
     "ask for a compressed response (gzip, deflate, br, zstd), and decode it"},
    {GET_USER_AGENT, 'A', "user-agent", "TEXT", "the User-Agent field"},
    {GET_REFERER, 'e', "referer", "URL", "the Referer field"},
    {GET_USER, 'u', "user", "USER:PASSWORD", "log in (Basic)"},
    {GET_RANGE, 'r', "range", "FROM-TO", "ask for a part of the file"},
    {GET_RESUME, 'C', "continue-at", "OFFSET",
     "go on with a download, or with -T an upload, at this byte; \"-\": where the\n"
     "file of -o ends"},
    {GET_COOKIE, 'b', "cookie", "DATA|FILE",
     "send cookies: \"NAME=VALUE; ...\", or those of FILE; keeps those of servers"},
    {GET_COOKIE_JAR, 'c', "cookie-jar", "FILE", "keep cookies, and write them to FILE at the end"},
    {GET_JUNK_SESSION, 'j', "junk-session-cookies", NULL,
     "with -b FILE: without those of a session"},
    {GET_LOCATION, 'L', "location", NULL,
     "follow redirects; credentials are not sent to another host"},
    {GET_MAX_REDIRS, 0, "max-redirs", "N", "at most N redirects (50; -1: no limit)"},
    {GET_URL, 0, "url", "URL", "another way to give a URL"},
    {GET_PARALLEL, 'Z', "parallel", NULL,
     "fetch all URLs at the same time; those of a server over one connection of HTTP/2"},
    {GET_PARALLEL_MAX, 0, "parallel-max", "N", "with -Z: at most N at a time (50)"},
    {GET_GLOBOFF, 'g', "globoff", NULL, NULL},
    {GET_HTTP11, 0, "http1.1", NULL, "speak HTTP/1.1 only"},
    {GET_HTTP2, 0, "http2", NULL, "offer HTTP/2, and HTTP/1.1 for who cannot (the default)"},

    {GET_HEADING, 0, "Connection", NULL, NULL},
    CLIENT_CONNECTION_ROWS,
    CLIENT_DOH_ROWS,
    CLIENT_PROXY_ROWS('x'),
    {GET_MAX_TIME, 'm', "max-time", "SECONDS", "limit for the whole transfer"},
    {GET_RETRY, 0, "retry", "N",
     "try again up to N times after time-outs, failures of DNS and the statuses\n"
     "408, 429, 500, 502, 503, 504, 522 and 524; waits 1 s, 2 s, 4 s, ..., or as\n"
     "long as the server says"},
    {GET_RETRY_ALL_ERRORS, 0, "retry-all-errors", NULL, "with --retry: after any failure"},
    {GET_RETRY_CONNREFUSED, 0, "retry-connrefused", NULL, "with --retry: when nobody listens, too"},
    {GET_RETRY_DELAY, 0, "retry-delay", "SECONDS", "wait so long each time"},
    {GET_RETRY_MAX_TIME, 0, "retry-max-time", "SECONDS", "not longer in all"},

    {GET_HEADING, 0, "TLS", NULL, NULL},
    CLIENT_TLS_ROWS,
    CLIENT_DANE_ROW,
    CLIENT_REVOCATION_ROWS,
    CLIENT_CERT_STATUS_ROW,
    CLIENT_CT_ROWS,
    CLIENT_ECH_ROWS,
    {GET_SSL_SESSIONS, 0, "ssl-sessions", "FILE",
     "resume sessions kept in FILE, and keep new ones there"},
    {GET_ALPN, 0, "alpn", "LIST", "application protocols to offer (h2,http/1.1)"},
    {GET_NO_ALPN, 0, "no-alpn", NULL, "offer none"},
    {GET_EARLY_DATA, 0, "tls-earlydata", NULL,
     "with a session from before: send GET and HEAD with the first bytes (0-RTT);\n"
     "whoever records such a request can send it again"},
    {GET_NO_SESSIONID, 0, "no-sessionid", NULL, "resume nothing, and take no session"},
    {GET_FALSE_START, 0, "false-start", NULL,
     "TLS 1.2: send the request before the server's Finished"},
    {GET_FALLBACK_SCSV, 0, "fallback-scsv", NULL,
     "with --tls-max: say that this is another attempt with a lower version"},

    {GET_HEADING, 0, "Other", NULL, NULL},
    {GET_HELP, 'h', "help", NULL, "print this text"},
};

const struct cl_usage get_usage = {
    .command = "get",
    .synopsis = "[OPTION]... URL...",
    .about =
        "Fetches URLs over HTTPS. Options and exit codes are curl's. SSLKEYLOGFILE names a file\n"
        "for TLS secrets, SSL_CERT_FILE and SSL_CERT_DIR other CA certificates.",
    .options = rows,
    .num_options = sizeof(rows) / sizeof(rows[0]),
    .examples = "  cleat get https://example.com/\n"
                "  cleat get -v -o /dev/null https://example.com/\n"
                "  cleat get -sS -w '%{json}' -o page.html https://example.com/ | jq .time_total\n"
                "  cleat get --timing --slo total=500,tls=100 -o /dev/null https://example.com/\n"
                "  cleat get --json '{\"name\":\"value\"}' https://api.example.com/things",
};

/* serve/mime.c - the table of media types: what web sites are made of; everything else is offered
 * as bytes, so that no browser runs it (static.c adds nosniff). */
#include "serve/mime.h"

#include <string.h>

#include "base/text.h"

#define UTF8 "; charset=utf-8"

static const struct {
    const char *extension;
    const char *type;
    enum cl_mime_packing packing;
} rows[] = {
    {"html", "text/html" UTF8, CL_MIME_TEXT},
    {"htm", "text/html" UTF8, CL_MIME_TEXT},
    {"css", "text/css" UTF8, CL_MIME_TEXT},
    {"js", "text/javascript" UTF8, CL_MIME_TEXT},
    {"mjs", "text/javascript" UTF8, CL_MIME_TEXT},
    {"json", "application/json", CL_MIME_TEXT},
    {"map", "application/json", CL_MIME_TEXT},
    {"jsonld", "application/ld+json", CL_MIME_TEXT},
    {"webmanifest", "application/manifest+json", CL_MIME_TEXT},
    {"wasm", "application/wasm", CL_MIME_TEXT},
    {"txt", "text/plain" UTF8, CL_MIME_TEXT},
    {"md", "text/markdown" UTF8, CL_MIME_TEXT},
    {"csv", "text/csv" UTF8, CL_MIME_TEXT},
    {"vtt", "text/vtt" UTF8, CL_MIME_TEXT},
    {"ics", "text/calendar" UTF8, CL_MIME_TEXT},
    {"xml", "application/xml", CL_MIME_TEXT},
    {"xhtml", "application/xhtml+xml", CL_MIME_TEXT},
    {"atom", "application/atom+xml", CL_MIME_TEXT},
    {"rss", "application/rss+xml", CL_MIME_TEXT},
    {"svg", "image/svg+xml", CL_MIME_TEXT},
    {"png", "image/png", CL_MIME_PACKED},
    {"jpg", "image/jpeg", CL_MIME_PACKED},
    {"jpeg", "image/jpeg", CL_MIME_PACKED},
    {"gif", "image/gif", CL_MIME_PACKED},
    {"webp", "image/webp", CL_MIME_PACKED},
    {"avif", "image/avif", CL_MIME_PACKED},
    {"bmp", "image/bmp", CL_MIME_TEXT},
    {"tif", "image/tiff", CL_MIME_PLAIN},
    {"tiff", "image/tiff", CL_MIME_PLAIN},
    {"ico", "image/vnd.microsoft.icon", CL_MIME_TEXT},
    {"woff", "font/woff", CL_MIME_PACKED},
    {"woff2", "font/woff2", CL_MIME_PACKED},
    {"ttf", "font/ttf", CL_MIME_TEXT},
    {"otf", "font/otf", CL_MIME_TEXT},
    {"mp3", "audio/mpeg", CL_MIME_PACKED},
    {"m4a", "audio/mp4", CL_MIME_PACKED},
    {"aac", "audio/aac", CL_MIME_PACKED},
    {"flac", "audio/flac", CL_MIME_PACKED},
    {"oga", "audio/ogg", CL_MIME_PACKED},
    {"ogg", "audio/ogg", CL_MIME_PACKED},
    {"opus", "audio/ogg", CL_MIME_PACKED},
    {"wav", "audio/wav", CL_MIME_PLAIN},
    {"weba", "audio/webm", CL_MIME_PACKED},
    {"mp4", "video/mp4", CL_MIME_PACKED},
    {"m4v", "video/mp4", CL_MIME_PACKED},
    {"webm", "video/webm", CL_MIME_PACKED},
    {"ogv", "video/ogg", CL_MIME_PACKED},
    {"mov", "video/quicktime", CL_MIME_PACKED},
    {"m3u8", "application/vnd.apple.mpegurl", CL_MIME_TEXT},
    {"mpd", "application/dash+xml", CL_MIME_TEXT},
    {"ts", "video/mp2t", CL_MIME_PACKED},
    {"pdf", "application/pdf", CL_MIME_PLAIN},
    {"epub", "application/epub+zip", CL_MIME_PACKED},
    {"zip", "application/zip", CL_MIME_PACKED},
    {"gz", "application/gzip", CL_MIME_PACKED},
    {"zst", "application/zstd", CL_MIME_PACKED},
    {"7z", "application/x-7z-compressed", CL_MIME_PACKED},
    {"tar", "application/x-tar", CL_MIME_PLAIN},
    {"rtf", "application/rtf", CL_MIME_TEXT},
    {"doc", "application/msword", CL_MIME_PLAIN},
    {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
     CL_MIME_PACKED},
    {"xls", "application/vnd.ms-excel", CL_MIME_PLAIN},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", CL_MIME_PACKED},
    {"ppt", "application/vnd.ms-powerpoint", CL_MIME_PLAIN},
    {"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation",
     CL_MIME_PACKED},
    {"odt", "application/vnd.oasis.opendocument.text", CL_MIME_PACKED},
    {"ods", "application/vnd.oasis.opendocument.spreadsheet", CL_MIME_PACKED},
    {"pem", "application/x-pem-file", CL_MIME_PLAIN},
    {"crt", "application/x-x509-ca-cert", CL_MIME_PLAIN},
    {"der", "application/x-x509-ca-cert", CL_MIME_PLAIN},
    {"crl", "application/pkix-crl", CL_MIME_PLAIN},
};

const char *cl_mime_type(struct cl_rd name)
{
    size_t at = name.len;
    while (at != 0 && name.p[at - 1] != '.' && name.p[at - 1] != '/') {
        at--;
    }
    if (at != 0 && name.p[at - 1] == '.') {
        struct cl_rd extension = cl_rd_of(name.p + at, name.len - at);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            if (cl_ascii_equal_fold(extension, cl_rd_str(rows[i].extension))) {
                return rows[i].type;
            }
        }
    }
    return "application/octet-stream";
}

enum cl_mime_packing cl_mime_packing(const char *type)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (type == rows[i].type || strcmp(type, rows[i].type) == 0) {
            return rows[i].packing;
        }
    }
    return CL_MIME_PLAIN;
}

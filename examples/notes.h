/* notes.h - the service of rest_server: notes in memory, a digest, a download without end in sight.
 *
 *     GET    /notes         the list, as JSON
 *     POST   /notes         a new note, text or JSON: 201 with its Location
 *     GET    /notes/{id}    the note; If-None-Match
 *     PUT    /notes/{id}    another content for it; If-Match
 *     DELETE /notes/{id}    If-Match
 *     POST   /digest        how long what was sent is, with its SHA-256 as a trailer
 *     GET    /count/{to}    the numbers from 1, a line each
 */
#ifndef NOTES_H
#define NOTES_H

#include <cleat/http_routes.h>

/* 64 KiB: a note is a short text; 100: all there may be */
#define NOTES_MAX_LEN 65536
#define NOTES_MAX     100

/* notes_routes makes the table; what fails ends the program with a line on stderr. */
struct cleat_http_routes *notes_routes(void);

/* notes_free forgets all of them. */
void notes_free(void);

#endif

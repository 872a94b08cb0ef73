/* tls/hook.h - a seam for tests: see or replace every handshake message before it is hashed and
 * sent.
 *
 * Not installed. With it a test replays recorded handshakes byte for byte, and makes a peer that
 * breaks the protocol in exactly one place.
 */
#ifndef CL_TLS_HOOK_H
#define CL_TLS_HOOK_H

#include "base/buf.h"
#include "cleat/tls.h"

/* cl_tls_builder_message_hook: hook gets the flight, whose bytes from start on are the new message
 * with its header; it may change, shorten or lengthen them. */
void cl_tls_builder_message_hook(struct cleat_tls_builder *b,
                                 void (*hook)(void *ctx, struct cleat_tls *tls, uint8_t type,
                                              struct cl_buf *flight, size_t start),
                                 void *ctx);

/* cl_tls_builder_psk_unchecked adds a raw PSK of any length up to 64 bytes, under any identity:
 * test runners have short ones. */
struct cleat_psk;
int cl_tls_builder_psk_unchecked(struct cleat_tls_builder *b, const struct cleat_psk *psk);

/* cl_tls_builder_compressions: algorithms of the test's own in place of the library's; num at most
 * CL_COMPRESS_MAX. The list is copied, what it points to must stay. */
struct cl_compression;
void cl_tls_builder_compressions(struct cleat_tls_builder *b,
                                 const struct cl_compression *const *list, size_t num);

#endif

/* cleat/coding.h - content codings (RFC 9110 8.4.1): gzip, deflate, br and zstd, streaming.
 *
 * No I/O and no callback: bytes in, views out. A decoder undoes what a Content-Encoding field says,
 * also several codings one upon the other, within limits on what comes out; an encoder applies one;
 * and Accept-Encoding is read into weights, from which a server chooses. gzip and deflate are
 * zlib's; br and zstd are there when the library was built with them.
 *
 * What passes through a coder is compressed together: do not encode a secret beside text that
 * somebody else chooses when the length can be seen (BREACH).
 *
 * One thread at a time a coder. Functions returning int: CLEAT_OK (0), a positive value of enum
 * cleat_http_progress, or a negative code of cleat/error.h. Sizes in bytes.
 */
#ifndef CLEAT_CODING_H
#define CLEAT_CODING_H

#include "cleat/http.h"

#ifdef __cplusplus
extern "C" {
#endif

enum cleat_coding {
    CLEAT_CODING_IDENTITY,
    CLEAT_CODING_GZIP,    /* RFC 1952; "gzip" and "x-gzip" */
    CLEAT_CODING_DEFLATE, /* RFC 1950; decoded without its zlib header too, as many send it */
    CLEAT_CODING_BR,      /* RFC 7932 */
    CLEAT_CODING_ZSTD     /* RFC 8878, with a window of at most 8 MiB (RFC 9659) */
};
#define CLEAT_NUM_CODINGS 5

/* cleat_coding_name returns "identity", "gzip", "deflate", "br" or "zstd". Static storage. */
const char *cleat_coding_name(enum cleat_coding coding);

/* cleat_coding_find looks a name up, in any case. False: there is no such coding here. */
bool cleat_coding_find(struct cleat_http_view name, enum cleat_coding *out);

/* cleat_coding_built_in tells whether this build has a coding. Identity, gzip, deflate: always. */
bool cleat_coding_built_in(enum cleat_coding coding);

/* ---- which codings ----------------------------------------------------------------------------*/

/* 5: what curl takes; more than one is rare, and each may multiply what comes out */
#define CLEAT_MAX_CODINGS 5

/* The codings of a body, in the order in which they were applied, without identity. {0}: none. */
struct cleat_codings {
    uint8_t num;
    uint8_t list[CLEAT_MAX_CODINGS]; /* enum cleat_coding */
};

/* cleat_codings_parse reads the Content-Encoding fields of a complete head. CLEAT_ERR_HTTP_SYNTAX:
 * not a list of tokens; CLEAT_ERR_UNSUPPORTED: a coding that is not known or not built in (a server
 * answers 415, RFC 9110 15.5.16); CLEAT_ERR_LIMIT: more than CLEAT_MAX_CODINGS. err may be NULL. */
int cleat_codings_parse(struct cleat_codings *out, const struct cleat_http_head *head,
                        struct cleat_error *err);

/* What a client likes: thousandths, 0: not acceptable. */
struct cleat_coding_weights {
    uint16_t of[CLEAT_NUM_CODINGS];
};

/* cleat_accept_encoding reads the Accept-Encoding fields of a complete request (RFC 9110 12.5.3).
 * Without such a field identity alone is acceptable: any coding would be, but who does not ask may
 * not expect one. Identity that is not mentioned weighs least, unless "*" says otherwise. Elements
 * that are not valid are passed over; of a coding that occurs twice the first counts. */
void cleat_accept_encoding(struct cleat_coding_weights *out, const struct cleat_http_head *request);

/* cleat_coding_choose takes the coding that weighs most among those that the server has, of equal
 * ones the first; identity is always there, and last unless listed. False: none is acceptable, and
 * the client refuses identity too (a server may answer 406, RFC 9110 15.5.7). */
bool cleat_coding_choose(const struct cleat_coding_weights *weights, const enum cleat_coding *have,
                         size_t num, enum cleat_coding *out);

/* ---- decoding ---------------------------------------------------------------------------------*/

/* Limits of a decoder; copied by cleat_decoder_new. cleat_decoder_options_init sets what is in
 * brackets. */
struct cleat_decoder_options {
    uint64_t max_output; /* [64 MiB] that may come out, of each coding; UINT64_MAX: no limit */
    uint32_t max_ratio;  /* [1,100] times what went in; 0: no limit. Deflate reaches 1,032 at most,
                            br and zstd a million, two codings together the product */
    uint64_t free_ratio; /* [1 MiB] that may come out whatever the ratio */
    size_t max_memory; /* [32 MiB] for all codings together; 0: no limit. br takes up to 17 MiB and
                          zstd 9, as the sender's window is; gzip and deflate 40 KiB */
};
void cleat_decoder_options_init(struct cleat_decoder_options *o);

struct cleat_decoder;

/* cleat_decoder_new makes a decoder for a body with these codings; with none of them it passes the
 * bytes on. It takes 16 KiB and a little a coding, and what the coding needs once bytes come. o:
 * NULL for the defaults. CLEAT_ERR_NOMEM, CLEAT_ERR_UNSUPPORTED (not built in), CLEAT_ERR_USAGE.
 * cleat_decoder_free: NULL is fine. */
int cleat_decoder_new(const struct cleat_codings *codings, const struct cleat_decoder_options *o,
                      struct cleat_decoder **out);
void cleat_decoder_free(struct cleat_decoder *d);

/* cleat_decoder_feed decodes from the len bytes at in. *out_used gets how many of them it consumed.
 * Call it until it returns CLEAT_HTTP_MORE, each time with what is left, which has to stay where it
 * is meanwhile. Returns
 *   CLEAT_HTTP_DATA           *out is decoded content (at least one byte), valid until the next
 *                             call; call again, also when no bytes are left
 *   CLEAT_HTTP_MORE           everything was consumed; more is needed, or the body is complete
 *   CLEAT_ERR_CODING          not what the coding says, bytes behind its end, or a window of zstd
 *                             above 8 MiB
 *   CLEAT_ERR_HTTP_TOO_LARGE  beyond max_output, max_ratio or max_memory
 *   CLEAT_ERR_NOMEM
 * After a failure every call returns the same code. err may be NULL. */
int cleat_decoder_feed(struct cleat_decoder *d, const void *in, size_t len, size_t *out_used,
                       struct cleat_http_view *out, struct cleat_error *err);

/* cleat_decoder_end tells that the body has ended, after CLEAT_HTTP_MORE. Returns CLEAT_OK when
 * every coding is complete, or nothing has come at all (an answer to HEAD, an empty body);
 * CLEAT_ERR_HTTP_TRUNCATED when one is not; or the code of an earlier failure. */
int cleat_decoder_end(struct cleat_decoder *d, struct cleat_error *err);

/* cleat_decoder_memory returns how much heap the decoder holds now. */
size_t cleat_decoder_memory(const struct cleat_decoder *d);

/* ---- encoding ---------------------------------------------------------------------------------*/

/* {0}: the defaults. */
struct cleat_encoder_options {
    int level;     /* 0: gzip and deflate 6 (of 1-9), br 5 (1-11), zstd 3 (1-19) */
    uint64_t size; /* of the content when it is known, else 0. A hint: what is short then takes less
                      memory */
};

enum cleat_encoder_op {
    CLEAT_ENCODE,       /* compress as it suits */
    CLEAT_ENCODE_FLUSH, /* all that came so far can be decoded from what has come out */
    CLEAT_ENCODE_END    /* these are the last bytes */
};

struct cleat_encoder;

/* cleat_encoder_new makes an encoder for one body. Memory at the default levels, content of a
 * megabyte and more: gzip and deflate 0.3 MiB, zstd 4, br 8; measure others with
 * cleat_encoder_memory. o: NULL for the defaults. CLEAT_ERR_NOMEM, CLEAT_ERR_UNSUPPORTED (not built
 * in), CLEAT_ERR_USAGE (identity, a level out of range). cleat_encoder_free: NULL is fine. */
int cleat_encoder_new(enum cleat_coding coding, const struct cleat_encoder_options *o,
                      struct cleat_encoder **out);
void cleat_encoder_free(struct cleat_encoder *e);

/* cleat_encoder_feed encodes len bytes at in. *out_used gets how many it consumed. Call it again
 * with the rest and the same op as long as it returns CLEAT_HTTP_DATA. Returns
 *   CLEAT_HTTP_DATA      *out is encoded content, valid until the next call
 *   CLEAT_HTTP_MORE      everything was consumed, and flushed if op says so
 *   CLEAT_HTTP_COMPLETE  after CLEAT_ENCODE_END: everything has come out
 *   CLEAT_ERR_NOMEM      the encoder is of no use any more
 *   CLEAT_ERR_USAGE      it had ended
 *   CLEAT_ERR_INTERNAL   the library that compresses failed */
int cleat_encoder_feed(struct cleat_encoder *e, const void *in, size_t len,
                       enum cleat_encoder_op op, size_t *out_used, struct cleat_http_view *out);

/* cleat_encoder_memory returns how much heap the encoder holds now. */
size_t cleat_encoder_memory(const struct cleat_encoder *e);

#ifdef __cplusplus
}
#endif
#endif

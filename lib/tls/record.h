/* tls/record.h - the record layer (RFC 9846 5): one direction's keys, sealing and opening.
 *
 * Records are opened in place in the caller's input and sealed from views into the caller's output.
 * How a record is protected is a small table of functions, so that versions differ in data only.
 */
#ifndef CL_TLS_RECORD_H
#define CL_TLS_RECORD_H

#include <endian.h>

#include "base/bytes.h"
#include "base/result.h"
#include "cleat/tls.h"
#include "crypto/aead.h"
#include "crypto/cbc.h"
#include "crypto/rand.h"
#include "tls/suite.h"
#include "tls/wire.h"

struct cl_record_keys;

/* A plaintext fragment: its type and bytes, a view into the input. */
struct cl_record {
    uint8_t type;
    uint8_t *p;
    size_t len;
};

/* How records of one version are protected. */
struct cl_protection {
    /* Bytes that sealing adds to a plaintext at most, record header not counted. */
    size_t (*overhead)(const struct cl_record_keys *keys);
    /* Opens rec (as it stands on the wire) in place. */
    cl_result (*open)(struct cl_record_keys *keys, const uint8_t *header, struct cl_record *rec);
    /* Writes header and protected fragment to out, which has room. */
    cl_result (*seal)(struct cl_record_keys *keys, uint8_t type, struct cl_rd fragment,
                      size_t padding, uint8_t *out);
    /* Bytes of the protected plaintext that are not the fragment: TLS 1.3's content type. They
     * count against a limit (RFC 8449 4), and only where they are can there be padding. */
    uint8_t inner_len;
    uint16_t max_expansion; /* of a record that is received */
};

extern const struct cl_protection cl_protection_13;
extern const struct cl_protection cl_protection_12;
extern const struct cl_protection cl_protection_cbc;

/* One direction. protection NULL: records in clear. */
struct cl_record_keys {
    const struct cl_protection *protection;
    struct cl_aead_key aead;
    struct cl_cbc *cbc;       /* TLS 1.2 with a CBC suite, in place of aead */
    const struct cl_rng *rng; /* of its IVs */
    uint8_t iv[CL_AEAD_NONCE_LEN];
    uint8_t tag_len;
    bool initial;         /* sending: nothing has been received yet */
    uint8_t explicit_len; /* TLS 1.2: bytes of the nonce that stand in the record */
    uint64_t seq;
    /* These three outlive a change of keys. */
    uint16_t limit;  /* of the protected plaintext, as negotiated (RFC 8449); 0: the protocol's */
    uint16_t pad_to; /* sealing: pad application data to a multiple of it; 0: no padding */
    uint16_t max_fragment; /* sealing: the longest fragment that we want to send; 0: any */
    /* sealing: pad handshake messages to a multiple of it; set while a flight goes out (flight.c)
     */
    uint16_t pad_handshake_to;
};

/* cl_record_nonce makes the nonce of the next record: the IV XOR the sequence number in network
 * byte order (RFC 9846 5.3, RFC 7905 2). */
static inline void cl_record_nonce(const struct cl_record_keys *keys,
                                   uint8_t nonce[CL_AEAD_NONCE_LEN])
{
    uint64_t head;
    uint32_t tail;
    memcpy(&head, keys->iv, sizeof(head));
    memcpy(&tail, keys->iv + sizeof(head), sizeof(tail));
    head ^= htobe64(keys->seq >> 32);
    tail ^= htobe32((uint32_t)keys->seq);
    /* in the pieces in which ciphers load it: a load that spans two stores waits for both */
    memcpy(nonce, &head, sizeof(head));
    memcpy(nonce + sizeof(head), &tail, sizeof(tail));
}

/* cl_record_keys_13 puts a traffic secret to use (RFC 9846 7.3) and restarts the sequence number.
 * NOMEM, CRYPTO; the old keys stay on failure. */
CL_MUST cl_result cl_record_keys_13(struct cl_record_keys *keys, const struct cl_suite *suite,
                                    const struct cl_secret *traffic_secret, bool seal);

/* One direction's part of a key block (RFC 5246 6.3), as long as cl_record_lens_12 says. */
struct cl_keys_12 {
    const uint8_t *mac_key;
    const uint8_t *key;
    const uint8_t *iv;
    bool encrypt_then_mac;    /* CBC: RFC 7366 */
    const struct cl_rng *rng; /* CBC, sealing; outlives the keys */
};
struct cl_lens_12 {
    size_t mac_key;
    size_t key;
    size_t iv;
};
struct cl_lens_12 cl_record_lens_12(const struct cl_suite *suite);

/* cl_record_keys_12 puts them to use. NOMEM, CRYPTO; the old keys stay on failure. */
CL_MUST cl_result cl_record_keys_12(struct cl_record_keys *keys, const struct cl_suite *suite,
                                    const struct cl_keys_12 *parts, bool seal);
/* cl_record_keys_cbc does so for a CBC suite (record_cbc.c). */
CL_MUST cl_result cl_record_keys_cbc(struct cl_record_keys *keys, const struct cl_suite *suite,
                                     const struct cl_keys_12 *parts, bool seal);

void cl_record_keys_deinit(struct cl_record_keys *keys);
/* cl_record_keys_replace wipes the keys and keeps what outlives them. */
void cl_record_keys_replace(struct cl_record_keys *keys);

/* cl_record_size returns how many bytes the record at the front of in takes, 0 when its header is
 * not complete yet. RECORD_OVERFLOW when it announces more than is allowed. */
CL_MUST cl_result cl_record_size(const struct cl_record_keys *keys, struct cl_rd in, size_t *out);

/* cl_record_open opens a whole record of size bytes in place. BAD_RECORD_MAC, RECORD_OVERFLOW,
 * UNEXPECTED_MESSAGE (wrong outer type, no inner type), CRYPTO. */
CL_MUST cl_result cl_record_open(struct cl_record_keys *keys, uint8_t *in, size_t size,
                                 struct cl_record *out);

/* cl_record_room returns how much plaintext of a content type fits into out_room bytes as one
 * record; 0: none. */
size_t cl_record_room(const struct cl_record_keys *keys, uint8_t type, size_t out_room);

/* cl_record_limit_of: the longest fragment that a negotiated limit allows, or the protocol; and
 * that the configuration wants to be sent. */
size_t cl_record_limit_of(const struct cl_record_keys *keys);

/* cl_record_seal appends fragment (at most cl_record_room) to io->out as one record. */
CL_MUST cl_result cl_record_seal(struct cl_record_keys *keys, uint8_t type, struct cl_rd fragment,
                                 struct cleat_tls_io *io);

#endif

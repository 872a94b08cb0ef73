/* tls/schedule.h - the key schedule of TLS 1.3 (RFC 9846 7.1) and what hangs from it.
 *
 * Secrets are as long as the suite's hash. Everything here is arithmetic on secrets: nothing
 * branches on their bytes, nothing can fail.
 */
#ifndef CL_TLS_SCHEDULE_H
#define CL_TLS_SCHEDULE_H

#include "crypto/hash.h"

struct cl_schedule {
    enum cl_hash_id hash;
    struct cl_hmac_key prk; /* Early Secret, then Handshake Secret, then Main Secret */
    bool without_psk;       /* prk is the Early Secret of no PSK: what follows is known */
};

/* cl_schedule_early starts with a PSK, or with none (empty: zeros). */
void cl_schedule_early(struct cl_schedule *ks, enum cl_hash_id hash, struct cl_rd psk);

/* cl_schedule_next moves from Early to Handshake Secret (ikm: the (EC)DHE shared secret) and from
 * Handshake to Main Secret (ikm empty: zeros). */
void cl_schedule_next(struct cl_schedule *ks, struct cl_rd ikm);

/* cl_schedule_derive: Derive-Secret(Secret, label, Messages); transcript is the hash over Messages.
 */
void cl_schedule_derive(const struct cl_schedule *ks, const char *label, const uint8_t *transcript,
                        struct cl_secret *out);

/* cl_finished_mac: verify_data of Finished, and PSK binders (RFC 9846 4.5.3, 4.3.11.2). */
void cl_finished_mac(enum cl_hash_id hash, const struct cl_secret *base_key,
                     const uint8_t *transcript, uint8_t *out);

/* cl_binder_key: by the kind of PSK (RFC 9846 7.1; imported: RFC 9258 4.2). */
#define CL_BINDER_RESUMPTION "res binder"
#define CL_BINDER_EXTERNAL   "ext binder"
#define CL_BINDER_IMPORTED   "imp binder"
void cl_binder_key(const struct cl_schedule *early, const char *label, struct cl_secret *out);

/* cl_traffic_update: the next generation of a traffic secret (RFC 9846 7.2), in place. */
void cl_traffic_update(enum cl_hash_id hash, struct cl_secret *secret);

/* cl_resumption_psk: the PSK of a ticket (RFC 9846 4.7.1); resumption is the resumption secret,
 * prepared once for all of a connection's tickets. */
void cl_resumption_psk(const struct cl_hmac_key *resumption, struct cl_rd nonce,
                       struct cl_secret *out);

/* cl_exporter: TLS-Exporter(label, context, out_len) (RFC 9846 7.5). */
void cl_exporter(enum cl_hash_id hash, const struct cl_secret *exporter, const char *label,
                 struct cl_rd context, uint8_t *out, size_t out_len);

#endif

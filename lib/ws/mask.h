/* ws/mask.h - masking (RFC 6455 5.3), in place or while copying. */
#ifndef CL_WS_MASK_H
#define CL_WS_MASK_H

#include <stddef.h>
#include <stdint.h>

/* cl_ws_mask XORs len bytes of src with the key into dst (which may be src, not overlap otherwise);
 * at is the position of the first byte in the frame's payload: the key turns with it. */
void cl_ws_mask(uint8_t *dst, const uint8_t *src, size_t len, const uint8_t key[4], uint64_t at);

/* cl_ws_mask_plain does the same byte by byte: what tests and the benchmark compare with. */
void cl_ws_mask_plain(uint8_t *dst, const uint8_t *src, size_t len, const uint8_t key[4],
                      uint64_t at);

#endif

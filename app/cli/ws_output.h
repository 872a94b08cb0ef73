/* cli/ws_output.h - standard output for messages: as they are for pipes, made readable and harmless
 * for terminals.
 *
 * Writing never blocks the loop: what the other side does not take waits, and the caller stops
 * receiving until `drained`.
 */
#ifndef CL_CLI_WS_OUTPUT_H
#define CL_CLI_WS_OUTPUT_H

#include <uv.h>

#include "base/buf.h"

struct ws_output {
    int fd;
    bool is_terminal, colour, timestamps, raw;
    bool is_file; /* always takes everything */
    bool failed;
    int error; /* errno of the failure */
    struct cl_buf pending;
    size_t at; /* what is before it has been written */
    uv_loop_t *loop;
    uv_poll_t poll;
    bool has_poll;
    void (*drained)(void *ctx); /* everything was written, or the output has failed */
    void *ctx;
};

/* ws_output_init: raw: text gets no line end. */
void ws_output_init(struct ws_output *out, uv_loop_t *loop, int fd, bool timestamps, bool raw,
                    void (*drained)(void *ctx), void *ctx);

/* ws_output_message writes a message; sent: one of ours, which only terminals show.
 * ws_output_line writes a line that is harmless already. Nothing happens after a failure. */
void ws_output_message(struct ws_output *out, bool sent, bool binary, const uint8_t *p, size_t len);
void ws_output_line(struct ws_output *out, const char *line, size_t len);

/* ws_output_is_waiting: the other side has not taken everything yet. */
bool ws_output_is_waiting(const struct ws_output *out);

/* ws_output_finish writes what waits, as long as the other side takes it within ms milliseconds. */
void ws_output_finish(struct ws_output *out, int ms);

/* As ws_input_stop and ws_input_deinit. */
void ws_output_stop(struct ws_output *out);
void ws_output_deinit(struct ws_output *out);

#endif

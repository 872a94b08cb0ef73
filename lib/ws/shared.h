/* ws/shared.h - frames that are encoded once and lie in the queues of many connections (RFC 6455
 * 5.2: what a server sends is not masked, and so the same for all).
 *
 * A connection's shared messages come behind its own data queue. When one of its own has to come
 * behind them, they are copied into that queue first: see cl_ws_shared_flatten.
 */
#ifndef CL_WS_SHARED_H
#define CL_WS_SHARED_H

#include "base/buf.h"
#include "cleat/ws.h"

struct cl_ws_shared {
    struct cleat_ws_prepared **list; /* cap of them; num from `first` on wait */
    size_t first, num, cap;
    size_t sent;  /* bytes of the first one */
    size_t bytes; /* that wait */
};

/* cl_ws_shared_front gives what is left of the first frame. */
struct cl_rd cl_ws_shared_front(const struct cleat_ws *ws);

/* cl_ws_shared_sent: the first n bytes of that have gone. */
void cl_ws_shared_sent(struct cleat_ws *ws, size_t n);

/* cl_ws_shared_drop drops the oldest message that was not begun; false: there is none. */
bool cl_ws_shared_drop(struct cleat_ws *ws);

/* cl_ws_shared_flatten moves all into the connection's own queue. NOMEM, LIMIT: nothing is moved.
 */
CL_MUST cl_result cl_ws_shared_flatten(struct cleat_ws *ws);

void cl_ws_shared_deinit(struct cleat_ws *ws);

#endif

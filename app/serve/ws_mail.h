/* serve/ws_mail.h - messages of rooms from one worker to the others: a bounded mailbox for each.
 *
 * A mailbox that is full is no reason to wait for whoever only wants to know; a sender that has to
 * wait is woken up (`news`) once there is room again.
 */
#ifndef CL_SERVE_WS_MAIL_H
#define CL_SERVE_WS_MAIL_H

#include <pthread.h>
#include <sys/queue.h>
#include <uv.h>

#include "base/result.h"
#include "cleat/ws.h"
#include "serve/ws_config.h"

/* 1 MiB, or one message: what may wait for a worker that is busy */
#define CL_WS_MAILBOX 1048576

struct cl_ws_mail {
    STAILQ_ENTRY(cl_ws_mail) link;
    size_t room; /* number of the endpoint */
    struct cleat_ws_prepared *message;
    size_t len; /* of its content */
};

struct cl_ws_mailbox;

/* All of a server's. {0} with an initialised mutex. */
struct cl_ws_post {
    pthread_mutex_t mutex;
    LIST_HEAD(, cl_ws_mailbox) boxes;
};

/* cl_ws_mailbox_new makes a worker's mailbox and opens it. news is called on its loop when there is
 * mail, or room in another mailbox. NOMEM. cl_ws_mailbox_free: its memory goes in a later turn;
 * NULL is fine. */
CL_MUST cl_result cl_ws_mailbox_new(struct cl_ws_post *post, uv_loop_t *loop,
                                    void (*news)(void *ctx), void *ctx, struct cl_ws_mailbox **out);
void cl_ws_mailbox_free(struct cl_ws_mailbox *box);

/* cl_ws_mail_has_room tells whether all the other mailboxes take a message; if not, news comes. */
bool cl_ws_mail_has_room(struct cl_ws_mailbox *from);

/* cl_ws_mail_send puts a message into all the other mailboxes, whether they have room or not: drop:
 * the oldest go then. The number of messages that were dropped, or could not be put there; their
 * receivers learn of it through cl_ws_mail_take_lost. */
size_t cl_ws_mail_send(struct cl_ws_mailbox *from, const struct cl_ws_mail *mail, bool drop);

/* cl_ws_mail_wake has news come. */
void cl_ws_mail_wake(struct cl_ws_mailbox *box);

/* cl_ws_mail_take takes the oldest message out, NULL without one; cl_ws_mail_free lets it go. */
struct cl_ws_mail *cl_ws_mail_take(struct cl_ws_mailbox *box);
void cl_ws_mail_free(struct cl_ws_mail *mail);

/* cl_ws_mail_take_lost tells, once, how many messages of each room were dropped from the mailbox.
 * False: none. */
bool cl_ws_mail_take_lost(struct cl_ws_mailbox *box, size_t lost[CL_WS_MAX_ENDPOINTS]);

#endif

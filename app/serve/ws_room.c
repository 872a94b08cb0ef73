/* serve/ws_room.c - `--ws-broadcast`: a room. Each message goes to all others in it, those of the
 * other workers too; it is encoded once, and every queue refers to that.
 *
 * Members that read slowly (--ws-slow): block: a message is taken only once everybody has room for
 * it, so that the room is as fast as its slowest member. drop: the oldest messages that wait for
 * them are dropped, and counted in their line of the log. close: they are closed with 1013.
 */
#include <string.h>

#include "base/mem.h"
#include "net/clock.h"
#include "serve/log.h"
#include "serve/ws_conn.h"
#include "serve/ws_mail.h"

/* 10 s: between two lines about messages that a busy worker has lost */
#define TELL_US 10000000

/* One worker's part of a room; its number is the endpoint's. */
LIST_HEAD(member_list, member);

struct member {
    LIST_ENTRY(member) link;
    struct cl_websocket *w;
    struct cleat_ws_prepared *message; /* of the piece that is held: not sent yet */
};

struct cl_ws_rooms {
    struct cl_ws_hub *hub;
    struct cl_ws_mailbox *mailbox;
    struct cl_ws_mail *mail; /* taken out, and waiting for members that have no room */
    uint64_t told;           /* when losses were told last */
    struct member_list members[CL_WS_MAX_ENDPOINTS];
};

static enum cleat_ws_full policy_of(const struct cl_ws_hub *hub)
{
    return hub->server->config->slow;
}

static size_t room_of(const struct cl_websocket *w)
{
    return (size_t)(w->endpoint - w->hub->server->config->endpoints);
}

/* ---- to the members of this worker ---- */

/* An empty queue takes a message of any size, as cleat_ws_send says. */
static bool have_room(const struct cl_ws_rooms *rooms, size_t room,
                      const struct cleat_ws_prepared *message, const struct cl_websocket *from)
{
    size_t limit = rooms->hub->server->config->queue;
    size_t size = cleat_ws_prepared_size(message);
    const struct member *m;
    LIST_FOREACH(m, &rooms->members[room], link)
    {
        size_t queued = cleat_ws_queued(m->w->ws);
        if (m->w != from && queued > 0 && (size > limit || queued > limit - size)) {
            return false;
        }
    }
    return true;
}

static void deliver(struct cl_ws_rooms *rooms, const struct cl_ws_mail *mail,
                    const struct cl_websocket *from)
{
    struct member *m = LIST_FIRST(&rooms->members[mail->room]);
    while (m != NULL) {
        struct member *next = LIST_NEXT(m, link); /* m may leave */
        struct cl_websocket *w = m->w;
        if (w != from) {
            int code = cl_websocket_send_prepared(w, mail->message, mail->len);
            if (code == CLEAT_ERR_WS_QUEUE_FULL && policy_of(rooms->hub) == CLEAT_WS_FULL_BLOCK) {
                /* never silently */
                cl_websocket_close(w, CLEAT_WS_TRY_AGAIN_LATER, "a message found no room");
            }
            cl_websocket_flush(w);
        }
        m = next;
    }
}

/* ---- from the other workers ---- */

/* This worker was too busy to take its mail in time: whoever has missed something is told, or it is
 * counted, as for a member that does not keep up itself. */
static void take_losses(struct cl_ws_rooms *rooms)
{
    size_t lost[CL_WS_MAX_ENDPOINTS];
    if (!cl_ws_mail_take_lost(rooms->mailbox, lost)) {
        return;
    }
    for (size_t i = 0; i < CL_WS_MAX_ENDPOINTS; i++) {
        struct member *m = lost[i] > 0 ? LIST_FIRST(&rooms->members[i]) : NULL;
        while (m != NULL) {
            struct member *next = LIST_NEXT(m, link); /* m may leave */
            m->w->num_missed += lost[i];
            if (policy_of(rooms->hub) != CLEAT_WS_FULL_DROP_OLDEST) {
                cl_websocket_close(m->w, CLEAT_WS_TRY_AGAIN_LATER, "messages were lost");
                cl_websocket_flush(m->w);
            }
            m = next;
        }
    }
}

static void take_mail(struct cl_ws_rooms *rooms)
{
    bool block = policy_of(rooms->hub) == CLEAT_WS_FULL_BLOCK;
    while (rooms->mail != NULL || (rooms->mail = cl_ws_mail_take(rooms->mailbox)) != NULL) {
        if (block && !have_room(rooms, rooms->mail->room, rooms->mail->message, NULL)) {
            break;
        }
        deliver(rooms, rooms->mail, NULL);
        cl_ws_mail_free(rooms->mail);
        rooms->mail = NULL;
    }
    take_losses(rooms);
}

/* Whoever could not get rid of a message tries again. */
static void wake_senders(struct cl_ws_rooms *rooms)
{
    for (size_t i = 0; i < CL_WS_MAX_ENDPOINTS; i++) {
        const struct member *m;
        LIST_FOREACH(m, &rooms->members[i], link)
        {
            if (m->message != NULL) {
                cl_websocket_resume(m->w);
            }
        }
    }
}

static void on_news(void *ctx)
{
    take_mail(ctx);
    wake_senders(ctx);
}

static void tell_losses(struct cl_ws_rooms *rooms, size_t num)
{
    uint64_t now = cl_clock_mono_us();
    if (num > 0 && (rooms->told == 0 || now - rooms->told > TELL_US)) {
        rooms->told = now;
        cl_log_line(rooms->hub->errors,
                    "cleat: rooms: a worker does not keep up: %zu or more messages were dropped",
                    num);
    }
}

/* ---- from a member ---- */

static int prepare(struct member *m, const struct cl_ws_piece *piece)
{
    struct cleat_ws_options o;
    if (m->message != NULL) {
        return CLEAT_OK;
    }
    cl_websocket_options(m->w->hub, &o);
    return cleat_ws_prepare(&o, piece->binary, piece->p, piece->len, &m->message);
}

static bool room_message(struct cl_websocket *w, struct cl_ws_piece *piece)
{
    struct member *m = w->state;
    struct cl_ws_rooms *rooms = w->hub->rooms;
    enum cleat_ws_full policy = policy_of(w->hub);
    if (prepare(m, piece) != CLEAT_OK) {
        cl_websocket_close(w, CLEAT_WS_INTERNAL_ERROR, "out of memory");
        return true;
    }
    bool wait = policy == CLEAT_WS_FULL_BLOCK && (!have_room(rooms, room_of(w), m->message, w) ||
                                                  !cl_ws_mail_has_room(rooms->mailbox));
    if (wait) {
        return false;
    }
    const struct cl_ws_mail mail = {.room = room_of(w), .message = m->message, .len = piece->len};
    m->message = NULL;
    deliver(rooms, &mail, w);
    tell_losses(rooms, cl_ws_mail_send(rooms->mailbox, &mail, policy != CLEAT_WS_FULL_BLOCK));
    cleat_ws_prepared_free(mail.message);
    return true;
}

static void room_writable(struct cl_websocket *w)
{
    take_mail(w->hub->rooms);
    wake_senders(w->hub->rooms);
}

static int room_open(struct cl_websocket *w, const struct cleat_http_head *head,
                     struct cleat_error *err)
{
    struct member *m = cl_calloc(1, sizeof(*m));
    if (m == NULL) {
        cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_NOMEM}, "out of memory");
        return 503;
    }
    m->w = w;
    w->state = m;
    LIST_INSERT_HEAD(&w->hub->rooms->members[room_of(w)], m, link);
    return 0;
}

static void room_close(struct cl_websocket *w)
{
    struct member *m = w->state;
    struct cl_ws_rooms *rooms = w->hub->rooms;
    LIST_REMOVE(m, link);
    cleat_ws_prepared_free(m->message);
    cl_free(m);
    w->state = NULL;
    /* others may have waited for it alone */
    cl_ws_mail_wake(rooms->mailbox);
}

/* ---- the rooms of a worker ---- */

cl_result cl_ws_rooms_new(struct cl_ws_hub *hub)
{
    struct cl_ws_rooms *rooms = cl_calloc(1, sizeof(*rooms));
    if (rooms == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    rooms->hub = hub;
    for (size_t i = 0; i < CL_WS_MAX_ENDPOINTS; i++) {
        LIST_INIT(&rooms->members[i]);
    }
    hub->rooms = rooms;
    return cl_ws_mailbox_new(&hub->server->post, hub->loop, on_news, rooms, &rooms->mailbox);
}

void cl_ws_rooms_free(struct cl_ws_rooms *rooms)
{
    if (rooms == NULL) {
        return;
    }
    cl_ws_mailbox_free(rooms->mailbox);
    if (rooms->mail != NULL) {
        cl_ws_mail_free(rooms->mail);
    }
    cl_free(rooms);
}

const struct cl_ws_kind cl_ws_broadcast = {
    .whole = true,
    .open = room_open,
    .message = room_message,
    .writable = room_writable,
    .close = room_close,
};

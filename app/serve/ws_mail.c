/* serve/ws_mail.c - see ws_mail.h. Two kinds of locks, always in this order: the list of mailboxes,
 * one mailbox. Only its own worker takes messages out of a mailbox. */
#include "serve/ws_mail.h"

#include <string.h>

#include "base/mem.h"

STAILQ_HEAD(mail_list, cl_ws_mail);

struct cl_ws_mailbox {
    LIST_ENTRY(cl_ws_mailbox) link;
    struct cl_ws_post *post;
    uv_async_t async;
    void (*news)(void *ctx); /* NULL: closed */
    void *ctx;
    pthread_mutex_t mutex;
    struct mail_list mail;
    size_t bytes;
    bool is_waited_for; /* somebody wants to know when there is room */
    bool has_lost;      /* something in lost is not 0 */
    size_t lost[CL_WS_MAX_ENDPOINTS];
};

static void on_async(uv_async_t *async)
{
    struct cl_ws_mailbox *box = async->data;
    if (box->news != NULL) {
        box->news(box->ctx);
    }
}

cl_result cl_ws_mailbox_new(struct cl_ws_post *post, uv_loop_t *loop, void (*news)(void *ctx),
                            void *ctx, struct cl_ws_mailbox **out)
{
    struct cl_ws_mailbox *box = cl_calloc(1, sizeof(*box));
    if (box == NULL || uv_async_init(loop, &box->async, on_async) != 0) {
        cl_free(box);
        return CLEAT_ERR_NOMEM;
    }
    box->async.data = box;
    box->post = post;
    box->news = news;
    box->ctx = ctx;
    pthread_mutex_init(&box->mutex, NULL);
    STAILQ_INIT(&box->mail);
    pthread_mutex_lock(&post->mutex);
    LIST_INSERT_HEAD(&post->boxes, box, link);
    pthread_mutex_unlock(&post->mutex);
    *out = box;
    return CL_OK;
}

static size_t size_of(const struct cl_ws_mail *mail)
{
    return sizeof(*mail) + cleat_ws_prepared_size(mail->message);
}

/* With the mailbox locked. */
static struct cl_ws_mail *take_first(struct cl_ws_mailbox *box)
{
    struct cl_ws_mail *mail = STAILQ_FIRST(&box->mail);
    if (mail != NULL) {
        STAILQ_REMOVE_HEAD(&box->mail, link);
        box->bytes -= size_of(mail);
    }
    return mail;
}

void cl_ws_mail_free(struct cl_ws_mail *mail)
{
    cleat_ws_prepared_free(mail->message);
    cl_free(mail);
}

static void on_closed(uv_handle_t *handle)
{
    struct cl_ws_mailbox *box = handle->data;
    pthread_mutex_destroy(&box->mutex);
    cl_free(box);
}

void cl_ws_mailbox_free(struct cl_ws_mailbox *box)
{
    if (box == NULL) {
        return;
    }
    pthread_mutex_lock(&box->post->mutex);
    LIST_REMOVE(box, link);
    pthread_mutex_unlock(&box->post->mutex);
    box->news = NULL;
    struct cl_ws_mail *mail;
    while ((mail = take_first(box)) != NULL) { /* nobody else knows it any more */
        cl_ws_mail_free(mail);
    }
    uv_close((uv_handle_t *)&box->async, on_closed);
}

bool cl_ws_mail_has_room(struct cl_ws_mailbox *from)
{
    bool room = true;
    struct cl_ws_mailbox *box;
    pthread_mutex_lock(&from->post->mutex);
    LIST_FOREACH(box, &from->post->boxes, link)
    {
        pthread_mutex_lock(&box->mutex);
        if (box != from && box->bytes >= CL_WS_MAILBOX) {
            box->is_waited_for = true;
            room = false;
        }
        pthread_mutex_unlock(&box->mutex);
    }
    pthread_mutex_unlock(&from->post->mutex);
    return room;
}

/* With the mailbox locked. */
static void count_loss(struct cl_ws_mailbox *box, size_t room)
{
    box->lost[room]++;
    box->has_lost = true;
}

static size_t put(struct cl_ws_mailbox *box, const struct cl_ws_mail *mail, bool drop)
{
    size_t num_lost = 0;
    struct cl_ws_mail *copy = cl_alloc(sizeof(*copy));
    pthread_mutex_lock(&box->mutex);
    while (copy != NULL && drop && box->bytes >= CL_WS_MAILBOX && !STAILQ_EMPTY(&box->mail)) {
        struct cl_ws_mail *oldest = take_first(box);
        count_loss(box, oldest->room);
        cl_ws_mail_free(oldest);
        num_lost++;
    }
    if (copy != NULL) {
        *copy = *mail;
        (void)cleat_ws_prepared_ref(copy->message);
        STAILQ_INSERT_TAIL(&box->mail, copy, link);
        box->bytes += size_of(copy);
    } else {
        count_loss(box, mail->room);
        num_lost++;
    }
    pthread_mutex_unlock(&box->mutex);
    return num_lost;
}

size_t cl_ws_mail_send(struct cl_ws_mailbox *from, const struct cl_ws_mail *mail, bool drop)
{
    size_t num_lost = 0;
    struct cl_ws_mailbox *box;
    pthread_mutex_lock(&from->post->mutex);
    LIST_FOREACH(box, &from->post->boxes, link)
    {
        if (box != from) {
            num_lost += put(box, mail, drop);
            uv_async_send(&box->async);
        }
    }
    pthread_mutex_unlock(&from->post->mutex);
    return num_lost;
}

static void wake_others(struct cl_ws_mailbox *box)
{
    struct cl_ws_mailbox *other;
    pthread_mutex_lock(&box->post->mutex);
    LIST_FOREACH(other, &box->post->boxes, link)
    {
        if (other != box) {
            uv_async_send(&other->async);
        }
    }
    pthread_mutex_unlock(&box->post->mutex);
}

struct cl_ws_mail *cl_ws_mail_take(struct cl_ws_mailbox *box)
{
    pthread_mutex_lock(&box->mutex);
    struct cl_ws_mail *mail = take_first(box);
    bool wake = box->is_waited_for && box->bytes < CL_WS_MAILBOX / 2;
    box->is_waited_for = box->is_waited_for && !wake;
    pthread_mutex_unlock(&box->mutex);
    if (wake) {
        wake_others(box);
    }
    return mail;
}

bool cl_ws_mail_take_lost(struct cl_ws_mailbox *box, size_t lost[CL_WS_MAX_ENDPOINTS])
{
    pthread_mutex_lock(&box->mutex);
    bool any = box->has_lost;
    if (any) {
        memcpy(lost, box->lost, sizeof(box->lost));
        memset(box->lost, 0, sizeof(box->lost));
        box->has_lost = false;
    }
    pthread_mutex_unlock(&box->mutex);
    return any;
}

void cl_ws_mail_wake(struct cl_ws_mailbox *box)
{
    uv_async_send(&box->async);
}

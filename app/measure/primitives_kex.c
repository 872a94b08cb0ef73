/* measure/primitives_kex.c - key exchange: every group that is built, the three jobs of each. A
 * hybrid or a KEM is a group like any other. A server makes its key and agrees in one job.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "measure/primitives_jobs.h"

struct kex_state {
    struct cl_job jobs[CL_PRIMITIVE_TURN];
    uint8_t shares[CL_PRIMITIVE_TURN][CL_GROUP_MAX_SHARE];
    struct cl_kex_key *made[CL_PRIMITIVE_TURN]; /* by the last turn of key generations */
    struct cl_kex_key *key;                     /* of the client that is agreed with */
    uint8_t field_secret[CL_GROUP_MAX_PRIME];   /* of finite fields; nobody looks at it */
    uint8_t client_share[CL_GROUP_MAX_SHARE];
    uint8_t server_share[CL_GROUP_MAX_SHARE];
};

static void free_made(struct kex_state *s)
{
    for (size_t i = 0; i < CL_PRIMITIVE_TURN; i++) {
        cl_kex_key_free(s->made[i]);
        s->made[i] = NULL;
    }
}

static struct cl_job job_of(const struct cl_primitive_run *r, struct kex_state *s, size_t i,
                            enum cl_job_kind kind)
{
    const struct cl_group *group = r->p->what;
    struct cl_job job = {
        .kind = kind,
        .status = CL_JOB_PENDING,
        .kex = {.group = group, .rng = &cl_rng_system, .share = s->shares[i]},
    };
    job.kex.field_secret = s->field_secret;
    if (kind == CL_JOB_ENCAP) {
        job.kex.peer_share = cl_rd_of(s->client_share, group->client_share_len);
    } else if (kind == CL_JOB_DECAP) {
        job.kex.key = s->key;
        job.kex.peer_share = cl_rd_of(s->server_share, group->server_share_len);
    }
    return job;
}

/* A client's share, and a server's answer to it. */
static cl_result make_peers(struct cl_primitive_run *r, struct kex_state *s)
{
    struct cl_job client = job_of(r, s, 0, CL_JOB_KEYGEN);
    cl_job_run(&client);
    CL_TRY(client.result);
    s->key = client.kex.key;
    memcpy(s->client_share, s->shares[0], client.kex.share_len);
    struct cl_job server = job_of(r, s, 0, CL_JOB_ENCAP);
    cl_job_run(&server);
    CL_TRY(server.result);
    memcpy(s->server_share, s->shares[0], server.kex.share_len);
    return CL_OK;
}

static cl_result kex_open(struct cl_primitive_run *r)
{
    struct kex_state *s = cl_calloc(1, sizeof(*s));
    r->state = s;
    return s != NULL ? make_peers(r, s) : CLEAT_ERR_NOMEM;
}

static cl_result kex_ready(struct cl_primitive_run *r, size_t num)
{
    struct kex_state *s = r->state;
    free_made(s);
    for (size_t i = 0; i < num; i++) {
        s->jobs[i] = job_of(r, s, i, (enum cl_job_kind)r->p->kind);
    }
    return CL_OK;
}

static cl_result kex_run(struct cl_primitive_run *r, size_t num, size_t batch)
{
    struct kex_state *s = r->state;
    cl_result result = cl_jobs_run(r->kit, s->jobs, num, batch);
    for (size_t i = 0; i < num && r->p->kind == CL_JOB_KEYGEN; i++) {
        s->made[i] = s->jobs[i].kex.key;
    }
    return result;
}

static void kex_close(struct cl_primitive_run *r)
{
    struct kex_state *s = r->state;
    if (s != NULL) {
        free_made(s);
        cl_kex_key_free(s->key);
        cl_free_secret(s, sizeof(*s));
    }
}

static const struct cl_primitive_ops kex_ops = {kex_open, kex_ready, kex_run, kex_close};

void cl_primitives_add_kex(struct cl_primitive_list *list)
{
    static const struct {
        enum cl_job_kind kind;
        const char *id;
        const char *name;
    } steps[] = {
        {CL_JOB_KEYGEN, "keygen", "key generation"},
        {CL_JOB_DECAP, "agree", "agreement, client"},
        {CL_JOB_ENCAP, "server", "agreement, server"},
    };
    const struct cl_group *group;
    for (size_t i = 0; (group = cl_group_at(i)) != NULL; i++) {
        for (size_t k = 0; k < sizeof(steps) / sizeof(steps[0]); k++) {
            struct cl_primitive *row = cl_primitive_add(list, CL_FAMILY_KEX, &kex_ops);
            if (row == NULL) {
                return;
            }
            row->jobs = true;
            row->kind = (int)steps[k].kind;
            row->what = group;
            (void)snprintf(row->id, sizeof(row->id), "%s-%s", group->iana_name, steps[k].id);
            cl_primitive_lower(row);
            (void)snprintf(row->name, sizeof(row->name), "%s %s", group->name, steps[k].name);
        }
    }
}

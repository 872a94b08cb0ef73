/* x509/policy.c - certificate policies (RFC 5280 6.1 with the graph of RFC 9618 in place of the
 * tree).
 *
 * One level a certificate, below level 0 that holds anyPolicy alone. A node of a level is a policy
 * that is expected of the next certificate; its parents are policies of the level above - more than
 * one only where mappings meet -, or anyPolicy when it has none. The number of nodes and edges is
 * bounded by what the certificates list, never by products of it, and by the limits here.
 */
#include "x509/path.h"

#include "base/mem.h"

/* 512 and 1,024: a certificate lists up to 128 policies; real ones one to five */
#define MAX_NODES 512
#define MAX_EDGES 1024

struct node {
    struct cl_rd oid;
    uint16_t first_edge; /* parents, as indices of nodes of the level above */
    uint16_t num_edges;  /* 0: the parent is anyPolicy */
    bool dropped;
    bool mapped;
    bool reached;
};

struct level {
    uint16_t first;
    uint16_t num;
    bool any; /* anyPolicy is expected too */
};

struct graph {
    struct level levels[CL_VERIFY_MAX_DEPTH + 1];
    size_t num_levels;
    struct node nodes[MAX_NODES];
    uint16_t num_nodes;
    uint16_t edges[MAX_EDGES];
    uint16_t num_edges;
    bool full;
    /* RFC 5280 6.1.2 (d), (e), (f) */
    uint32_t explicit_policy;
    uint32_t inhibit_any;
    uint32_t mapping;
};

static bool is_any(struct cl_rd oid)
{
    return cl_rd_equal(oid, cl_oid_bytes(CL_OID_ANY_POLICY));
}

static struct level *last_level(struct graph *g)
{
    return &g->levels[g->num_levels - 1];
}

static bool level_empty(const struct graph *g, const struct level *level)
{
    if (level->any) {
        return false;
    }
    for (size_t i = 0; i < level->num; i++) {
        if (!g->nodes[level->first + i].dropped) {
            return false;
        }
    }
    return true;
}

static struct node *find(struct graph *g, const struct level *level, struct cl_rd oid)
{
    for (size_t i = 0; i < level->num; i++) {
        struct node *node = &g->nodes[level->first + i];
        if (!node->dropped && cl_rd_equal(node->oid, oid)) {
            return node;
        }
    }
    return NULL;
}

/* Adds a node to the last level; with parent anyPolicy until an edge is added. */
static struct node *add_node(struct graph *g, struct cl_rd oid)
{
    if (g->num_nodes == MAX_NODES) {
        g->full = true;
        return NULL;
    }
    struct node *node = &g->nodes[g->num_nodes++];
    *node = (struct node){.oid = oid, .first_edge = g->num_edges};
    last_level(g)->num++;
    return node;
}

static void add_edge(struct graph *g, struct node *node, const struct node *parent)
{
    if (g->num_edges == MAX_EDGES) {
        g->full = true;
        return;
    }
    g->edges[g->num_edges++] = (uint16_t)(parent - g->nodes);
    node->num_edges++;
}

static bool lists(const struct cleat_cert *cert, struct cl_rd oid)
{
    struct cl_rd rest = cert->policies;
    struct cl_rd info;
    struct cl_rd policy;
    while (cl_der_get(&rest, CL_DER_SEQUENCE, &info) && cl_der_oid(&info, &policy)) {
        if (cl_rd_equal(policy, oid)) {
            return true;
        }
    }
    return false;
}

/* RFC 5280 6.1.3 (d), (e): what the certificate asserts of what was expected of it. */
static void assert_policies(struct graph *g, const struct cleat_cert *cert, bool any_allowed)
{
    struct level *level = last_level(g);
    bool had_any = level->any;
    bool any = any_allowed && lists(cert, cl_oid_bytes(CL_OID_ANY_POLICY));
    for (size_t i = 0; i < level->num; i++) {
        struct node *node = &g->nodes[level->first + i];
        node->dropped = node->dropped || (!any && !lists(cert, node->oid));
    }
    level->any = level->any && any;
    struct cl_rd rest = cert->policies;
    struct cl_rd info;
    struct cl_rd policy;
    while (had_any && cl_der_get(&rest, CL_DER_SEQUENCE, &info) && cl_der_oid(&info, &policy)) {
        if (!is_any(policy) && find(g, level, policy) == NULL) {
            (void)add_node(g, policy);
        }
    }
}

struct mapping {
    struct cl_rd from; /* issuerDomainPolicy */
    struct cl_rd to;   /* subjectDomainPolicy */
};

static bool next_mapping(struct cl_rd *rest, struct mapping *out)
{
    struct cl_rd pair;
    return cl_der_get(rest, CL_DER_SEQUENCE, &pair) && cl_der_oid(&pair, &out->from) &&
           cl_der_oid(&pair, &out->to);
}

/* RFC 5280 6.1.4 (b): marks what is mapped; mapping switched off: drops it instead. */
static void mark_mapped(struct graph *g, const struct cleat_cert *cert)
{
    struct cl_rd rest = cert->mappings;
    struct mapping m;
    while (next_mapping(&rest, &m)) {
        struct level *level = last_level(g);
        struct node *node = find(g, level, m.from);
        if (g->mapping == 0) {
            if (node != NULL) {
                node->dropped = true;
            }
            continue;
        }
        if (node == NULL && level->any) {
            node = add_node(g, m.from);
        }
        if (node != NULL) {
            node->mapped = true;
        }
    }
}

/* A level holds each policy once: a node that exists gets one more parent. Its edges must lie
 * together, so parents of one policy are added in one go. */
static void expect(struct graph *g, const struct level *above, struct cl_rd oid,
                   const struct cleat_cert *cert)
{
    if (find(g, last_level(g), oid) != NULL) {
        return;
    }
    struct node *node = add_node(g, oid);
    struct node *same = find(g, above, oid);
    if (node == NULL) {
        return;
    }
    if (same != NULL && !same->mapped) {
        add_edge(g, node, same);
    }
    struct cl_rd rest = cert->mappings;
    struct mapping m;
    while (g->mapping != 0 && next_mapping(&rest, &m)) {
        struct node *from = cl_rd_equal(m.to, oid) ? find(g, above, m.from) : NULL;
        if (from != NULL) {
            add_edge(g, node, from);
        }
    }
}

/* The next level: what is expected of the next certificate. */
static void next_level(struct graph *g, const struct cleat_cert *cert)
{
    struct level above = *last_level(g);
    g->levels[g->num_levels++] = (struct level){.first = g->num_nodes, .any = above.any};
    for (size_t i = 0; i < above.num && !g->full; i++) {
        const struct node *node = &g->nodes[above.first + i];
        if (!node->dropped && !node->mapped) {
            expect(g, &above, node->oid, cert);
        }
    }
    struct cl_rd rest = cert->mappings;
    struct mapping m;
    while (g->mapping != 0 && !g->full && next_mapping(&rest, &m)) {
        const struct node *from = find(g, &above, m.from);
        if (from != NULL) {
            expect(g, &above, m.to, cert);
        }
    }
}

static bool maps_any(const struct cleat_cert *cert)
{
    struct cl_rd rest = cert->mappings;
    struct mapping m;
    while (next_mapping(&rest, &m)) {
        if (is_any(m.from) || is_any(m.to)) {
            return true;
        }
    }
    return false;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t count_down(uint32_t n)
{
    return n != 0 ? n - 1 : 0;
}

/* RFC 5280 6.1.4 (h), (i), (j) */
static void update_counters(struct graph *g, const struct cleat_cert *cert)
{
    if (!cert->self_issued) {
        g->explicit_policy = count_down(g->explicit_policy);
        g->mapping = count_down(g->mapping);
        g->inhibit_any = count_down(g->inhibit_any);
    }
    g->explicit_policy = least(g->explicit_policy, cert->require_explicit);
    g->mapping = least(g->mapping, cert->inhibit_mapping);
    g->inhibit_any = least(g->inhibit_any, cert->inhibit_any);
}

static bool wanted(const struct cl_policy_inputs *in, struct cl_rd oid)
{
    for (size_t i = 0; i < in->num_oids; i++) {
        if (is_any(in->oids[i]) || cl_rd_equal(in->oids[i], oid)) {
            return true;
        }
    }
    return in->num_oids == 0;
}

/* RFC 5280 6.1.5 (g): does what the leaf asserts come from one of the initial policies? Walks up
 * from the leaf's level; a node without parents stands in the domain of the initial policies. */
static bool user_accepts(struct graph *g, const struct cl_policy_inputs *in)
{
    const struct level *level = last_level(g);
    if (level->any) {
        return true;
    }
    for (size_t i = 0; i < level->num; i++) {
        g->nodes[level->first + i].reached = !g->nodes[level->first + i].dropped;
    }
    for (size_t l = g->num_levels; l-- > 0;) {
        for (size_t i = 0; i < g->levels[l].num; i++) {
            const struct node *node = &g->nodes[g->levels[l].first + i];
            if (!node->reached) {
                continue;
            }
            if (node->num_edges == 0 && wanted(in, node->oid)) {
                return true;
            }
            for (size_t e = 0; e < node->num_edges; e++) {
                g->nodes[g->edges[node->first_edge + e]].reached = true;
            }
        }
    }
    return false;
}

static bool refuse(struct cl_fail *fail, size_t depth, const char *what)
{
    fail->openssl = "NO_EXPLICIT_POLICY";
    return cl_fail_set(fail, CLEAT_ERR_POLICY_VIOLATION, CL_CHECK_POLICIES, depth, NULL,
                       "the path must assert a certificate policy that is accepted, from the "
                       "anchor down to the leaf",
                       "%s", what);
}

static bool walk(struct graph *g, const struct cl_path *path, const struct cl_policy_inputs *in,
                 struct cl_fail *fail)
{
    size_t n = path->num - 1; /* certificates below the anchor */
    g->levels[0].any = true;
    g->num_levels = 1;
    for (size_t i = 1; i <= n; i++) {
        size_t depth = n - i;
        const struct cleat_cert *cert = path->certs[depth];
        bool final = depth == 0;
        assert_policies(g, cert, g->inhibit_any > 0 || (!final && cert->self_issued));
        if (g->explicit_policy == 0 && level_empty(g, last_level(g))) {
            return refuse(fail, depth, "an explicit policy is required, and the path has none");
        }
        if (final) {
            g->explicit_policy = count_down(g->explicit_policy);
            g->explicit_policy = cert->require_explicit == 0 ? 0 : g->explicit_policy;
            break;
        }
        if (maps_any(cert)) {
            return refuse(fail, depth, "it maps to or from anyPolicy");
        }
        mark_mapped(g, cert);
        next_level(g, cert);
        update_counters(g, cert);
        if (g->full) {
            return cl_fail_set(fail, CLEAT_ERR_TOO_COMPLEX, CL_CHECK_POLICIES, depth, NULL, NULL,
                               "more certificate policies on the path than the limit of %d",
                               MAX_NODES);
        }
    }
    if (g->explicit_policy == 0 && !user_accepts(g, in)) {
        return refuse(fail, 0, "none of the accepted policies holds from the anchor to the leaf");
    }
    return true;
}

/* Nothing can come of policies when no explicit one is ever required. */
static bool matters(const struct cl_path *path, const struct cl_policy_inputs *in)
{
    if (in->require_explicit) {
        return true;
    }
    for (size_t i = 0; i + 1 < path->num; i++) {
        if (path->certs[i]->require_explicit != CL_NO_LIMIT ||
            (i != 0 && maps_any(path->certs[i]))) {
            return true;
        }
    }
    return false;
}

bool cl_policies_check(const struct cl_path *path, const struct cl_policy_inputs *in, bool *skipped,
                       struct cl_fail *fail)
{
    *skipped = !matters(path, in);
    if (*skipped) {
        return true;
    }
    struct graph *g = cl_alloc(sizeof(*g));
    if (g == NULL) {
        return cl_fail_set(fail, CLEAT_ERR_NOMEM, CL_CHECK_POLICIES, 0, NULL, NULL,
                           "out of memory");
    }
    uint32_t never = (uint32_t)path->num + 1;
    g->num_nodes = 0;
    g->num_edges = 0;
    g->full = false;
    memset(g->levels, 0, sizeof(g->levels));
    g->explicit_policy = in->require_explicit ? 0 : never;
    g->inhibit_any = in->inhibit_any ? 0 : never;
    g->mapping = in->inhibit_mapping ? 0 : never;
    bool ok = walk(g, path, in, fail);
    cl_free(g);
    return ok;
}

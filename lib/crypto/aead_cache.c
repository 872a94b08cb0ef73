/* crypto/aead_cache.c - see aead_cache.h.
 *
 * Everything that says which slot is whose lies in the pages that are wiped in a forked child:
 * there the cache is empty without anybody noticing the fork. libcrypto's contexts lie on its heap
 * and outlive both; they are keyed again, never freed, until the thread ends.
 */
#include "crypto/aead_cache.h"

#include <pthread.h>
#include <sys/mman.h>

#include "base/mem.h"

_Thread_local struct cl_aead_cache *cl_aead_cache_mine;

/* On the heap, where leak checkers look. */
static _Thread_local EVP_CIPHER_CTX **contexts;

static pthread_key_t at_thread_end;
static bool has_key;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;

static void free_cache(void *p)
{
    struct cl_aead_cache *c = p;
    for (size_t i = 0; i < CL_AEAD_NUM_SLOTS; i++) {
        EVP_CIPHER_CTX_free(contexts[i]); /* wipes the key schedule */
    }
    cl_free(contexts);
    contexts = NULL;
    cl_aead_cache_mine = NULL;
    cl_wipe(c, sizeof(*c));
    (void)munmap(c, sizeof(*c));
}

static void make_key(void)
{
    has_key = pthread_key_create(&at_thread_end, free_cache) == 0;
}

static struct cl_aead_cache *map_pages(void)
{
    void *p = mmap(NULL, sizeof(struct cl_aead_cache), PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        return NULL;
    }
    /* Where the system knows neither, what is here is as safe as the connection's own bytes. */
    (void)madvise(p, sizeof(struct cl_aead_cache), MADV_DONTDUMP);
    (void)madvise(p, sizeof(struct cl_aead_cache), MADV_WIPEONFORK);
    return p;
}

cl_result cl_aead_cache_ready(void)
{
    if (cl_aead_cache_mine != NULL) {
        return CL_OK;
    }
    if (pthread_once(&key_once, make_key) != 0 || !has_key) {
        return CLEAT_ERR_NOMEM;
    }
    contexts = cl_calloc(CL_AEAD_NUM_SLOTS, sizeof(EVP_CIPHER_CTX *));
    struct cl_aead_cache *c = contexts != NULL ? map_pages() : NULL;
    if (c == NULL || pthread_setspecific(at_thread_end, c) != 0) {
        if (c != NULL) {
            (void)munmap(c, sizeof(*c));
        }
        cl_free(contexts);
        contexts = NULL;
        return CLEAT_ERR_NOMEM;
    }
    cl_aead_cache_mine = c;
    return CL_OK;
}

static void empty(struct cl_aead_cache *c, size_t i)
{
    struct cl_aead_slot *slot = &c->slots[i];
    c->serial[i] = 0;
    c->used &= ~(UINT64_C(1) << i);
    if (slot->kernel != NULL && slot->kernel->drop != NULL) {
        slot->kernel->drop(slot);
    }
    cl_wipe(slot, sizeof(*slot));
}

void cl_aead_cache_drop(const struct cl_aead_key *key)
{
    if (cl_aead_cache_has(key)) {
        empty(cl_aead_cache_mine, key->slot);
    }
}

static size_t free_slot(struct cl_aead_cache *c)
{
    if (c->used != UINT64_MAX) {
        return (size_t)__builtin_ctzll(~c->used);
    }
    const size_t i = c->oldest;
    c->oldest = (c->oldest + 1) % CL_AEAD_NUM_SLOTS;
    empty(c, i);
    return i;
}

cl_result cl_aead_cache_expand(struct cl_aead_key *key)
{
    const struct cl_aead_kernel *kernel = cl_aead_kernel_of((enum cl_aead_id)key->id);
    if (key->serial == 0 || kernel == NULL) {
        return CLEAT_ERR_CRYPTO;
    }
    CL_TRY(cl_aead_cache_ready());
    struct cl_aead_cache *c = cl_aead_cache_mine;
    const size_t i = free_slot(c);
    struct cl_aead_slot *slot = &c->slots[i];
    slot->kernel = kernel;
    slot->ctx = &contexts[i];
    slot->id = key->id;
    c->used |= UINT64_C(1) << i;
    const cl_result r = kernel->expand(slot, key);
    if (r != CL_OK) {
        empty(c, i);
        return r;
    }
    c->serial[i] = key->serial;
    key->slot = (uint16_t)i;
    return CL_OK;
}

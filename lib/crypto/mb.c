/* crypto/mb.c - finding crypto_mb: the library is loaded once for the process, and kept.
 *
 * Its prototypes are written down in mb.h: building needs neither its headers nor the library. The
 * name that is asked for carries the version of its interface; where it is looked for is the
 * dynamic loader's business (the run path of the program, then the system's directories), never an
 * environment variable of ours.
 */
#include "crypto/mb.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define LIBRARY "libcrypto_mb.so.11"

/* What there is, in words. */
static const char *description = "not looked for";
static struct cl_mb loaded;
static bool usable;
static pthread_once_t load_once = PTHREAD_ONCE_INIT;
static atomic_bool switched_off;

#if defined(CLEAT_CRYPTO_MB) && defined(__x86_64__)

/* NIST SP 800-186 3.2.1.3, 3.2.1.4 */
static const uint8_t p256_prime[] = {
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
};
static const uint8_t p256_order[] = {
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
};
static const uint8_t p384_prime[] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff,
};
static const uint8_t p384_order[] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf,
    0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73,
};

/* A symbol, and where its address goes. */
struct symbol {
    const char *name;
    void *at; /* a pointer to a function */
};

static bool find(void *library, const struct symbol *symbols, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        void *address = dlsym(library, symbols[i].name);
        if (address == NULL) {
            return false;
        }
        memcpy(symbols[i].at, &address, sizeof(address)); /* as POSIX has it for functions */
    }
    return true;
}

#define NUM(array) (sizeof(array) / sizeof((array)[0]))

static bool find_x25519(void *library)
{
    const struct symbol symbols[] = {
        {"mbx_x25519_public_key_mb8", &loaded.x25519_public},
        {"mbx_x25519_mb8", &loaded.x25519},
    };
    return find(library, symbols, NUM(symbols));
}

static bool find_p256(void *library)
{
    struct cl_mb_curve *c = &loaded.p256;
    const struct symbol symbols[] = {
        {"mbx_nistp256_ecpublic_key_mb8", &c->public_key},
        {"mbx_nistp256_ecdh_mb8", &c->ecdh},
        {"mbx_nistp256_ecdsa_sign_setup_mb8", &c->setup},
        {"mbx_nistp256_ecdsa_sign_complete_mb8", &c->complete},
        {"mbx_nistp256_ecdsa_verify_mb8", &c->verify},
    };
    c->len = sizeof(p256_prime);
    c->prime = p256_prime;
    c->order = p256_order;
    return find(library, symbols, NUM(symbols));
}

static bool find_p384(void *library)
{
    struct cl_mb_curve *c = &loaded.p384;
    const struct symbol symbols[] = {
        {"mbx_nistp384_ecpublic_key_mb8", &c->public_key},
        {"mbx_nistp384_ecdh_mb8", &c->ecdh},
        {"mbx_nistp384_ecdsa_sign_setup_mb8", &c->setup},
        {"mbx_nistp384_ecdsa_sign_complete_mb8", &c->complete},
        {"mbx_nistp384_ecdsa_verify_mb8", &c->verify},
    };
    c->len = sizeof(p384_prime);
    c->prime = p384_prime;
    c->order = p384_order;
    return find(library, symbols, NUM(symbols));
}

static bool find_rsa(void *library)
{
    struct cl_mb_rsa *r = &loaded.rsa;
    const struct symbol symbols[] = {
        {"mbx_RSA_private_crt_Method", &r->private_method},
        {"mbx_RSA_pub65537_Method", &r->public_method},
        {"mbx_RSA_Method_BufSize", &r->scratch_len},
        {"mbx_rsa_private_crt_mb8", &r->private_crt},
        {"mbx_rsa_public_mb8", &r->public_65537},
    };
    return find(library, symbols, NUM(symbols));
}

/* The processor has what the kernels are made of, and the system saves its registers: which is for
 * the compiler's run-time library to know. */
static bool cpu_fits(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512ifma") && __builtin_cpu_supports("bmi2");
}

static void load(void)
{
    if (!cpu_fits()) {
        description = "single operations: the processor lacks AVX-512 IFMA";
        return;
    }
    /* NODELETE: what was once handed out stays callable until the process ends */
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (library == NULL) {
        (void)dlerror();
        description = "single operations: " LIBRARY " is not installed";
        return;
    }
    loaded.has_x25519 = find_x25519(library);
    loaded.has_p256 = find_p256(library);
    loaded.has_p384 = find_p384(library);
    loaded.has_rsa = find_rsa(library);
    cl_mb_selftest(&loaded);
    usable = loaded.has_x25519 && loaded.has_p256 && loaded.has_p384 && loaded.has_rsa;
    description = usable ? "eight at a time: crypto_mb (X25519, P-256, P-384, RSA)"
                         : "single operations: " LIBRARY " fails its self-test";
}

#else

static void load(void)
{
    description = "single operations: built without crypto_mb";
}

#endif

const struct cl_mb *cl_mb(void)
{
    if (pthread_once(&load_once, load) != 0 || !usable ||
        atomic_load_explicit(&switched_off, memory_order_relaxed)) {
        return NULL;
    }
    return &loaded;
}

void cl_mb_switch(bool on)
{
    atomic_store_explicit(&switched_off, !on, memory_order_relaxed);
}

const char *cl_mb_describe(void)
{
    if (cl_mb() == NULL && usable) {
        return "single operations: switched off";
    }
    return description;
}

/* fuzz/fuzz_explain_hello.c - a ClientHello that is explained: a byte of configuration, then the
 * message without its header. The engine answers, the second ClientHello is made, names and notes
 * are put together. Advice is a loop of the same, too slow here. */
#include <stdlib.h>
#include <string.h>

#include "explain/advice.h"
#include "explain/lists.h"
#include "explain/made_pair.h"
#include "explain/notes.h"
#include "tls/conn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NUM_CONFIGS 4

static void require(bool ok)
{
    if (!ok) {
        abort();
    }
}

static struct cl_serve_options options[NUM_CONFIGS];
static struct cl_site sites[NUM_CONFIGS];

static void make_sites(void)
{
    const struct cl_serve_pair *pair = cl_made_pair(CL_KEY_EC_P256);
    require(pair != NULL);
    for (size_t i = 0; i < NUM_CONFIGS; i++) {
        struct cleat_error err = {0};
        options[i] = (struct cl_serve_options){.num_listen = 1,
                                               .pairs = {*pair},
                                               .num_pairs = 1,
                                               .alpn = "http/1.1",
                                               .access_log = "off",
                                               .trial = true};
        options[i].profile = i == 3 ? "legacy" : "public";
        options[i].groups = i == 1 ? "P-521" : NULL; /* a retry */
        options[i].tls_max = i == 2 ? CLEAT_TLS_1_2 : 0;
        options[i].early_data = i == 3;
        require(cl_site_load_tls(&sites[i], &options[i], cl_rehearsal_watch, &err) == CL_OK);
    }
}

static void look_at(const struct cl_rehearsal *r, const struct cl_serve_options *o)
{
    struct cl_names names;
    struct cl_notes notes;
    char text[512];
    for (int list = 0; list < CL_LIST_NUM; list++) {
        cl_names_offered(r, (enum cl_list)list, &names);
        require(names.num <= CL_NAMES_MAX);
        cl_names_join(&names, ", ", text, sizeof(text));
        require(strlen(text) < sizeof(text));
        cl_names_allowed(r, (enum cl_list)list, &names);
    }
    cl_notes_make(r, o, 0, &notes);
    require(notes.num <= CL_NOTES_MAX);
    cl_outcome_text(r, text, sizeof(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cl_buf message = {0};
    struct cl_rehearsal r;
    if (sites[0].tls == NULL) {
        make_sites();
    }
    if (size == 0 || size > CL_HS_MAX_HELLO - 4) {
        return 0;
    }
    const size_t which = data[0] % NUM_CONFIGS;
    const size_t len = size - 1;
    const uint8_t header[] = {1, (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len};
    require(cl_buf_append(&message, header, 4, CL_HS_MAX_HELLO) == CL_OK);
    require(cl_buf_append(&message, data + 1, len, CL_HS_MAX_HELLO) == CL_OK);
    require(cl_rehearse(&sites[which], cl_buf_view(&message), &r) == CL_OK);
    require((r.outcome == CL_OUTCOME_REFUSED) == (r.error.code != CLEAT_OK));
    require(r.outcome != CL_OUTCOME_AGREED || r.version != 0);
    look_at(&r, &options[which]);
    cl_rehearsal_deinit(&r);
    cl_buf_deinit(&message);
    return 0;
}

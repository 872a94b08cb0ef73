/* cli/client_dane.c - see client_dane.h. */
#include "cli/client_dane.h"

#include <string.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/client_target.h"
#include "cli/get_codes.h"
#include "cli/read_file.h"

/* 4 MiB: 64 records that hold certificates whole have 0.4 */
#define MAX_FILE (4u << 20)

static int add_file(struct cleat_dane *set, const char *owner, const char *path,
                    struct cleat_error *err)
{
    struct cl_buf text = {0};
    struct cleat_error why = {0};
    const char *reason = "";
    int code = 0;
    if (!cl_read_file(path, &text, MAX_FILE, &reason)) {
        (void)cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_SYSTEM},
                           "cannot read the TLSA records of %s: %s", path, reason);
        code = GET_EXIT_READ_FILE;
    } else {
        const int r = cleat_dane_add_text(set, owner, (const char *)text.p, text.len, NULL, &why);
        code = r == CLEAT_OK ? 0 : r == CLEAT_ERR_NOMEM ? GET_EXIT_NO_MEMORY : GET_EXIT_USAGE;
    }
    if (code != 0 && why.code != CLEAT_OK) {
        (void)cl_error_set(err, (struct cl_why){.code = (cl_result)why.code, .hint = why.hint},
                           "--tlsa @%s: %s", path, why.text);
    }
    cl_buf_deinit(&text);
    return code;
}

static int add_word(struct cleat_dane *set, const char *owner, const char *word,
                    struct cleat_error *err)
{
    struct cleat_error why = {0};
    const size_t len = strlen(word);
    const size_t before = cleat_dane_num(set);
    size_t num_others = 0;
    if (word[0] == '@') {
        return add_file(set, owner, word + 1, err);
    }
    const int r = cleat_dane_add_text(set, owner, word, len, &num_others, &why);
    if (r == CLEAT_OK && owner == NULL && cleat_dane_num(set) == before && len == 0) {
        (void)cl_error_set(
            &why, (struct cl_why){.code = CLEAT_ERR_BAD_TLSA, .hint = "write --tlsa '3 1 1 HEX'"},
            "there is no record");
    }
    if (why.code != CLEAT_OK) {
        /* one record has one line */
        static const char where[] = "line 1: ";
        const bool first = strncmp(why.text, where, sizeof(where) - 1) == 0;
        (void)cl_error_set(err, (struct cl_why){.code = (cl_result)why.code, .hint = why.hint},
                           "--tlsa: %s", why.text + (first ? sizeof(where) - 1 : 0));
        return why.code == CLEAT_ERR_NOMEM ? GET_EXIT_NO_MEMORY : GET_EXIT_USAGE;
    }
    return 0;
}

int client_dane_open(const struct client_options *o, const char *host, uint16_t port,
                     struct cleat_dane **out, struct cleat_error *err)
{
    char owner[CLIENT_HOST_SIZE + 16];
    struct cleat_dane *set = NULL;
    int code = 0;
    *out = NULL;
    if (o->tlsa.num == 0) {
        return 0;
    }
    if (cleat_dane_new(&set) != CLEAT_OK) {
        return GET_EXIT_NO_MEMORY;
    }
    if (host != NULL) {
        (void)cleat_tlsa_owner(host, port, owner, sizeof(owner));
    }
    for (size_t i = 0; i < o->tlsa.num && code == 0; i++) {
        code = add_word(set, host != NULL ? owner : NULL, o->tlsa.items[i], err);
    }
    /* who asks for DANE is not served without it */
    if (code == 0 && cleat_dane_num(set) != 0 && cleat_dane_num_usable(set) == 0) {
        (void)cl_error_set(err,
                           (struct cl_why){.code = CLEAT_ERR_BAD_TLSA,
                                           .hint = "usages 0 to 3, selectors 0 and 1, matching "
                                                   "types 0 to 2 are known"},
                           "--tlsa: none of %zu records is usable", cleat_dane_num(set));
        code = GET_EXIT_USAGE;
    }
    if (code == 0 && cleat_dane_num(set) != 0) {
        *out = set;
        return 0;
    }
    cleat_dane_free(set);
    return code;
}

int client_dane_check(const struct client_options *o, const struct cl_usage *usage)
{
    const char *other = o->insecure                ? "-k accepts any certificate"
                        : o->raw_key_pins.num != 0 ? "--raw-key-pin accepts one key"
                        : o->psk != NULL           ? "--psk is for servers without a certificate"
                        : o->record != NULL        ? "--record knows nothing of TLSA records"
                                                   : NULL;
    if (o->tlsa.num != 0 && other != NULL) {
        return cl_options_complain(usage, "%s, --tlsa what its records name: give one of the two",
                                   other);
    }
    return 0;
}

bool client_dane_allow_keys(const struct cleat_dane *set)
{
    struct cleat_tlsa record;
    for (size_t i = 0; set != NULL && cleat_dane_at(set, i, &record); i++) {
        if (record.usable &&
            (record.usage != CLEAT_TLSA_DANE_EE || record.selector != CLEAT_TLSA_SPKI)) {
            return false;
        }
    }
    return set != NULL;
}

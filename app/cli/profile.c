/* cli/profile.c - `cleat profile`: what the named profiles mean, item by item, as configurations
 * take it from the same table. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "tls/profile.h"
#include "tls/version.h"

/* The version of the JSON's form: it changes when a member changes its meaning. */
#define SCHEMA 1

enum {
    OPT_HELP = 1,
    OPT_JSON,
};

static const struct cl_option options[] = {
    {OPT_JSON, 0, "json", NULL, "as JSON"},
    {OPT_HELP, 'h', "help", NULL, "print this text"},
};

static const struct cl_usage usage = {
    .command = "profile",
    .synopsis = "list [--json]\nshow NAME [--json]",
    .about = "Tells what the profiles of serve and get mean: TLS versions, cipher suites, groups,\n"
             "signature schemes, key sizes and session tickets, in order of preference.",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .examples = "  cleat profile list\n"
                "  cleat profile show public\n"
                "  cleat profile show internal --json | jq -r '.groups[]'",
};

static const char *version_name(uint16_t version)
{
    return version == CLEAT_TLS_1_3 ? "1.3" : "1.2";
}

/* Suites of versions that the profile does not speak are not offered. */
static bool is_spoken(const struct cleat_tls_config *c, const struct cl_suite *suite)
{
    return suite->version >= c->version_min && suite->version <= c->version_max;
}

/* ---- for people ---- */

static void line(const char *what, const char *value)
{
    printf("%-22s%s\n", what, value);
}

static void number(const char *what, unsigned long value, const char *unit)
{
    printf("%-22s%lu %s\n", what, value, unit);
}

/* What --ciphers may name under this profile alone. */
static void show_weak_suites(const struct cleat_tls_config *c)
{
    const char *head = "can be named as well";
    const struct cl_suite *suite;
    for (size_t i = 0; c->legacy && (suite = cl_suite_at(i)) != NULL; i++) {
        if (cl_suite_weakness(suite, 0) != NULL) {
            line(head, suite->name);
            head = "";
        }
    }
}

/* What --curves may name beside a suite with DHE. */
static void show_fields(const struct cleat_tls_config *c)
{
    const char *head = "groups for DHE";
    const struct cl_group *group;
    for (size_t i = 0; c->legacy && (group = cl_group_at(i)) != NULL; i++) {
        if (group->finite_field) {
            line(head, group->name);
            head = "";
        }
    }
}

static void show_text(const struct cl_profile *p, const struct cleat_tls_config *c)
{
    printf("%s: %s\n\n", p->name, p->about);
    printf("%-22s%s to %s\n", "TLS versions", version_name(c->version_min),
           version_name(c->version_max));
    for (uint16_t v = c->version_max; v >= c->version_min; v--) {
        const char *head = v == CLEAT_TLS_1_3 ? "TLS 1.3 suites" : "TLS 1.2 suites";
        for (size_t i = 0; i < c->num_suites; i++) {
            if (c->suites[i]->version == v) {
                line(head, c->suites[i]->name);
                head = "";
            }
        }
    }
    show_weak_suites(c);
    for (size_t i = 0; i < c->num_groups; i++) {
        line(i == 0 ? "groups" : "", c->groups[i]->name);
    }
    show_fields(c);
    for (size_t i = 0; i < c->num_schemes; i++) {
        bool certificates_only =
            !c->schemes[i]->tls13 && (c->version_min > CLEAT_TLS_1_2 || !c->schemes[i]->tls12);
        printf("%-22s%s%s\n", i == 0 ? "signature schemes" : "", c->schemes[i]->name,
               certificates_only ? " (in certificates)" : "");
    }
    number("RSA keys", c->min_rsa_bits, "bits or more");
    number("session tickets", c->num_tickets, "for a full handshake");
    number("ticket lifetime", p->ticket_lifetime, "seconds");
    if (c->version_min <= CLEAT_TLS_1_2) {
        line("TLS 1.2 peers without",
             c->without_master_secret ? "the extended master secret are let in, and never resume"
                                      : "the extended master secret are refused");
    }
    line("0-RTT", "off");
}

/* ---- for programs ---- */

static json_t *weak_suites(const struct cleat_tls_config *c)
{
    json_t *all = json_array();
    const struct cl_suite *suite;
    for (size_t i = 0; c->legacy && (suite = cl_suite_at(i)) != NULL; i++) {
        const struct cl_weakness *w = cl_suite_weakness(suite, 0);
        if (w != NULL) {
            (void)json_array_append_new(all, json_pack("{s:s, s:i, s:s}", "name", suite->name,
                                                       "number", suite->id, "weakness", w->what));
        }
    }
    return all;
}

static json_t *group_to_json(const struct cl_group *group)
{
    return json_pack("{s:s, s:i}", "name", group->name, "number", group->id);
}

static json_t *fields(const struct cleat_tls_config *c)
{
    json_t *all = json_array();
    const struct cl_group *group;
    for (size_t i = 0; c->legacy && (group = cl_group_at(i)) != NULL; i++) {
        if (group->finite_field) {
            (void)json_array_append_new(all, group_to_json(group));
        }
    }
    return all;
}

static json_t *lists(const struct cleat_tls_config *c)
{
    json_t *suites = json_array();
    json_t *groups = json_array();
    json_t *schemes = json_array();
    for (size_t i = 0; i < c->num_suites; i++) {
        if (is_spoken(c, c->suites[i])) {
            (void)json_array_append_new(suites,
                                        json_pack("{s:s, s:i, s:s}", "name", c->suites[i]->name,
                                                  "number", c->suites[i]->id, "version",
                                                  version_name(c->suites[i]->version)));
        }
    }
    for (size_t i = 0; i < c->num_groups; i++) {
        (void)json_array_append_new(groups, group_to_json(c->groups[i]));
    }
    for (size_t i = 0; i < c->num_schemes; i++) {
        (void)json_array_append_new(schemes, json_pack("{s:s, s:i}", "name", c->schemes[i]->name,
                                                       "number", c->schemes[i]->scheme));
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "suites", suites, "suites_on_request",
                     weak_suites(c), "groups", groups, "groups_on_request", fields(c),
                     "signature_schemes", schemes);
}

static json_t *to_json(const struct cl_profile *p, const struct cleat_tls_config *c)
{
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:I, s:b, s:b}", "name", p->name, "about",
                  p->about, "version_min", version_name(c->version_min), "version_max",
                  version_name(c->version_max), "min_rsa_bits", c->min_rsa_bits, "tickets",
                  c->num_tickets, "ticket_lifetime", (json_int_t)p->ticket_lifetime,
                  "extended_master_secret_required", !c->without_master_secret, "early_data", 0);
    json_t *rest = lists(c);
    if (json != NULL && rest != NULL) {
        (void)json_object_update(json, rest);
    }
    json_decref(rest);
    return json;
}

static int print_json(json_t *json)
{
    int code = CL_EXIT_FAILURE;
    if (json != NULL && json_object_set_new(json, "schema", json_integer(SCHEMA)) == 0 &&
        json_dumpf(json, stdout, JSON_INDENT(2)) == 0) {
        printf("\n");
        code = CL_EXIT_OK;
    }
    json_decref(json);
    return code;
}

/* ---- the commands ---- */

static int show(const char *name, bool json)
{
    const char *names[16];
    size_t num = 0;
    const struct cl_profile *p = cl_profile_by_name(name);
    if (p == NULL) {
        while (num < sizeof(names) / sizeof(names[0]) && cleat_profile_name(num) != NULL) {
            names[num] = cleat_profile_name(num);
            num++;
        }
        const char *near = cl_nearest(name, names, num);
        return cl_options_complain(&usage, "there is no profile '%s'%s%s%s", name,
                                   near != NULL ? "; did you mean '" : ", see 'cleat profile list'",
                                   near != NULL ? near : "", near != NULL ? "'?" : "");
    }
    struct cleat_tls_config config = {0};
    if (!cl_profile_fill(p, &config)) {
        fprintf(stderr, "cleat profile: the profile names what this build does not have\n");
        return CL_EXIT_FAILURE;
    }
    if (json) {
        return print_json(to_json(p, &config));
    }
    show_text(p, &config);
    return CL_EXIT_OK;
}

static int list(bool json)
{
    const struct cl_profile *p;
    json_t *all = json_array();
    for (size_t i = 0; (p = cl_profile_at(i)) != NULL; i++) {
        if (json) {
            (void)json_array_append_new(
                all, json_pack("{s:s, s:s}", "name", p->name, "about", p->about));
        } else {
            printf("%-15s%s\n", p->name, p->about);
        }
    }
    json_t *top = json_pack("{s:o}", "profiles", all);
    if (json) {
        return print_json(top);
    }
    json_decref(top);
    return CL_EXIT_OK;
}

static int run(const char *const *words, size_t num, bool json)
{
    if (num == 1 && strcmp(words[0], "list") == 0) {
        return list(json);
    }
    if (num == 2 && strcmp(words[0], "show") == 0) {
        return show(words[1], json);
    }
    return cl_options_complain(&usage, "'list', or 'show' and a profile's name, is needed");
}

int cl_cmd_profile(int argc, char **argv)
{
    struct cl_options o;
    const char *words[2];
    size_t num = 0;
    bool json = false;
    cl_options_init(&o, &usage, argc, argv);
    for (;;) {
        switch (cl_options_next(&o)) {
        case CL_OPTIONS_END:
            return run(words, num, json);
        case OPT_HELP:
            cl_options_help(&usage, stdout);
            return CL_EXIT_OK;
        case OPT_JSON:
            json = true;
            break;
        case CL_OPTIONS_OPERAND:
            if (num == sizeof(words) / sizeof(words[0])) {
                return cl_options_complain(&usage, "unexpected '%s'", o.value);
            }
            words[num++] = o.value;
            break;
        default:
            return CL_EXIT_USAGE;
        }
    }
}

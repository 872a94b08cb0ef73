/* watch/findings.c - see findings.h. */
#include "watch/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "x509/name.h"

static const struct cl_watch_kind kinds[] = {
#define CL_WATCH_X(name, id, severity, text) {id, CL_WATCH_##severity, text},
    CL_WATCH_KINDS(CL_WATCH_X)
#undef CL_WATCH_X
};

const struct cl_watch_kind *cl_watch_kind(enum cl_watch_kind_id id)
{
    return &kinds[id];
}

int cl_watch_kind_named(const char *id, size_t len)
{
    for (int i = 0; i < CL_WATCH_NUM_KINDS; i++) {
        if (cl_rd_equal_str(cl_rd_of(id, len), kinds[i].id)) {
            return i;
        }
    }
    return -1;
}

enum cl_watch_severity cl_watch_worst(const struct cl_watch_findings *findings)
{
    enum cl_watch_severity worst = findings->lost ? CL_WATCH_UNCHECKED : CL_WATCH_NOTE;
    for (size_t i = 0; i < findings->num; i++) {
        enum cl_watch_severity severity = kinds[findings->items[i].kind].severity;
        worst = severity > worst ? severity : worst;
    }
    return worst;
}

void cl_watch_findings_deinit(struct cl_watch_findings *findings)
{
    cl_free(findings->items);
    *findings = (struct cl_watch_findings){0};
}

/* ---- saying it ---- */

/* What is being judged, and where findings go. */
struct judging {
    const struct cl_watch_facts *facts;
    const struct cl_watch_limits *limits;
    const struct cl_watch_side *side;
    struct cl_watch_findings *out;
};

static void say(const struct judging *j, enum cl_watch_kind_id kind, const char *hint,
                const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void say(const struct judging *j, enum cl_watch_kind_id kind, const char *hint,
                const char *fmt, ...)
{
    struct cl_watch_finding *grown =
        j->out->num < CL_WATCH_MAX_FINDINGS
            ? cl_realloc(j->out->items, (j->out->num + 1) * sizeof(*grown))
            : NULL;
    if (grown == NULL) {
        j->out->lost = true;
        return;
    }
    j->out->items = grown;
    struct cl_watch_finding *f = &grown[j->out->num++];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(f->text, sizeof(f->text), fmt, args);
    va_end(args);
    (void)snprintf(f->hint, sizeof(f->hint), "%s", hint != NULL ? hint : "");
    cl_text_make_printable(f->text);
    cl_text_make_printable(f->hint);
    f->kind = kind;
    f->side = j->side;
}

static void say_error(const struct judging *j, enum cl_watch_kind_id kind,
                      const struct cleat_error *error)
{
    say(j, kind, error->hint, "%s",
        error->text[0] != '\0' ? error->text : cleat_error_sentence(error->code));
}

/* 160: a subject that is longer is cut */
#define NAME_SIZE 160

/* "certificate 2 of 3, CN=...", or of one "CN=...". */
static void describe(const struct cl_watch_side *side, size_t at, char out[NAME_SIZE + 48])
{
    char subject[NAME_SIZE] = "";
    const size_t num = cl_chain_num(side->chain);
    int len = 0;
    (void)cleat_cert_subject(cl_chain_at(side->chain, at), subject, sizeof(subject));
    if (num > 1) {
        len = snprintf(out, NAME_SIZE + 48, "certificate %zu of %zu, ", at + 1, num);
    }
    (void)snprintf(out + len, (size_t)(NAME_SIZE + 48 - len), "%s",
                   subject[0] != '\0' ? subject : "(no subject)");
}

/* ---- time ---- */

static int64_t lifetime(const struct cleat_cert *cert)
{
    /* RFC 5280 4.1.2.5: both ends are inclusive */
    return cl_cert_not_after(cert) - cl_cert_not_before(cert) + 1;
}

/* Without overflow, whatever the certificate says: years are bounded by four digits, and a share
 * by its parser. */
bool cl_watch_is_short(const struct cleat_cert *cert, const struct cl_watch_share *share,
                       int64_t now)
{
    const int64_t left = cl_cert_not_after(cert) - now;
    return share->den == 0 ? left <= share->num : left * share->den <= lifetime(cert) * share->num;
}

static void judge_end(const struct judging *j, size_t at)
{
    static const char renew[] = "renew it now: there is time to mend what fails";
    static const char overdue[] =
        "renew it at once, and find out why it was not renewed when a third was left";
    const struct cleat_cert *cert = cl_chain_at(j->side->chain, at);
    const int64_t now = j->facts->at;
    const bool act = cl_watch_is_short(cert, &j->limits->act, now);
    char what[NAME_SIZE + 48], left[CL_WATCH_LEFT_SIZE], until[CL_WATCH_TIME_SIZE];
    if (!act && !cl_watch_is_short(cert, &j->limits->warn, now)) {
        return;
    }
    describe(j->side, at, what);
    cl_watch_left_text(cl_cert_not_after(cert) - now, lifetime(cert), left);
    cl_watch_time_text(cl_cert_not_after(cert), false, until);
    say(j, act ? CL_WATCH_EXPIRES_NOW_FOUND : CL_WATCH_EXPIRES_SOON_FOUND, act ? overdue : renew,
        "%s: %s, until %s", what, left, until);
}

/* The end of a certificate that others are issued with: no matter by itself, unless the leaf lasts
 * longer. */
static void judge_issuer(const struct judging *j, size_t at)
{
    const struct cleat_cert *leaf = cl_watch_leaf(j->side), *cert = cl_chain_at(j->side->chain, at);
    char what[NAME_SIZE + 48], until[CL_WATCH_TIME_SIZE], end[CL_WATCH_TIME_SIZE];
    if (cl_cert_not_after(cert) >= cl_cert_not_after(leaf) || cleat_cert_is_self_issued(cert)) {
        return;
    }
    describe(j->side, at, what);
    cl_watch_time_text(cl_cert_not_after(cert), false, until);
    cl_watch_time_text(cl_cert_not_after(leaf), false, end);
    say(j, CL_WATCH_ISSUER_ENDS_FOUND,
        "renew before that with the CA's newer intermediate, and serve that one",
        "%s ends on %s, before the leaf does (%s)", what, until, end);
}

static void judge_time(const struct judging *j, size_t at)
{
    const struct cleat_cert *cert = cl_chain_at(j->side->chain, at);
    const int64_t now = j->facts->at;
    char what[NAME_SIZE + 48], when[CL_WATCH_TIME_SIZE], span[CL_WATCH_SPAN_SIZE];
    describe(j->side, at, what);
    if (now > cl_cert_not_after(cert)) {
        cl_watch_time_text(cl_cert_not_after(cert), false, when);
        cl_watch_span_text(now - cl_cert_not_after(cert), span);
        say(j, CL_WATCH_EXPIRED_FOUND, "renew it: clients refuse it", "%s: expired %s ago, on %s",
            what, span, when);
    } else if (now < cl_cert_not_before(cert)) {
        cl_watch_time_text(cl_cert_not_before(cert), false, when);
        cl_watch_span_text(cl_cert_not_before(cert) - now, span);
        say(j, CL_WATCH_NOT_YET_VALID_FOUND,
            "check this machine's clock; if it is right, install the certificate later",
            "%s: valid in %s, from %s", what, span, when);
    } else if (at == 0 || !cleat_cert_is_ca(cert) || cleat_cert_is_ca(cl_watch_leaf(j->side))) {
        judge_end(j, at);
    } else {
        judge_issuer(j, at);
    }
}

/* ---- trust ---- */

static bool time_is_told(const struct judging *j)
{
    for (size_t i = 0; i < j->out->num; i++) {
        const struct cl_watch_finding *f = &j->out->items[i];
        if (f->side == j->side &&
            (f->kind == CL_WATCH_EXPIRED_FOUND || f->kind == CL_WATCH_NOT_YET_VALID_FOUND)) {
            return true;
        }
    }
    return false;
}

static const struct cleat_chain_note *note_of(const struct cl_watch_side *side, int code)
{
    for (size_t i = 0; i < side->num_notes; i++) {
        if (side->notes[i].what.code == code) {
            return &side->notes[i];
        }
    }
    return NULL;
}

static void judge_path(const struct judging *j)
{
    const struct cl_watch_side *side = j->side;
    const struct cleat_error *error = cleat_verdict_error(side->path);
    const struct cleat_chain_note *incomplete = note_of(side, CLEAT_ERR_UNKNOWN_ISSUER);
    switch (cleat_verdict_code(side->path)) {
    case CLEAT_OK:
        if (side->completed_chain && incomplete != NULL) { /* not every client fetches */
            say_error(j, CL_WATCH_INCOMPLETE_FOUND, &incomplete->what);
        }
        break;
    case CLEAT_ERR_CERT_EXPIRED: /* an issuer's: the leaf was valid at the moment of the path */
    case CLEAT_ERR_CERT_NOT_YET_VALID:
        if (!time_is_told(j)) {
            say_error(j, CL_WATCH_EXPIRED_FOUND, error);
        }
        break;
    case CLEAT_ERR_UNKNOWN_ISSUER:
        if (incomplete != NULL) {
            say_error(j, CL_WATCH_INCOMPLETE_FOUND, &incomplete->what);
            break;
        }
        say_error(j, CL_WATCH_UNTRUSTED_FOUND, error);
        break;
    case CLEAT_ERR_WEAK_KEY:
    default:
        say_error(j, CL_WATCH_UNTRUSTED_FOUND, error);
        break;
    }
}

/* What the staple and other sources say; of a path that is not trusted they can say nothing. */
static void judge_status(const struct judging *j)
{
    const struct cl_watch_side *side = j->side;
    const struct cleat_error *error = cleat_verdict_error(side->status);
    const int code = cleat_verdict_code(side->status);
    if (cleat_verdict_code(side->path) != CLEAT_OK) {
        return;
    }
    if (code == CLEAT_ERR_REVOKED) {
        say_error(j, CL_WATCH_REVOKED_FOUND, error);
    } else if (code == CLEAT_ERR_REVOCATION_UNKNOWN && side->on_disk) {
        say_error(j, CL_WATCH_STATUS_FOUND, error);
    } else if (code == CLEAT_ERR_REVOCATION_UNKNOWN && side->staple.len != 0) {
        say_error(j, CL_WATCH_STAPLE_FOUND, error);
    } else if (code == CLEAT_ERR_REVOCATION_UNKNOWN) {
        const bool demanded = j->facts->expect_staple || cl_watch_must_staple(cl_watch_leaf(side));
        say_error(j, demanded ? CL_WATCH_UNSTAPLED_FOUND : CL_WATCH_STATUS_FOUND, error);
    }
}

/* 3: names of the certificate that are listed */
#define LISTED_NAMES 3

static void judge_name(const struct judging *j)
{
    const struct cleat_cert *leaf = cl_watch_leaf(j->side);
    char names[200] = "", name[100];
    enum cleat_san_kind kind;
    size_t len = 0;
    if (j->facts->host == NULL || cleat_cert_matches_host(leaf, j->facts->host)) {
        return;
    }
    for (size_t i = 0; i < LISTED_NAMES && cleat_cert_san(leaf, i, &kind, name, 60); i++) {
        len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", i > 0 ? ", " : "", name);
    }
    const size_t num = cleat_cert_num_sans(leaf);
    if (num > LISTED_NAMES) {
        (void)snprintf(name, sizeof(name), " and %zu more", num - LISTED_NAMES);
    }
    say(j, CL_WATCH_NAME_FOUND,
        "serve a certificate with this name; or the server does not know the name and sends its "
        "default",
        "it is not for %s but for %s%s", j->facts->host, num != 0 ? names : "no name at all",
        num > LISTED_NAMES ? name : "");
}

/* Of lint's notes those that no finding above tells. */
static void judge_notes(const struct judging *j)
{
    for (size_t i = 0; i < j->side->num_notes; i++) {
        const struct cleat_chain_note *note = &j->side->notes[i];
        switch (note->what.code) {
        case CLEAT_ERR_WEAK_KEY:
            say_error(j, CL_WATCH_WEAK_FOUND, &note->what);
            break;
        case CLEAT_ERR_CERT_EXPIRED:
        case CLEAT_ERR_CERT_NOT_YET_VALID:
        case CLEAT_ERR_UNKNOWN_ISSUER:
        case CLEAT_ERR_SELF_SIGNED:
        case CLEAT_ERR_NAME_MISMATCH:
            break;
        default:
            say_error(j, CL_WATCH_CHAIN_NOTE_FOUND, &note->what);
            break;
        }
    }
}

/* ---- one side ---- */

static void judge_reach(const struct judging *j)
{
    static const enum cl_watch_kind_id of[] = {
        [CL_WATCH_UNREADABLE] = CL_WATCH_UNREADABLE_FOUND,
        [CL_WATCH_NO_ADDRESS] = CL_WATCH_NO_ADDRESS_FOUND,
        [CL_WATCH_NO_CONNECTION] = CL_WATCH_NO_CONNECTION_FOUND,
        [CL_WATCH_NO_HANDSHAKE] = CL_WATCH_NO_HANDSHAKE_FOUND,
    };
    say_error(j, of[j->side->reach], &j->side->error);
}

static void judge_side(struct judging *j, const struct cl_watch_side *side)
{
    j->side = side;
    if (side->reach != CL_WATCH_SEEN) {
        if (side->reach != CL_WATCH_NOT_ASKED) {
            judge_reach(j);
        }
        return;
    }
    for (size_t i = 0; i < cl_chain_num(side->chain); i++) {
        judge_time(j, i);
    }
    /* A file that begins with a CA is a bundle of roots, of which nothing leads anywhere. */
    if (!side->on_disk || !cleat_cert_is_ca(cl_watch_leaf(side))) {
        judge_path(j);
        judge_status(j);
        judge_notes(j);
    }
    judge_name(j);
    if (side->not_fetched[0] != '\0') {
        say(j, CL_WATCH_FETCH_NOTE_FOUND, NULL, "%s", side->not_fetched);
    }
    if (side->error.code != 0) {
        say_error(j, CL_WATCH_HANDSHAKE_NOTE_FOUND, &side->error);
    }
}

/* ---- sides beside each other ---- */

static bool same_chain(const struct cleat_chain *a, const struct cleat_chain *b)
{
    bool same = cl_chain_num(a) == cl_chain_num(b);
    for (size_t i = 0; same && i < cl_chain_num(a); i++) {
        same = cl_watch_same_cert(cl_chain_at(a, i), cl_chain_at(b, i));
    }
    return same;
}

static bool serves_what_is_on_disk(const struct cl_watch_facts *f)
{
    bool same = f->disk.reach == CL_WATCH_SEEN && f->num_served > 0;
    for (size_t i = 0; same && i < f->num_served; i++) {
        const struct cl_watch_side *side = &f->served[i];
        same = side->reach == CL_WATCH_SEEN &&
               cl_watch_same_cert(cl_watch_leaf(side), cl_watch_leaf(&f->disk));
    }
    return same;
}

static void compare_with_disk(struct judging *j, const struct cl_watch_side *served)
{
    const struct cl_watch_facts *f = j->facts;
    const struct cleat_cert *mine = cl_watch_leaf(&f->disk), *theirs = cl_watch_leaf(served);
    const bool newer = cl_cert_not_before(mine) > cl_cert_not_before(theirs);
    char here[CL_WATCH_TIME_SIZE], there[CL_WATCH_TIME_SIZE];
    j->side = served;
    if (cl_watch_same_cert(mine, theirs)) {
        if (!same_chain(f->disk.chain, served->chain)) {
            say(j, CL_WATCH_CHAIN_FOUND, "reload the server, or see which file it really uses",
                "%zu certificates are served, %zu are in %s; the leaf is the same",
                cl_chain_num(served->chain), cl_chain_num(f->disk.chain), f->file);
        }
        return;
    }
    cl_watch_time_text(cl_cert_not_before(mine), false, here);
    cl_watch_time_text(cl_cert_not_before(theirs), false, there);
    if (newer) {
        say(j, CL_WATCH_NEWER_ON_DISK_FOUND,
            "reload the server: it still has the certificate from before",
            "%s has a newer certificate (from %s) than is served (from %s)", f->file, here, there);
    } else {
        say(j, CL_WATCH_DISK_FOUND, "see which file, and which machine, the server really uses",
            "%s has another certificate (from %s) than is served (from %s)", f->file, here, there);
    }
}

static void compare_addresses(struct judging *j)
{
    const struct cl_watch_facts *f = j->facts;
    const struct cl_watch_side *first = cl_watch_shown(f);
    char here[CL_WATCH_TIME_SIZE], there[CL_WATCH_TIME_SIZE];
    for (size_t i = 0; first != NULL && !first->on_disk && i < f->num_served; i++) {
        const struct cl_watch_side *other = &f->served[i];
        if (other->reach == CL_WATCH_SEEN &&
            !cl_watch_same_cert(cl_watch_leaf(first), cl_watch_leaf(other))) {
            cl_watch_time_text(cl_cert_not_after(cl_watch_leaf(first)), false, here);
            cl_watch_time_text(cl_cert_not_after(cl_watch_leaf(other)), false, there);
            j->side = other;
            say(j, CL_WATCH_ADDRESSES_FOUND,
                "install the same certificate behind each address, and reload there",
                "%s serves another certificate (until %s) than %s (until %s)", other->address,
                there, first->address, here);
        }
    }
}

static void judge_key(struct judging *j)
{
    const struct cl_watch_facts *f = j->facts;
    j->side = &f->disk;
    if (f->key == CL_WATCH_KEY_DIFFERS) {
        say(j, CL_WATCH_KEY_FOUND, "a server cannot start with the two: find the key's certificate",
            "the private key does not belong to the certificate of %s", f->file);
    } else if (f->key == CL_WATCH_KEY_UNREADABLE) {
        say_error(j, CL_WATCH_UNREADABLE_FOUND, &f->key_error);
    }
}

void cl_watch_judge(const struct cl_watch_facts *f, const struct cl_watch_limits *limits,
                    struct cl_watch_findings *out)
{
    struct judging j = {.facts = f, .limits = limits, .out = out};
    cl_watch_findings_deinit(out);
    if (!serves_what_is_on_disk(f)) {
        judge_side(&j, &f->disk);
    }
    judge_key(&j);
    for (size_t i = 0; i < f->num_served; i++) {
        judge_side(&j, &f->served[i]);
    }
    for (size_t i = 0; f->disk.reach == CL_WATCH_SEEN && i < f->num_served; i++) {
        if (f->served[i].reach == CL_WATCH_SEEN) {
            compare_with_disk(&j, &f->served[i]);
        }
    }
    compare_addresses(&j);
}

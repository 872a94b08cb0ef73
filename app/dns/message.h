/* dns/message.h - DNS messages (RFC 1035 4): questions built, answers read. What comes from the
 * network is read with cl_rd only. Names are host names here, of letters, digits, "-" and "_": they
 * are connected to, compared and printed.
 */
#ifndef CL_DNS_MESSAGE_H
#define CL_DNS_MESSAGE_H

#include "base/buf.h"
#include "dns/addr.h"

/* 65,535: a DNS message over TCP, or HTTPS */
#define CL_DNS_MAX_MESSAGE 65535
/* 256: a DNS name has at most 253 bytes as text */
#define CL_DNS_NAME_SIZE   256
/* 8: CNAMEs in a row, and aliases: what resolvers follow (RFC 9460 3: "Clients SHOULD impose a
 * limit on the total number of aliases") */
#define CL_DNS_MAX_ALIASES 8

enum cl_dns_type {
    CL_DNS_TYPE_A = 1,
    CL_DNS_TYPE_CNAME = 5,
    CL_DNS_TYPE_AAAA = 28,
    CL_DNS_TYPE_OPT = 41,
    CL_DNS_TYPE_HTTPS = 65,
};
#define CL_DNS_CLASS_IN 1

/* ---- questions ---- */

/* cl_dns_query_build appends a question for name (without a final dot), with ID 0 (RFC 8484 4.1),
 * recursion desired, and padded to a multiple of 128 bytes (RFC 8467 4.1). USAGE: not a name that
 * can be asked for; NOMEM. */
CL_MUST cl_result cl_dns_query_build(const char *name, uint16_t type, struct cl_buf *out);

/* ---- parts of a message ---- */

/* A name that was read: text in lower case, without a final dot; "" is the root. odd: it is
 * well-formed but no host name, and equal to none. */
struct cl_dns_name {
    char text[CL_DNS_NAME_SIZE];
    size_t len;
    bool odd;
};

/* cl_dns_take_name reads a name that may end in a pointer into the whole message, and leaves r
 * behind it; cl_dns_take_plain_name one without (RFC 9460 2.2). False: malformed. */
CL_RD_MUST bool cl_dns_take_name(struct cl_rd whole, struct cl_rd *r, struct cl_dns_name *out);
CL_RD_MUST bool cl_dns_take_plain_name(struct cl_rd *r, struct cl_dns_name *out);

struct cl_dns_head {
    uint16_t flags;
    uint16_t num_questions;
    uint16_t num_answers;
    struct cl_dns_name name; /* of the last question */
    uint16_t type, class;
};

struct cl_dns_record {
    struct cl_dns_name owner;
    uint16_t type, class;
    struct cl_rd data;
};

/* cl_dns_take_head reads the header and the questions, cl_dns_take_record the next record. False:
 * malformed. */
CL_RD_MUST bool cl_dns_take_head(struct cl_rd whole, struct cl_rd *r, struct cl_dns_head *out);
CL_RD_MUST bool cl_dns_take_record(struct cl_rd whole, struct cl_rd *r, struct cl_dns_record *out);

/* cl_dns_record_is: it is of this type, and owner. */
CL_RD_MUST bool cl_dns_record_is(const struct cl_dns_record *rec, uint16_t type, const char *owner);

/* cl_dns_follow_cnames goes from owner to where its CNAMEs lead among the num answers, at most
 * CL_DNS_MAX_ALIASES times. False: malformed. */
CL_RD_MUST bool cl_dns_follow_cnames(struct cl_rd whole, struct cl_rd answers, uint16_t num,
                                     char owner[CL_DNS_NAME_SIZE]);

/* ---- answers ---- */

enum cl_dns_outcome {
    CL_DNS_ANSWERED,  /* to this question; there may be no record */
    CL_DNS_NO_NAME,   /* NXDOMAIN */
    CL_DNS_REFUSED,   /* another code: SERVFAIL, REFUSED, ... */
    CL_DNS_MALFORMED, /* or the answer to another question, or cut off */
};

/* cl_dns_judge looks at header and question of the answer to a question for name and type. */
enum cl_dns_outcome cl_dns_judge(struct cl_rd message, const char *name, uint16_t type);

/* cl_dns_addresses reads the addresses of name, along CNAMEs: type is A or AAAA; at most cap of
 * them, with port 0, in the order of the message. False: malformed. */
CL_RD_MUST bool cl_dns_addresses(struct cl_rd message, const char *name, uint16_t type,
                                 struct cl_addr *out, size_t cap, size_t *num);

#endif

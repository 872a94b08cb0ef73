/* cli/get_resume.h - -C: whether a response goes on where a file ends (RFC 9110 14). Pure. */
#ifndef CL_CLI_GET_RESUME_H
#define CL_CLI_GET_RESUME_H

#include "cleat/http.h"

enum get_resume {
    GET_RESUME_GO_ON,  /* its body is what is missing */
    GET_RESUME_WHOLE,  /* nothing is missing */
    GET_RESUME_CANNOT, /* neither: as curl's exit code 33 */
};

/* get_resume_judge looks at the answer to a request for all from byte `offset` on, offset > 0.
 * Where it cannot be gone on with, why says so in words. */
enum get_resume get_resume_judge(const struct cleat_http_head *head, uint64_t offset, char *why,
                                 size_t cap);

#endif

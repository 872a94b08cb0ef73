/* base/result.h - the one result type, and how a failure's detail is recorded.
 *
 * Inside the library every function that can fail returns a cl_result: CL_OK or a code of
 * cleat/error.h. It must be looked at (CL_MUST). The detail goes into the struct cleat_error of the
 * object that failed, through cl_error_set(); the first failure wins, later ones are dropped.
 */
#ifndef CL_BASE_RESULT_H
#define CL_BASE_RESULT_H

#include "cleat/error.h"

typedef enum cleat_code cl_result;

#define CL_OK   CLEAT_OK
#define CL_MUST __attribute__((warn_unused_result))

/* CL_TRY returns from the calling function with the failure of `expr`, if it fails. */
#define CL_TRY(expr)                       \
    do {                                   \
        cl_result cl_try_result_ = (expr); \
        if (cl_try_result_ != CL_OK) {     \
            return cl_try_result_;         \
        }                                  \
    } while (0)

/* What a failure says beside its sentence. section and hint may be NULL; alert 0 means the code's
 * own (CLEAT_ERROR_LIST). */
struct cl_why {
    cl_result code;
    uint8_t alert;
    const char *section;
    const char *hint;
};

/* cl_error_set fills *e (unless it already holds a failure, or is NULL) and returns why.code, so
 * that `return cl_error_set(...)` reads as what it does. The text is printf-formatted; control
 * bytes in it are replaced by '?', so that a log line stays a log line. */
cl_result cl_error_set(struct cleat_error *e, struct cl_why why, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* cl_error_default_alert returns the alert of CLEAT_ERROR_LIST for a code; internal_error(80) for a
 * code that has none. */
uint8_t cl_error_default_alert(cl_result code);

#endif

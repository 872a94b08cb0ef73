/* cleat/version.h - which version of the library this is. */
#ifndef CLEAT_VERSION_H
#define CLEAT_VERSION_H

#define CLEAT_VERSION_MAJOR  0
#define CLEAT_VERSION_MINOR  1
#define CLEAT_VERSION_PATCH  0
#define CLEAT_VERSION_STRING "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif

/* cleat_version returns the version of the library that is linked in, "0.1.0". Static storage. */
const char *cleat_version(void);

#ifdef __cplusplus
}
#endif
#endif

/* base/version.c - the version of the library that is linked in. */
#include "cleat/version.h"

const char *cleat_version(void)
{
    return CLEAT_VERSION_STRING;
}

/* conn/roots.h - where this system keeps the CA certificates that it trusts. */
#ifndef CL_CONN_ROOTS_H
#define CL_CONN_ROOTS_H

/* cl_roots_bundle gives the path of the system's bundle in PEM; NULL when none is found. */
const char *cl_roots_bundle(void);

#endif

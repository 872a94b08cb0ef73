/* tls/shares.h - the key shares of a client's ClientHello: which there are, and which is taken. */
#ifndef CL_TLS_SHARES_H
#define CL_TLS_SHARES_H

#include "tls/conn.h"

/* cl_shares_choose sets the groups of the first ClientHello's shares; cl_shares_has says whether a
 * group is one of them. */
void cl_shares_choose(struct cleat_tls *tls);
bool cl_shares_has(const struct cl_hs *hs, uint16_t group);

/* cl_shares_take leaves the key for one of these groups alone, as kex_key with its share_group;
 * cl_shares_drop_second the first one. */
void cl_shares_take(struct cl_hs *hs, uint16_t group);
void cl_shares_drop_second(struct cl_hs *hs);

#endif

/*
 * When a stored CRL has to be made anew: asked by cad (to serve the stored one without the signer)
 * and by the signer (before it signs another).
 */
#ifndef CAD_CRL_DUE_H
#define CAD_CRL_DUE_H

#include "store/cert.h"

/* Something was revoked since, or half of its life is over. */
static inline bool crl_is_due(const struct crl_info *crl, uint64_t revision, int64_t now_us)
{
	int64_t half_us = (crl->next_update_us - crl->this_update_us) / 2;

	return crl->revision != revision || now_us < crl->this_update_us ||
		now_us - crl->this_update_us >= half_us;
}

#endif

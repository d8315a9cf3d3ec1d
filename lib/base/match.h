/* Comparing names and masks as IRC does: bytes, ASCII letters without regard to their case. */
#ifndef BASE_MATCH_H
#define BASE_MATCH_H

#include "base/span.h"

/* The byte, or of an upper-case ASCII letter its lower-case one. */
unsigned char match_fold(unsigned char c);

/* The same but for the case of ASCII letters. */
bool match_eq(struct span a, struct span b);

/*
 * Does text match the mask as a whole? '*' stands for any bytes, none too, '?' for any one byte;
 * nothing takes their meaning away. In no more steps than the product of both lengths.
 */
bool match_mask(struct span mask, struct span text);

#endif

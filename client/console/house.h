/* What house.c and house_more.c share: commands of time and identity, and how they tell it. */
#ifndef CLIENT_CONSOLE_HOUSE_H
#define CLIENT_CONSOLE_HOUSE_H

#include "client/console/console.h"

void house_daytime(struct console *c, struct span words);
void house_stamp(struct console *c, struct span words);
void house_verify(struct console *c, struct span words);
void house_whoami(struct console *c, struct span words);
void house_renew(struct console *c, struct span words);

void house_clock_tell(struct console *c);
void house_certificate_tell(struct console *c);

#endif

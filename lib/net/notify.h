/*
 * Telling the service manager how we are: sd_notify(3) without its library, which costs more than
 * it does.
 */
#ifndef NET_NOTIFY_H
#define NET_NOTIFY_H

/* One datagram ("READY=1") to $NOTIFY_SOCKET. 0 also when there is none; else a negative errno. */
int notify_send(const char *state);

/* Milliseconds between two WATCHDOG=1, half of what is asked for; 0: none is asked for. */
unsigned notify_watchdog_ms(void);

#endif

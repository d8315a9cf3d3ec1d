/*
 * EPSV and PASV (RFC 959, RFC 2428): a listener on the control connection's own address, at a port
 * of the settings' range that is hard to guess.
 */
#include "services/ftpd/data_internal.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/num.h"
#include "base/timefmt.h"

#include <arpa/inet.h>
#include <errno.h>

enum { BACKLOG = 4 };

/* Two that are bound with SO_REUSEADDR meet only in listen(): that one is in use, too. Without it
 * every port would be lost for a minute after a transfer (TIME_WAIT). */
static int listen_at(const struct data_address *at, int *ret_fd)
{
	static const int one = 1, zero = 0;
	_cleanup_(cleanup_close) int fd =
		socket(at->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0)
		return -errno;
	if (at->any.sa_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
	if (bind(fd, &at->any, at->len) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	*ret_fd = take_fd(&fd);
	return 0;
}

/* From a random port of the range on, round. */
static int listen_in_range(const struct service_settings *s, struct data_address *at, int *ret_fd)
{
	uint32_t first = s->ftp_passive_first, start;
	uint32_t count = (uint32_t)s->ftp_passive_last - first + 1;
	int r = hash_random(&start, sizeof(start));

	if (r < 0)
		return r;
	if (first == 0 || first > s->ftp_passive_last) {
		first = 0;
		count = 1;
	}
	r = -EADDRINUSE;
	for (uint32_t i = 0; i < count && (r == -EADDRINUSE || r == -EACCES); i++) {
		data_address_set_port(at, (uint16_t)(first + (start % count + i) % count));
		r = listen_at(at, ret_fd);
	}
	return r == -EACCES ? -EADDRINUSE : r;
}

int data_listen(struct ftpd *f, struct data_address *ret)
{
	struct data *d = f->data;
	struct data_address at = {0};
	int r = 0;

	data_reset(d, false);
#ifdef QUINTET_TEST
	if (data_hook.open != NULL) {
		at.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(1)};
		d->listening_ms = time_monotonic_ms();
		*ret = at;
		return 0;
	}
#endif
	r = data_address_local(conn_fd(f->control), &at);
	if (r == 0)
		r = listen_in_range(&f->service->settings, &at, &d->listener_fd);
	/* Which port the kernel chose is asked of the listener itself. */
	if (r == 0)
		r = data_address_local(d->listener_fd, &at);
	if (r < 0) {
		cleanup_close(&d->listener_fd);
		return r;
	}
	d->listening_ms = time_monotonic_ms();
	*ret = at;
	return 0;
}

/* The reply when there is no listener. */
static int refuse(struct ftpd *f, int error)
{
	if (error == -EAFNOSUPPORT)
		return ftpd_reply(f, 425, "This connection has no network address.");
	log_event(LOG_LEVEL_ERR,
		error == -EADDRINUSE ? "no port of QUINTET_FTP_PASSIVE is free"
				     : "a data port cannot be opened",
		log_fields({"ERROR", span_str(err_text(error))}));
	return ftpd_reply(f, 425, "No port is free for a data connection, try again later.");
}

/* What EPSV's number, if any, has to be. 0: no IP address at all. */
static unsigned own_family(const struct ftpd *f)
{
	struct data_address local;
	struct span host;

#ifdef QUINTET_TEST
	if (data_hook.open != NULL)
		return DATA_IPV4;
#endif
	if (data_address_local(conn_fd(f->control), &local) < 0)
		return 0;
	return data_address_host(&local, &host);
}

static int epsv_all(struct ftpd *f)
{
	f->data->only_extended = true;
	return ftpd_reply(f, 200, "From now on only EPSV.");
}

int ftpd_cmd_epsv(struct ftpd_call *c)
{
	struct ftpd *f = c->f;
	struct span word = span_trim(c->argument);
	unsigned own = own_family(f);
	struct data_address at;
	uint64_t family = own;
	int r;

	if (span_caseeq_str(word, "ALL"))
		return epsv_all(f);
	if (word.len > 0 && num_parse_u64(word, 0, UINT32_MAX, &family) < 0)
		return ftpd_reply(f, 501, "EPSV takes nothing, 1 (IPv4), 2 (IPv6) or ALL.");
	if (own != 0 && family != own)
		return ftpd_reply(f, 522, "Network protocol not supported, use (%u)", own);
	r = data_listen(f, &at);
	if (r < 0)
		return refuse(f, r);
	return ftpd_reply(
		f, 229, "Entering extended passive mode (|||%u|)", data_address_port(&at));
}

/* The address that PASV tells: the setting, where the house is known by another one outside. */
static int told_address(const struct ftpd *f, const struct data_address *at,
	unsigned char ret[sizeof(struct in_addr)])
{
	const char *setting = f->service->settings.ftp_address;
	struct span host;

	if (setting[0] != '\0')
		return inet_pton(AF_INET, setting, ret) == 1 ? 0 : -EINVAL;
	if (data_address_host(at, &host) != DATA_IPV4)
		return -EINVAL;
	memcpy(ret, host.p, sizeof(struct in_addr));
	return 0;
}

int ftpd_cmd_pasv(struct ftpd_call *c)
{
	struct ftpd *f = c->f;
	unsigned char host[sizeof(struct in_addr)];
	struct data_address at;
	unsigned port;
	int r;

	if (f->data->only_extended)
		return ftpd_reply(f, 501, "EPSV ALL was said: only EPSV.");
	if (own_family(f) == DATA_IPV6)
		return ftpd_reply(f, 522, "PASV is for IPv4 only, use EPSV.");
	r = data_listen(f, &at);
	if (r == 0)
		r = told_address(f, &at, host);
	if (r < 0) {
		data_reset(f->data, false);
		return refuse(f, r);
	}
	port = data_address_port(&at);
	return ftpd_reply(f, 227, "Entering passive mode (%u,%u,%u,%u,%u,%u)", host[0], host[1],
		host[2], host[3], port >> 8, port & 0xff);
}

/*
 * EPRT and PORT (RFC 959, RFC 2428): off unless the policy ftp_active says yes, and then only to
 * the control connection's own peer and above the well-known ports (RFC 2577: no bounces).
 */
#include "services/ftpd/data_internal.h"

#include "store/policy.h"

#include <errno.h>

enum { PORT_MIN = 1024 };

void data_aim(struct data *d, const struct data_address *to)
{
	data_reset(d, false);
	d->to = *to;
	d->active = true;
}

static bool is_allowed(const struct ftpd *f)
{
	char value[POLICY_VALUE_SIZE];

	return policy_text(f->service->store, "ftp_active", value) == 0 &&
		strcmp(value, "yes") == 0;
}

/* What both commands are refused for before their argument is looked at. 0: nothing; else the code
 * of the reply, and its text. */
static unsigned refusal(const struct ftpd *f, const char **ret_text)
{
	if (f->data->only_extended) {
		*ret_text = "EPSV ALL was said: only EPSV.";
		return 501;
	}
	if (!is_allowed(f)) {
		*ret_text = "Active mode is off here, use EPSV or PASV.";
		return 502;
	}
	return 0;
}

/* The given address is only compared: where to go is the control connection's peer itself. */
static int aim(struct ftpd *f, const struct ftp_address *given)
{
	struct span wanted = span_of(given->host, given->family == DATA_IPV4 ? 4 : 16);
	struct data_address peer;
	struct span host;

	if (data_address_peer(conn_fd(f->control), &peer) < 0)
		return ftpd_reply(f, 425, "This connection has no network address.");
	if (data_address_host(&peer, &host) != given->family || !span_eq(host, wanted))
		return ftpd_reply(f, 504, "Data connections go to your own address only.");
	if (given->port < PORT_MIN)
		return ftpd_reply(f, 504, "Data connections go to ports above 1023 only.");
	data_address_set_port(&peer, given->port);
	data_aim(f->data, &peer);
	return ftpd_reply(f, 200, "The data connection will go there.");
}

int ftpd_cmd_eprt(struct ftpd_call *c)
{
	struct ftp_address given;
	const char *text;
	unsigned code = refusal(c->f, &text);
	int r;

	if (code != 0)
		return ftpd_reply(c->f, code, "%s", text);
	r = ftp_eprt_parse(c->argument, &given);
	if (r == -EAFNOSUPPORT)
		return ftpd_reply(c->f, 522, "Network protocol not supported, use (1,2)");
	if (r < 0)
		return ftpd_reply(c->f, 501, "EPRT takes |1|ADDRESS|PORT| or |2|ADDRESS|PORT|.");
	return aim(c->f, &given);
}

int ftpd_cmd_port(struct ftpd_call *c)
{
	struct ftp_address given;
	const char *text;
	unsigned code = refusal(c->f, &text);

	if (code != 0)
		return ftpd_reply(c->f, code, "%s", text);
	if (ftp_port_parse(c->argument, &given) < 0)
		return ftpd_reply(c->f, 501, "PORT takes six numbers, h1,h2,h3,h4,p1,p2.");
	return aim(c->f, &given);
}

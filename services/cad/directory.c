/* GET /.well-known/quintet: where everything is, so that a person types one host name once. */
#include "services/cad/cad.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "proto/form.h"

#include <errno.h>

enum { DIRECTORY_SIZE = 4096 };

static int take_root(void *arg, const struct ca *ca)
{
	if (ca->id != 0)
		return 0;
	return hash_sha256(ca->der, arg) < 0 ? -EIO : 1;
}

static void add_door(struct directory *d, const char *name, const char *protocol, uint16_t port)
{
	struct directory_door *door = &d->doors[d->door_count++];

	(void)snprintf(door->name, sizeof(door->name), "%s", name);
	(void)snprintf(door->protocol, sizeof(door->protocol), "%s", protocol);
	door->port = port;
}

static void fill(const struct service_settings *settings, struct directory *ret)
{
	memcpy(ret->domain, settings->domain, sizeof(ret->domain));
	memcpy(ret->host, settings->host, sizeof(ret->host));
	add_door(ret, "daytime", "daytimes", settings->port_daytime);
	add_door(ret, "time-stamp", "https", settings->port_timestamp);
	add_door(ret, "ftps", "ftps", settings->port_ftps);
	add_door(ret, "ftp", "ftp", settings->port_ftp);
	add_door(ret, "ircs", "ircs", settings->port_irc);
	add_door(ret, "imaps", "imaps", settings->port_imaps);
	add_door(ret, "submissions", "submissions", settings->port_submissions);
	add_door(ret, "ca", "https", settings->port_ca);
	add_door(ret, "ca-plain", "http", settings->port_ca_plain);
}

int cad_directory(struct cad_exchange *x)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(DIRECTORY_SIZE);
	struct directory d = {0};
	int r = service_need_store(x->cad->s);

	if (r == 0)
		r = ca_each(x->cad->s->store, take_root, d.root_sha256);
	if (r == 0)
		r = -ENOENT;
	if (r < 0)
		return cad_unavailable(x, r);
	fill(&x->cad->s->settings, &d);
	r = directory_write(&text, &d);
	return r < 0 ? cad_unavailable(x, r)
		     : cad_reply(x, "text/plain; charset=utf-8", buf_span(&text));
}

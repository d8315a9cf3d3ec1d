/* What a process needs to know before it can open the store: QUINTET_* in the environment (DESIGN
 * section 11). */
#include "base/num.h"
#include "base/text.h"
#include "service/service.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

enum { PASSIVE_MIN = 1024 };

enum kind { KIND_HOST, KIND_PATH, KIND_URL, KIND_PORT, KIND_USER, KIND_PORTS, KIND_ADDRESS };

struct variable {
	const char *name;
	size_t offset, size;
	const char *standard; /* NULL: made from others below */
	enum kind kind;
	uint16_t standard_port;
};

#define TEXT(field) \
	offsetof(struct service_settings, field), sizeof(((struct service_settings *)0)->field)
#define PORT(field) offsetof(struct service_settings, field), sizeof(uint16_t)
#define PORTS(first) offsetof(struct service_settings, first), 2 * sizeof(uint16_t)

_Static_assert(offsetof(struct service_settings, ftp_passive_last) ==
		offsetof(struct service_settings, ftp_passive_first) + sizeof(uint16_t),
	"a range is two ports side by side");

static const struct variable variables[] = {
	{"QUINTET_DOMAIN", TEXT(domain), "localhost", KIND_HOST, 0},
	{"QUINTET_HOST", TEXT(host), NULL, KIND_HOST, 0},
	{"QUINTET_STATE", TEXT(state), "/var/lib/quintet", KIND_PATH, 0},
	{"QUINTET_RUNTIME", TEXT(runtime), "/run/quintet", KIND_PATH, 0},
	{"QUINTET_CONF", TEXT(conf), "/etc/quintet", KIND_PATH, 0},
	{"QUINTET_CREDENTIALS", TEXT(credentials), NULL, KIND_PATH, 0},
	{"QUINTET_PLAIN_URL", TEXT(plain_url), NULL, KIND_URL, 0},
	{"QUINTET_PORT_DAYTIME", PORT(port_daytime), NULL, KIND_PORT, 13},
	{"QUINTET_PORT_TIMESTAMP", PORT(port_timestamp), NULL, KIND_PORT, 318},
	{"QUINTET_PORT_CA", PORT(port_ca), NULL, KIND_PORT, 8443},
	{"QUINTET_PORT_CA_PLAIN", PORT(port_ca_plain), NULL, KIND_PORT, 8080},
	{"QUINTET_PORT_FTPS", PORT(port_ftps), NULL, KIND_PORT, 990},
	{"QUINTET_PORT_FTP", PORT(port_ftp), NULL, KIND_PORT, 21},
	{"QUINTET_PORT_IRC", PORT(port_irc), NULL, KIND_PORT, 6697},
	{"QUINTET_PORT_IMAPS", PORT(port_imaps), NULL, KIND_PORT, 993},
	{"QUINTET_PORT_SUBMISSIONS", PORT(port_submissions), NULL, KIND_PORT, 465},
	{"QUINTET_FTP_PASSIVE", PORTS(ftp_passive_first), "49152-65534", KIND_PORTS, 0},
	{"QUINTET_FTP_ADDRESS", TEXT(ftp_address), "", KIND_ADDRESS, 0},
	{"QUINTET_KEEPER", TEXT(keeper), NULL, KIND_PATH, 0},
	{"QUINTET_ADMIN_USER", TEXT(admin_user), "quintet-admin", KIND_USER, 0},
};

static bool is_lower_or_digit(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Lower-case labels of letters, digits and inner hyphens, or an IPv4 address. */
static bool is_host(struct span s)
{
	struct span label;

	if (s.len == 0 || s.len > 253 || s.p[s.len - 1] == '.')
		return false;
	while (span_split(&s, '.', &label)) {
		if (label.len == 0 || label.len > 63 || !is_lower_or_digit(label.p[0]) ||
			!is_lower_or_digit(label.p[label.len - 1]))
			return false;
		for (size_t i = 0; i < label.len; i++)
			if (!is_lower_or_digit(label.p[i]) && label.p[i] != '-')
				return false;
	}
	return true;
}

/* An http URL without a slash at its end, to which paths are appended. */
static bool is_url(struct span s)
{
	return span_starts(s, "http://") && s.len > 7 && text_is_print(s) &&
		memchr(s.p, ' ', s.len) == NULL && s.p[s.len - 1] != '/';
}

static bool is_user(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_lower_or_digit(s.p[i]) && s.p[i] != '-' && s.p[i] != '_')
			return false;
	return true;
}

/* A dotted IPv4 address that a client could connect to, or none. */
static bool is_address(const char *text)
{
	struct in_addr address;
	uint32_t host;

	if (*text == '\0')
		return true;
	if (inet_pton(AF_INET, text, &address) != 1)
		return false;
	host = ntohl(address.s_addr);
	return host >> 24 != 0 && !IN_MULTICAST(host) && !IN_BADCLASS(host);
}

static bool is_acceptable(enum kind kind, struct span value)
{
	switch (kind) {
	case KIND_HOST:
		return is_host(value);
	case KIND_PATH:
		return value.len > 0 && text_is_clean(value);
	case KIND_URL:
		return is_url(value);
	case KIND_USER:
		return is_user(value);
	case KIND_ADDRESS:
		return is_address((const char *)value.p);
	case KIND_PORT:
	case KIND_PORTS:
		break;
	}
	return false;
}

static int read_port(const struct variable *v, const char *value, struct service_settings *ret)
{
	uint64_t port = v->standard_port;
	int r = 0;

	if (value != NULL)
		r = num_parse_u64(span_str(value), 1, UINT16_MAX, &port);
	if (r < 0)
		return -EINVAL;
	*(uint16_t *)(void *)((char *)ret + v->offset) = (uint16_t)port;
	return 0;
}

/* "FIRST-LAST", none of them privileged. */
static int read_ports(const struct variable *v, const char *value, struct service_settings *ret)
{
	struct span rest = span_str(value != NULL ? value : v->standard), head;
	uint64_t first, last;
	uint16_t *ports = (uint16_t *)(void *)((char *)ret + v->offset);

	if (!span_split(&rest, '-', &head) ||
		num_parse_u64(head, PASSIVE_MIN, UINT16_MAX, &first) < 0 ||
		num_parse_u64(rest, first, UINT16_MAX, &last) < 0)
		return -EINVAL;
	ports[0] = (uint16_t)first;
	ports[1] = (uint16_t)last;
	return 0;
}

static int read_variable(const struct variable *v, struct service_settings *ret)
{
	const char *value = getenv(v->name);

	if (v->kind == KIND_PORT)
		return read_port(v, value, ret);
	if (v->kind == KIND_PORTS)
		return read_ports(v, value, ret);
	if (value == NULL)
		value = v->standard;
	if (value == NULL)
		return 0;
	if (!is_acceptable(v->kind, span_str(value)))
		return -EINVAL;
	return span_copy_str(span_str(value), (char *)ret + v->offset, v->size) < 0 ? -EINVAL : 0;
}

/* What snprintf() returned for a field of that size. */
static int fits(int len, size_t size)
{
	return len < 0 || (size_t)len >= size ? -ENOBUFS : 0;
}

static int derive_keeper(struct service_settings *s)
{
	if (strcmp(s->keeper, "none") == 0)
		s->keeper[0] = '\0';
	else if (s->keeper[0] == '\0')
		return fits(snprintf(s->keeper, sizeof(s->keeper), "%s/keeper.sock", s->runtime),
			sizeof(s->keeper));
	return 0;
}

/* The defaults that are made from other settings. */
static int derive(const char *name, struct service_settings *s)
{
	const char *given = getenv("CREDENTIALS_DIRECTORY");
	char port[8] = "";
	int r = derive_keeper(s);

	if (r == 0 && s->host[0] == '\0')
		r = span_copy_str(span_str(s->domain), s->host, sizeof(s->host));
	if (r == 0 && s->port_ca_plain != 80)
		(void)snprintf(port, sizeof(port), ":%u", (unsigned)s->port_ca_plain);
	if (r == 0 && s->plain_url[0] == '\0')
		r = fits(snprintf(s->plain_url, sizeof(s->plain_url), "http://%s%s", s->host, port),
			sizeof(s->plain_url));
	if (r == 0 && given != NULL)
		r = span_copy_str(span_str(given), s->credentials, sizeof(s->credentials));
	else if (r == 0 && s->credentials[0] == '\0')
		r = fits(snprintf(s->credentials, sizeof(s->credentials), "%s/credentials/%s",
				 s->conf, name),
			sizeof(s->credentials));
	return r;
}

int service_settings_read(const char *name, struct service_settings *ret)
{
	struct service_settings s = {0};
	int r;

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		const struct variable *v = &variables[i];

		r = read_variable(v, &s);
		if (r < 0) {
			log_event(LOG_LEVEL_ERR, "a setting is not acceptable",
				log_fields({"SETTING", span_str(v->name)},
					{"VALUE", span_str(getenv(v->name))}));
			return r;
		}
	}
	r = derive(name, &s);
	if (r < 0) {
		log_msg(LOG_LEVEL_ERR, "the settings are too long");
		return -EINVAL;
	}
	*ret = s;
	return 0;
}

/* Account names, and those that nobody may sign up under. */
#include "auth/name.h"

#include <errno.h>

enum { NAME_MAX_LEN = ACCOUNT_NAME_SIZE - 1 };

static bool is_letter(unsigned char c)
{
	return c >= 'a' && c <= 'z';
}

int name_fold(struct span s, char ret[ACCOUNT_NAME_SIZE])
{
	char name[ACCOUNT_NAME_SIZE] = "";

	if (s.len == 0 || s.len > NAME_MAX_LEN)
		return -EINVAL;
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = s.p[i];

		if (c >= 'A' && c <= 'Z')
			c = (unsigned char)(c | 0x20);
		if (!is_letter(c) && (i == 0 || !((c >= '0' && c <= '9') || c == '_' || c == '-')))
			return -EINVAL;
		name[i] = (char)c;
	}
	memcpy(ret, name, sizeof(name));
	return 0;
}

/*
 * Addresses that RFC 2142 and habit give to whoever runs a domain, users of the system and of these
 * services, words that look like an authority or like everybody, and host labels in common use: a
 * certificate whose CN is a host's label must never be a user's.
 */
static const char *const reserved[] = {
	"abuse",
	"admin",
	"administrator",
	"administrators",
	"admins",
	"all",
	"anonymous",
	"anybody",
	"anyone",
	"apache",
	"api",
	"auth",
	"authority",
	"autoconfig",
	"autodiscover",
	"backup",
	"bin",
	"billing",
	"bot",
	"broadcasthost",
	"ca",
	"cad",
	"cad-signer",
	"cert",
	"certificate",
	"certificates",
	"certmaster",
	"channels",
	"chanserv",
	"chat",
	"chatd",
	"chatserv",
	"cmp",
	"contact",
	"crl",
	"daemon",
	"daytime",
	"daytimed",
	"dns",
	"everybody",
	"everyone",
	"ftp",
	"ftpd",
	"ftps",
	"games",
	"gnats",
	"group",
	"guest",
	"help",
	"helpdesk",
	"host",
	"hostmaster",
	"http",
	"https",
	"imap",
	"imaps",
	"info",
	"invite",
	"ip6-localhost",
	"ip6-loopback",
	"irc",
	"irc-server",
	"ircd",
	"keeper",
	"list",
	"lists",
	"localdomain",
	"localhost",
	"lp",
	"mail",
	"mail-daemon",
	"maild",
	"mailer",
	"mailer-daemon",
	"man",
	"marketing",
	"master",
	"me",
	"memoserv",
	"messagebus",
	"mx",
	"myself",
	"mysql",
	"news",
	"nickserv",
	"no-reply",
	"nobody",
	"nogroup",
	"noc",
	"none",
	"noreply",
	"ns",
	"ns1",
	"ns2",
	"ntp",
	"null",
	"ocsp",
	"office",
	"oper",
	"operator",
	"operators",
	"operserv",
	"owner",
	"pki",
	"pop",
	"pop3",
	"postgres",
	"postmaster",
	"proxy",
	"public",
	"register",
	"root",
	"sales",
	"security",
	"self",
	"server",
	"service",
	"services",
	"shared",
	"shutdown",
	"signer",
	"smtp",
	"smtps",
	"ssh",
	"sshd",
	"ssl",
	"ssladmin",
	"ssladministrator",
	"sslwebmaster",
	"staff",
	"status",
	"submission",
	"sudo",
	"support",
	"sync",
	"sys",
	"sysadmin",
	"system",
	"systemd",
	"test",
	"time",
	"timestamp",
	"tls",
	"trouble",
	"tsa",
	"undefined",
	"unknown",
	"user",
	"users",
	"usenet",
	"uucp",
	"webadmin",
	"webmaster",
	"wheel",
	"whois",
	"wpad",
	"www",
	"www-data",
	"xinetd",
	"you",
};

static bool is_label_of(const char *name, const char *domain)
{
	struct span rest = span_str(domain), first;

	if (span_caseeq_str(rest, name))
		return true;
	return span_split(&rest, '.', &first) && span_caseeq_str(first, name);
}

bool name_is_reserved(const char *name, const char *domain)
{
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (strcmp(reserved[i], name) == 0)
			return true;
	/* Ours: system users, service accounts. */
	if (span_starts(span_str(name), "quintet") || span_starts(span_str(name), "systemd-"))
		return true;
	return domain != NULL && is_label_of(name, domain);
}

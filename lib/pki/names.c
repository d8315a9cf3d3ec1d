/* Names inside certificates: e-mail addresses, DNS names, IP addresses. */
#include "base/text.h"
#include "pki/ossl.h"

#include <arpa/inet.h>
#include <errno.h>

static bool is_label_char(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		c == '-';
}

static bool is_label(struct span s)
{
	if (s.len == 0 || s.len > 63 || s.p[0] == '-' || s.p[s.len - 1] == '-')
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!is_label_char(s.p[i]))
			return false;
	return true;
}

bool pki_is_dns_name(struct span s)
{
	struct span rest = s, label;

	if (s.len == 0 || s.len > 253 || s.p[s.len - 1] == '.')
		return false;
	while (span_split(&rest, '.', &label))
		if (!is_label(label))
			return false;
	return true;
}

bool pki_is_email(struct span s)
{
	struct span local, domain = s;

	if (s.len > PKI_NAME_MAX || !text_is_print(s) || !span_split(&domain, '@', &local) ||
		local.len == 0 || local.len > 64 || !pki_is_dns_name(domain))
		return false;
	for (size_t i = 0; i < local.len; i++)
		if (!is_label_char(local.p[i]) && strchr("._+=", local.p[i]) == NULL)
			return false;
	return true;
}

static int copy_ascii(const ASN1_STRING *s, char *ret, size_t size)
{
	struct span text = span_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));

	if (text.len == 0 || !text_is_print(text))
		return -EBADMSG;
	return span_copy_str(text, ret, size) < 0 ? -EBADMSG : 0;
}

static int copy_ip(const ASN1_STRING *s, char *ret, size_t size)
{
	int len = ASN1_STRING_length(s);

	if ((len != 4 && len != 16) ||
		inet_ntop(len == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(s), ret,
			(socklen_t)size) == NULL)
		return -EBADMSG;
	return 0;
}

static int read_name(const GENERAL_NAME *name, struct pki_names *ret)
{
	int type;
	const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
	int (*copy)(const ASN1_STRING *s, char *text, size_t size) = copy_ascii;
	char email[PKI_NAME_MAX + 1];

	switch (type) {
	case GEN_EMAIL:
		if (ret->email_count++ > 0)
			return copy_ascii(value, email, sizeof(email));
		return copy_ascii(value, ret->email, sizeof(ret->email));
	case GEN_IPADD:
		copy = copy_ip;
		__attribute__((fallthrough));
	case GEN_DNS:
		if (ret->host_count == PKI_MAX_HOSTS)
			return -EBADMSG;
		return copy(value, ret->hosts[ret->host_count++], sizeof(ret->hosts[0]));
	default:
		ret->other_count++;
		return 0;
	}
}

int pki_names_read(const GENERAL_NAMES *names, struct pki_names *ret)
{
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		int r = read_name(sk_GENERAL_NAME_value(names, i), ret);

		if (r < 0)
			return r;
	}
	return 0;
}

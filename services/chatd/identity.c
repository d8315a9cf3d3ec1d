/* Who the session is: the key of its certificate, its device, its host as others see it. */
#include "services/chatd/chatd.h"

#include "base/hash.h"
#include "base/text.h"
#include "pki/cert.h"

#include <stdio.h>

enum { GUEST_HEX = 4, DEVICE_HEX = 8 }; /* bytes shown in hexadecimal */

void chatd_read_key(struct chatd *c)
{
	const struct tls_info *tls = conn_tls(c->conn);
	struct pki_cert_info info;

	if (c->certificate.proof != AUTH_CERTIFICATE || tls == NULL ||
		pki_cert_read(tls->peer_der, &info) < 0)
		return;
	memcpy(c->spki_sha256, info.spki_sha256, sizeof(c->spki_sha256));
}

static void add_hex(char *ret, size_t size, const char *prefix, struct span bytes)
{
	struct buf hex = BUF_INIT(size);

	text_hex(&hex, bytes);
	(void)snprintf(ret, size, "%s%s", prefix, buf_str(&hex));
	buf_done(&hex);
}

bool chatd_device_ok(struct span device)
{
	for (size_t i = 0; i < device.len; i++) {
		unsigned char b = device.p[i];

		if (!((b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9') ||
			    b == '-' || b == '_' || b == '.'))
			return false;
	}
	return device.len < CHAT_DEVICE_SIZE;
}

/* A password names its device by itself; else the key of the account's certificate is one. */
int chatd_identify(struct chatd *c, const struct auth_identity *who, struct span device)
{
	c->has_key = c->certificate.proof == AUTH_CERTIFICATE && who->proof != AUTH_NONE &&
		strcmp(c->certificate.account.name, who->account.name) == 0;
	c->device[0] = '\0';
	if (device.len > 0 && chatd_device_ok(device))
		(void)span_copy_str(device, c->device, sizeof(c->device));
	else if (c->has_key)
		add_hex(c->device, sizeof(c->device), "", span_of(c->spki_sha256, DEVICE_HEX));
	return service_logged_in(c->service, who);
}

/* "guest.HEX" tells sources apart without telling them. */
int chatd_host(const struct chatd *c, const char *account, char ret[CHAT_HOST_SIZE])
{
	unsigned char mac[HASH_SHA256_LEN];
	int r;

	if (account[0] != '\0') {
		(void)snprintf(ret, CHAT_HOST_SIZE, "user.%s", account);
		return 0;
	}
	r = hash_hmac_sha256(span_of(c->guest_key, sizeof(c->guest_key)),
		net_peer_bucket(&c->service->peer), mac);
	if (r == 0)
		add_hex(ret, CHAT_HOST_SIZE, "guest.", span_of(mac, GUEST_HEX));
	return r;
}

/* What only the administrator may ask for: certificates of hosts, and one-time CMP secrets. */
#include "services/cad/signer/sign.h"

#include "auth/name.h"
#include "base/cleanup.h"
#include "services/cad/signer/cmp_judge.h"

#include <errno.h>

struct host_names {
	char text[PKI_MAX_HOSTS][PKI_NAME_MAX + 1];
	const char *list[PKI_MAX_HOSTS];
	size_t count;
};

static int split_hosts(struct span rest, struct host_names *ret)
{
	struct span word;

	ret->count = 0;
	while (span_split(&rest, ' ', &word)) {
		if (word.len == 0)
			continue;
		if (ret->count == PKI_MAX_HOSTS)
			return -E2BIG;
		if (span_copy_str(word, ret->text[ret->count], PKI_NAME_MAX + 1) < 0)
			return -EINVAL;
		ret->list[ret->count] = ret->text[ret->count];
		ret->count++;
	}
	return ret->count > 0 ? 0 : -EINVAL;
}

/* The account of the host's first label where it is a host's, else the common one. */
static void choose_account(struct sign *g, const char *host, char ret[ACCOUNT_NAME_SIZE])
{
	struct account account;
	char label[ACCOUNT_NAME_SIZE];

	(void)snprintf(ret, ACCOUNT_NAME_SIZE, "quintet");
	if (name_fold(span_of(host, strcspn(host, ".")), label) == 0 &&
		account_get(g->s->store, label, &account) == 0 &&
		(account.flags & ACCOUNT_HOST) != 0)
		memcpy(ret, label, sizeof(label));
	explicit_bzero(&account, sizeof(account));
}

int sign_host(struct sign *g, const struct signer_request *r, struct sign_reply *reply)
{
	_cleanup_(buf_done) struct buf spki = BUF_INIT(PKI_CSR_MAX);
	struct pki_csr_info csr;
	struct host_names hosts;
	char account[ACCOUNT_NAME_SIZE];
	const char *reason = "the request is malformed";
	struct sign_order order = {.peer = g->s->peer.text, .proof = "admin", .account = account};

	if (r->profile != PKI_HOST && r->profile != PKI_TSA)
		return sign_refuse(reply, EINVAL, "no such profile for a host");
	if (split_hosts(r->hosts, &hosts) < 0)
		return sign_refuse(reply, EINVAL, "the host names are malformed or too many");
	if (r->csr.len > PKI_CSR_MAX || pki_csr_read(r->csr, &csr, &spki, &reason) < 0)
		return sign_refuse(reply, EKEYREJECTED, reason);
	choose_account(g, hosts.list[0], account);
	order.profile = (enum pki_profile)r->profile;
	order.cn = hosts.list[0];
	order.hosts = hosts.list;
	order.host_count = hosts.count;
	order.spki = buf_span(&spki);
	return sign_issue(g, &order, reply);
}

int sign_cmp_secret(struct sign *g, const struct signer_request *r, struct sign_reply *reply)
{
	char secret[SIGN_CMP_PASSWORD_SIZE];
	int error;

	if (r->name[0] == '\0' || strlen(r->name) > CMP_REFERENCE_MAX)
		return sign_refuse(reply, EINVAL, "the reference is malformed");
	error = sign_cmp_derive(&g->keys, r->name, secret);
	if (error == 0)
		buf_add_str(&reply->payload, secret);
	explicit_bzero(secret, sizeof(secret));
	return error;
}

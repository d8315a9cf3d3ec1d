/* Calls as the talk sees them. */
#include "client/peer/peer_i.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "base/timefmt.h"
#include "client/peer/commands.h"

#include <errno.h>
#include <fcntl.h>

/* -- what the parts share ---------------------------------------------------------------------- */

static int contexts_make(struct peers *p, const struct profile *profile)
{
	static const char *const alpn[] = {WIRE_ALPN, NULL};
	const struct tls_server_config server = {.key_pem = buf_span(&profile->key_pem),
		.cert_pem = buf_span(&profile->cert_pem),
		.alpn = alpn,
		.peers = true};
	const struct tls_client_config client = {.peers = true,
		.key_pem = server.key_pem,
		.cert_pem = server.cert_pem,
		.alpn = WIRE_ALPN};
	int r = tls_server_new(&server, &p->server);

	if (r == 0)
		r = tls_client_new(&client, &p->client);
	if (r < 0)
		tls_server_freep(&p->server);
	return r;
}

bool peers_ready(struct peers *p)
{
	const struct profile *profile = talk_profile(p->talk);

	if (p->client != NULL)
		return true;
	if (profile->cert_pem.len == 0) {
		talk_note(p->talk, NULL,
			"calls need this device's certificate: try \"quintet enroll\" first");
		return false;
	}
	if (contexts_make(p, profile) == 0)
		return true;
	talk_note(p->talk, NULL, "no calls: this device's certificate cannot be used: %s",
		tls_error_text());
	return false;
}

int peers_send(struct peers *p, const char *nick, const struct dcc *d, bool notice)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(IRC_BODY_MAX);

	dcc_write(&text, d);
	if (buf_error(&text) < 0)
		return buf_error(&text);
	return talk_line(p->talk, "%s %s :%s", notice ? "NOTICE" : "PRIVMSG", nick, buf_str(&text));
}

static void step_timer(void *arg, short revents)
{
	(void)revents;
	ask_tick(arg, time_monotonic_ms());
	peers_arm(arg);
}

void peers_arm(struct peers *p)
{
	p->timer.until_ms = ask_next_ms(p);
}

/* -- the talk's table -------------------------------------------------------------------------- */

static int begin(struct talk *t, void **ret)
{
	struct peers *p = calloc(1, sizeof *p);
	int r;

	if (p == NULL)
		return -ENOMEM;
	p->talk = t;
	p->downloads_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	p->timer =
		(struct talk_source){.fd = -1, .until_ms = INT64_MAX, .step = step_timer, .arg = p};
	r = talk_source_add(t, &p->timer);
	if (r < 0) {
		cleanup_close(&p->downloads_fd);
		free(p);
		return r;
	}
	*ret = p;
	return 0;
}

static void end(void *calls)
{
	struct peers *p = calls;

	while (p->offers != NULL)
		offer_end(p->offers, TOKEN_DECLINED);
	while (p->calls != NULL) {
		call_part(p->calls);
		call_free(p->calls);
	}
	attempts_end(&p->attempts);
	talk_source_remove(p->talk, &p->timer);
	tls_server_freep(&p->server);
	tls_client_freep(&p->client);
	cleanup_close(&p->downloads_fd);
	free(p);
}

static void request(void *calls, const struct talk_request *r)
{
	struct peers *p = calls;
	_cleanup_(buf_done) struct buf nick = BUF_INIT(1024);
	struct dcc d;
	int e = dcc_parse(r->rest, &d);

	text_escape(&nick, r->nick);
	if (e < 0)
		talk_note(p->talk, NULL, "%s asks for a direct connection %s; it is refused",
			buf_str(&nick),
			e == -ENOMSG ? "without protection (DCC)" : "in words that make no sense");
	else if (d.kind == DCC_REJECT)
		ask_reject(p, r, &d);
	else if (d.port == 0)
		ask_request(p, r, &d);
	else
		ask_answer(p, r, &d);
}

static bool undelivered(void *calls, struct span nick, struct span reason)
{
	return ask_undelivered(calls, nick, reason);
}

static bool command(void *calls, const char *window, const char *name, const char *words)
{
	return peer_command(calls, window, name, words);
}

static void say(void *calls, const char *window, struct span text)
{
	struct peers *p = calls;
	struct call *c = call_find(p, window);

	if (c != NULL)
		call_say(c, text);
	else
		talk_note(p->talk, window, "the call is over");
}

const struct talk_calls peer_calls = {.begin = begin,
	.end = end,
	.request = request,
	.undelivered = undelivered,
	.command = command,
	.say = say};

int peer_downloads(void *calls, const char *folder)
{
	struct peers *p = calls;
	_cleanup_(cleanup_close) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || faccessat(fd, ".", W_OK | X_OK, 0) < 0)
		return -errno;
	cleanup_close(&p->downloads_fd);
	p->downloads_fd = take_fd(&fd);
	return 0;
}

bool peer_is_idle(const void *calls)
{
	const struct peers *p = calls;

	return p->offers == NULL && p->calls == NULL;
}

bool peer_has_call(const void *calls, const char *window)
{
	const struct call *c = call_find(calls, window);

	return c != NULL && !c->leaving;
}

bool peer_is_moving(const void *calls)
{
	const struct peers *p = calls;

	for (const struct call *c = p->calls; c != NULL; c = c->next)
		if (c->gives != NULL || take_under_way(c))
			return true;
	return false;
}

/* Files that are sent: offered, checked against what the other side has of them, sent in slices. */
#include "client/peer/peer_i.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum give_state {
	GIVE_OFFERED,
	GIVE_CHECKING, /* is what they have the beginning of this file? */
	GIVE_SENDING,
	GIVE_SENT, /* they have to say that they have stored it */
};

struct give {
	struct give *next;
	uint32_t id;
	enum give_state state;
	int fd;
	char name[DCC_NAME_SIZE];
	uint64_t size, at;
	uint64_t have; /* theirs */
	unsigned char have_digest[HASH_SHA256_LEN];
	struct hash *hash; /* of all that is sent, and of what they have */
	struct hash *have_hash; /* of what they have */
	struct progress progress;
	bool whole; /* they have it */
};

int give_open(const char *path, int *ret_fd, uint64_t *ret_size)
{
	_cleanup_(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	*ret_size = (uint64_t)st.st_size;
	*ret_fd = take_fd(&fd);
	return 0;
}

void give_name(const char *path, char ret[DCC_NAME_SIZE])
{
	const char *slash = strrchr(path, '/');
	struct span name = span_str(slash != NULL ? slash + 1 : path);
	size_t n = 0;

	if (!text_is_clean(name) || !wire_name_ok(name)) {
		snprintf(ret, DCC_NAME_SIZE, "file");
		return;
	}
	/* A quote would end the name in a request. */
	for (; n < name.len && n < DCC_NAME_SIZE - 1; n++)
		ret[n] = (char)(name.p[n] == '"' ? '\'' : name.p[n]);
	ret[n] = '\0';
}

static bool give_show(struct call *c, const struct give *g, bool over)
{
	return talk_file(c->peers->talk,
		&(struct talk_file){.id = g,
			.nick = c->nick,
			.name = g->name,
			.up = true,
			.at = g->at,
			.size = g->size,
			.over = over,
			.whole = g->whole});
}

static void give_free(struct call *c, struct give *g)
{
	struct give **at = &c->gives;

	if (g->state == GIVE_SENDING || g->state == GIVE_SENT)
		(void)give_show(c, g, true);
	while (*at != g)
		at = &(*at)->next;
	*at = g->next;
	cleanup_close(&g->fd);
	hash_free(g->hash);
	hash_free(g->have_hash);
	free(g);
}

void give_end(struct call *c)
{
	while (c->gives != NULL) {
		call_note(c, "%s was not sent to its end", c->gives->name);
		give_free(c, c->gives);
	}
}

static struct give *give_find(const struct call *c, uint32_t id)
{
	struct give *g = c->gives;

	while (g != NULL && g->id != id)
		g = g->next;
	return g;
}

static size_t give_count(const struct call *c)
{
	size_t n = 0;

	for (const struct give *g = c->gives; g != NULL; g = g->next)
		n++;
	return n;
}

/* To the end, so that all get their turn. */
static void give_last(struct call *c, struct give *g)
{
	struct give **at = &c->gives;

	while (*at != NULL) {
		if (*at == g)
			*at = g->next;
		else
			at = &(*at)->next;
	}
	g->next = NULL;
	*at = g;
}

int give_begin(struct call *c, int file_fd, const char *name)
{
	_cleanup_(cleanup_close) int fd = file_fd;
	struct wire w = {.kind = WIRE_OFFER, .text = span_str(name)};
	struct stat st;
	struct give *g;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (give_count(c) >= FILES_MAX)
		return -ENOSPC;
	g = calloc(1, sizeof *g);
	if (g == NULL)
		return -ENOMEM;
	g->id = ++c->give_ids;
	g->size = (uint64_t)st.st_size;
	g->fd = take_fd(&fd);
	snprintf(g->name, sizeof g->name, "%s", name);
	give_last(c, g);
	w.id = g->id;
	w.number = g->size;
	r = call_send(c, &w);
	if (r < 0)
		give_free(c, g);
	return r;
}

/* -- what they say ----------------------------------------------------------------------------- */

static int begin(struct call *c, struct give *g, uint64_t from)
{
	const struct wire w = {.kind = WIRE_BEGIN, .id = g->id, .number = from};

	g->state = GIVE_SENDING;
	g->at = from;
	return call_send(c, &w);
}

static int on_accept(struct call *c, struct give *g, const struct wire *w)
{
	int r;

	if (g->state != GIVE_OFFERED || w->number > g->size)
		return -EBADMSG;
	r = hash_new(&g->hash);
	if (r < 0)
		return r;
	if (w->number == 0)
		return begin(c, g, 0);
	r = hash_new(&g->have_hash);
	g->state = GIVE_CHECKING;
	g->have = w->number;
	memcpy(g->have_digest, w->digest, sizeof g->have_digest);
	call_wake(c);
	return r;
}

static int on_decline(struct call *c, struct give *g, const struct wire *w)
{
	(void)w;
	if (g->state != GIVE_OFFERED)
		return -EBADMSG;
	call_note(c, "%s declines %s", c->nick, g->name);
	give_free(c, g);
	return 0;
}

static int on_stored(struct call *c, struct give *g, const struct wire *w)
{
	(void)w;
	if (g->state != GIVE_SENT)
		return -EBADMSG;
	g->whole = true;
	call_note(c, "%s has %s, whole", c->nick, g->name);
	give_free(c, g);
	return 0;
}

static int on_stop(struct call *c, struct give *g, const struct wire *w)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(1024);

	text_escape(&text, span_of(w->text.p, w->text.len < 200 ? w->text.len : 200));
	call_note(c, "%s stops taking %s: %s", c->nick, g->name, buf_str(&text));
	give_free(c, g);
	return 0;
}

int give_handle(struct call *c, const struct wire *w)
{
	struct give *g = give_find(c, w->id);

	/* One that we have given up meanwhile. */
	if (g == NULL)
		return w->id <= c->give_ids ? 0 : -EBADMSG;
	switch (w->kind) {
	case WIRE_ACCEPT:
		return on_accept(c, g, w);
	case WIRE_DECLINE:
		return on_decline(c, g, w);
	case WIRE_STORED:
		return on_stored(c, g, w);
	default:
		return on_stop(c, g, w);
	}
}

/* -- work -------------------------------------------------------------------------------------- */

static void fail(struct call *c, struct give *g, int error)
{
	const char *why = error == -ENODATA ? "the file has become shorter" : err_text(error);
	const struct wire w = {.kind = WIRE_FAIL, .id = g->id, .text = span_str(why)};

	call_note(c, "%s cannot be sent on: %s", g->name, why);
	(void)call_send(c, &w);
	give_free(c, g);
}

/* What they have was looked at whole. */
static int checked(struct call *c, struct give *g)
{
	unsigned char digest[HASH_SHA256_LEN];
	int r = hash_final(g->have_hash, digest);

	if (r < 0)
		return r;
	if (memcmp(digest, g->have_digest, sizeof digest) == 0) {
		call_note(c, "%s: %s has the beginning already, it goes on from there", g->name,
			c->nick);
		return begin(c, g, g->have);
	}
	hash_freep(&g->hash);
	r = hash_new(&g->hash);
	return r < 0 ? r : begin(c, g, 0);
}

static int check_some(struct call *c, struct give *g)
{
	int r = piece_hash(g->fd, &g->at, g->have, g->hash, g->have_hash);

	return r == 0 && g->at == g->have ? checked(c, g) : r;
}

static int send_end(struct call *c, struct give *g)
{
	struct wire w = {.kind = WIRE_DONE, .id = g->id, .has_digest = true};
	int r = hash_final(g->hash, w.digest);

	g->state = GIVE_SENT;
	return r < 0 ? r : call_send(c, &w);
}

static int send_some(struct call *c, struct give *g)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(128);
	unsigned char bytes[WIRE_DATA_MAX];
	size_t want = g->size - g->at < sizeof bytes ? (size_t)(g->size - g->at) : sizeof bytes;
	ssize_t n;
	int r;

	if (want == 0)
		return send_end(c, g);
	n = pread(g->fd, bytes, want, (off_t)g->at);
	if (n <= 0)
		return n < 0 ? -errno : -ENODATA;
	r = hash_update(g->hash, span_of(bytes, (size_t)n));
	if (r == 0)
		r = call_send_data(c, g->id, span_of(bytes, (size_t)n));
	g->at += (uint64_t)n;
	if (!give_show(c, g, false) && progress_due(&g->progress, g->at, g->size, &text))
		call_note(c, "sending %s: %s", g->name, buf_str(&text));
	return r;
}

bool give_work(struct call *c, bool may_send)
{
	struct give *g = c->gives;
	bool more = false;
	int r;

	while (g != NULL && g->state != GIVE_CHECKING && (g->state != GIVE_SENDING || !may_send))
		g = g->next;
	if (g == NULL)
		return false;
	give_last(c, g);
	r = g->state == GIVE_CHECKING ? check_some(c, g) : send_some(c, g);
	if (r < 0)
		fail(c, g, r);
	for (g = c->gives; g != NULL; g = g->next)
		more = more || g->state == GIVE_CHECKING || g->state == GIVE_SENDING;
	return more;
}

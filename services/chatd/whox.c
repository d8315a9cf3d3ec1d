/* WHOX: the fields of 354, in the order of the specification. See who.h. */
#include "services/chatd/who.h"

#include "base/cleanup.h"
#include "base/timefmt.h"

struct row {
	const struct who *who;
	const struct chat_user *user;
	unsigned roles;
};

static void token(const struct row *r, struct buf *b)
{
	struct span text = r->who->token;

	buf_add(b, text.len > 0 ? text : SPAN_LIT("0"));
}

static void channel(const struct row *r, struct buf *b)
{
	buf_add_str(b, r->who->channel);
}

static void ident(const struct row *r, struct buf *b)
{
	buf_add_str(b, r->user->ident);
}

/* Addresses are told to nobody. */
static void address(const struct row *r, struct buf *b)
{
	(void)r;
	buf_add_str(b, "255.255.255.255");
}

static void host(const struct row *r, struct buf *b)
{
	buf_add_str(b, r->user->host);
}

static void server(const struct row *r, struct buf *b)
{
	buf_add_str(b, r->who->c->service->settings.host);
}

static void nick(const struct row *r, struct buf *b)
{
	buf_add_str(b, r->user->nick);
}

static void flags(const struct row *r, struct buf *b)
{
	who_flags(r->who, r->user, r->roles, b);
}

static void distance(const struct row *r, struct buf *b)
{
	(void)r;
	buf_add_byte(b, '0');
}

static void idle(const struct row *r, struct buf *b)
{
	int64_t since_us =
		r->user->spoke_us > r->user->since_us ? r->user->spoke_us : r->user->since_us;
	int64_t idle_us = r->who->now_us - since_us;

	buf_addf(b, "%lld", (long long)(idle_us > 0 ? idle_us / TIME_S_US : 0));
}

static void account(const struct row *r, struct buf *b)
{
	buf_add_str(b, chat_is_guest(r->user->who) ? "0" : r->user->spelled);
}

static void level(const struct row *r, struct buf *b)
{
	(void)r;
	buf_add_str(b, "n/a");
}

static void realname(const struct row *r, struct buf *b)
{
	buf_addf(b, ":%s", r->user->realname);
}

static const struct {
	char letter;
	void (*write)(const struct row *r, struct buf *b);
} fields[] = {
	{'t', token},
	{'c', channel},
	{'u', ident},
	{'i', address},
	{'h', host},
	{'s', server},
	{'n', nick},
	{'f', flags},
	{'d', distance},
	{'l', idle},
	{'a', account},
	{'o', level},
	{'r', realname},
};

enum { FIELDS = sizeof(fields) / sizeof(*fields) };

static bool token_ok(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.len <= WHOX_TOKEN_MAX;
}

/* Fields and flags that are not known mean nothing. */
void whox_parse(struct span text, struct who *w)
{
	struct span part;

	if (!span_split(&text, '%', &part))
		return;
	w->operators = memchr(part.p, 'o', part.len) != NULL;
	w->extended = text.p != NULL && text.len > 0;
	if (!w->extended || !span_split(&text, ',', &part))
		return;
	for (size_t i = 0; i < part.len; i++)
		for (size_t f = 0; f < FIELDS; f++)
			if (part.p[i] == (unsigned char)fields[f].letter)
				w->fields |= UINT32_C(1) << f;
	if (token_ok(text))
		w->token = text;
}

void whox_add(struct who *w, const struct chat_user *u, unsigned roles)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT(1024);
	struct row row = {.who = w, .user = u, .roles = roles};

	for (size_t f = 0; f < FIELDS; f++) {
		if ((w->fields >> f & 1) == 0)
			continue;
		if (line.len > 0)
			buf_add_byte(&line, ' ');
		fields[f].write(&row, &line);
	}
	chatd_gather(&w->out, 354, "%s", buf_str(&line));
}

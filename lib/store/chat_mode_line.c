/* Changes of modes, collected to one event. */
#include "store/chat_room_i.h"

bool chat_mode_line_fits(const struct chat_mode_line *l, struct span word)
{
	/* A sign, a letter, a blank and the word. */
	return l->letters.len + l->words.len + 3 + word.len <= CHAT_MODE_LINE_MAX;
}

void chat_mode_line_add(struct chat_mode_line *l, bool set, char letter, struct span word)
{
	const char sign = set ? '+' : '-';

	if (l->sign != sign)
		buf_add_byte(&l->letters, (unsigned char)sign);
	l->sign = sign;
	buf_add_byte(&l->letters, (unsigned char)letter);
	if (word.len > 0)
		buf_add_byte(&l->words, ' ');
	buf_add(&l->words, word);
}

void chat_mode_line_roles(struct chat_mode_line *l, bool set, unsigned roles, const char *nick)
{
	static const struct {
		enum chat_role role;
		char letter;
	} all[] = {{CHAT_OP, 'o'}, {CHAT_HALFOP, 'h'}, {CHAT_VOICE, 'v'}};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if ((roles & all[i].role) != 0)
			chat_mode_line_add(l, set, all[i].letter, span_str(nick));
}

int chat_mode_line_append(struct store_txn *txn, struct chat_mode_line *l,
	const struct chat_room *room, bool by_server, struct chat_result *r)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(CHAT_MODE_LINE_MAX);
	struct chat_event e = chat_room_event(room, CHAT_MODE, by_server);
	int rc;

	if (l->letters.len == 0)
		return 0;
	buf_add(&text, buf_span(&l->letters));
	buf_add(&text, buf_span(&l->words));
	rc = buf_error(&l->letters) < 0 ? buf_error(&l->letters) : buf_error(&l->words);
	if (rc == 0)
		rc = buf_error(&text);
	e.text = buf_span(&text);
	if (rc == 0)
		rc = chat_append(txn, room->by->now_us, &e, r, NULL);
	buf_reset(&l->letters);
	buf_reset(&l->words);
	l->sign = 0;
	return rc;
}

void chat_mode_line_done(struct chat_mode_line *l)
{
	buf_done(&l->letters);
	buf_done(&l->words);
}

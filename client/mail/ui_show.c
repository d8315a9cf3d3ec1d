/* Messages as people see them, on a line and whole. */
#include "client/mail/ui.h"

#include "base/text.h"
#include "base/timefmt.h"

void mailui_marks(const struct mail_item *item, char ret[8])
{
	const struct {
		bool on;
		char letter;
	} marks[] = {
		{(item->flags & IMAP_FLAG_SEEN) == 0, 'N'},
		{(item->flags & IMAP_FLAG_FLAGGED) != 0, 'F'},
		{(item->flags & IMAP_FLAG_ANSWERED) != 0, 'R'},
		{item->encrypted, 'E'},
		{item->is_signed, 'S'},
		{item->attachments, 'A'},
	};
	size_t n = 0;

	for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
		if (marks[i].on)
			ret[n++] = marks[i].letter;
	ret[n] = '\0';
}

void mailui_when(int64_t at_us, char ret[24])
{
	static const char months[12][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct time_parts t, now;

	if (time_local(at_us, &t) < 0 || time_local(time_now_us(), &now) < 0)
		(void)snprintf(ret, 24, "-");
	else if (t.year == now.year)
		(void)snprintf(
			ret, 24, "%2d %s %02d:%02d", t.day, months[t.month - 1], t.hour, t.minute);
	else
		(void)snprintf(ret, 24, "%04d-%02d-%02d", t.year, t.month, t.day);
}

void mailui_size(uint64_t bytes, char ret[16])
{
	if (bytes < 1024)
		(void)snprintf(ret, 16, "%llu", (unsigned long long)bytes);
	else if (bytes < UINT64_C(1024) * 1024)
		(void)snprintf(ret, 16, "%lluK", (unsigned long long)(bytes + 512) / 1024);
	else
		(void)snprintf(ret, 16, "%u.%uM", (unsigned)(bytes >> 20),
			(unsigned)((bytes >> 10) % 1024 * 10 / 1024));
}

/* -- the verdict --------------------------------------------------------------------------------
 */

void mailui_verdict(const struct smime_verdict *v, struct buf *out, bool *ret_bad)
{
	*ret_bad = false;
	if (!v->was_signed && !v->was_encrypted)
		return;
	if (v->was_encrypted)
		buf_add_str(out, v->was_signed ? "encrypted, " : "encrypted");
	if (v->was_signed && v->good) {
		buf_addf(out, "signed by %s", v->signer);
	} else if (v->was_signed || v->reason[0] != '\0') {
		*ret_bad = true;
		buf_addf(out, "%s: %s",
			v->was_signed ? "SIGNATURE NOT GOOD" : " - CANNOT BE OPENED", v->reason);
		if (v->signer[0] != '\0')
			buf_addf(out, " (it says it is by %s)", v->signer);
	} else {
		*ret_bad = true;
		buf_add_str(out, ", NOT SIGNED: anybody can have written it");
	}
}

/* -- a message ----------------------------------------------------------------------------------
 */

static void field(struct buf *out, const char *name, const char *value)
{
	if (value != NULL && value[0] != '\0')
		buf_addf(out, "%-9s %s\n", name, value);
}

static void verdict_line(const struct smime_verdict *v, struct buf *out)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(1024);
	bool bad;

	mailui_verdict(v, &text, &bad);
	if (text.len > 0)
		buf_addf(out, "%s%s%s\n", bad ? "*** " : "Security: ", buf_str(&text),
			bad ? " ***" : "");
}

static void files(const struct mail_view *v, struct buf *out)
{
	char size[16];

	for (size_t i = 0; i < v->file_count; i++) {
		mailui_size(v->files[i].size, size);
		buf_addf(out, "[%zu] %s (%s, %s)\n", i + 1, v->files[i].name, v->files[i].type,
			size);
	}
}

void mailui_letter_text(
	const struct mailui_letter *l, const struct mail_item *item, struct buf *out)
{
	const struct mail_view *v = &l->view;

	verdict_line(&l->verdict, out);
	field(out, "From:", v->from);
	field(out, "To:", v->to);
	field(out, "Cc:", v->cc);
	field(out, "Date:", v->date);
	field(out, "Subject:", v->subject);
	if (item != NULL)
		buf_addf(out, "%-9s %u\n", "Message:", (unsigned)item->uid);
	buf_add_str(out, "\n");
	buf_add(out, buf_span(&v->text));
	if (v->text.len > 0 && v->text.p[v->text.len - 1] != '\n')
		buf_add_str(out, "\n");
	if (v->file_count > 0)
		buf_add_str(out, "\n");
	files(v, out);
}

/* -- for scripts --------------------------------------------------------------------------------
 */

static void pair(struct buf *out, const char *key, const char *value)
{
	buf_addf(out, ",\"%s\":", key);
	text_json(out, span_str(value != NULL ? value : ""));
}

static void files_json(const struct mail_view *v, struct buf *out)
{
	buf_add_str(out, ",\"attachments\":[");
	for (size_t i = 0; i < v->file_count; i++) {
		buf_addf(out, "%s{\"number\":%zu", i > 0 ? "," : "", i + 1);
		pair(out, "name", v->files[i].name);
		pair(out, "type", v->files[i].type);
		buf_addf(out, ",\"size_bytes\":%llu}", (unsigned long long)v->files[i].size);
	}
	buf_add_str(out, "]");
}

void mailui_letter_json(
	const struct mailui_letter *l, const struct mail_item *item, struct buf *out)
{
	const struct mail_view *v = &l->view;
	const struct smime_verdict *s = &l->verdict;

	buf_addf(out, "{\"uid\":%u", item != NULL ? (unsigned)item->uid : 0);
	pair(out, "from", v->from);
	pair(out, "to", v->to);
	pair(out, "cc", v->cc);
	pair(out, "date", v->date);
	pair(out, "subject", v->subject);
	pair(out, "message_id", v->msgid);
	buf_addf(out, ",\"asks_receipt\":%s", item != NULL && item->asks ? "true" : "false");
	buf_addf(out, ",\"encrypted\":%s,\"signed\":%s,\"signature_good\":%s",
		s->was_encrypted ? "true" : "false", s->was_signed ? "true" : "false",
		s->good ? "true" : "false");
	pair(out, "signer", s->signer);
	pair(out, "reason", s->reason);
	buf_add_str(out, ",\"text\":");
	text_json(out, buf_span(&v->text));
	files_json(v, out);
	buf_add_str(out, "}");
}

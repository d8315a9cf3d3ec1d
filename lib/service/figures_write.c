/* Figures as Prometheus reads them: a table of plain ones, and those with labels. */
#include "service/figures.h"

#include "base/text.h"
#include "base/timefmt.h"

#define OF(member) offsetof(struct figures, member)

/* Every one is a uint64_t of struct figures. */
static const struct plain {
	const char *name, *type, *help;
	size_t offset;
} plains[] = {
	{"accounts", "gauge", "Accounts of people.", OF(stats.accounts.people)},
	{"accounts_locked", "gauge", "Accounts that are locked.", OF(stats.accounts.locked)},
	{"accounts_admins", "gauge", "Accounts that are administrators.",
		OF(stats.accounts.admins)},
	{"invites", "gauge", "Invites that are open.", OF(stats.accounts.invites)},
	{"throttled", "gauge", "Accounts and sources that have to wait after failed log-ins.",
		OF(stats.accounts.throttled)},
	{"certificates_expiring", "gauge", "Valid certificates that end within 14 days.",
		OF(stats.certs.expiring)},
	{"files", "gauge", "Files that have an owner.", OF(stats.files.files)},
	{"files_bytes", "gauge", "Bytes of files that have an owner.", OF(stats.files.bytes)},
	{"partial_uploads", "gauge", "Interrupted uploads that can be resumed.",
		OF(stats.files.partials)},
	{"partial_uploads_bytes", "gauge", "Bytes of interrupted uploads.",
		OF(stats.files.partial_bytes)},
	{"chat_channels", "gauge", "Channels of chat.", OF(stats.chat.channels)},
	{"chat_present", "gauge", "People who are in chat now.", OF(stats.chat.present)},
	{"chat_events", "gauge", "Events in the log of chat.", OF(stats.chat.events)},
	{"chat_events_bytes", "gauge", "Bytes of the log of chat.", OF(stats.chat.bytes)},
	{"mail_boxes", "gauge", "Mailboxes.", OF(stats.mail.boxes)},
	{"mail_messages", "gauge", "Messages in all mailboxes.", OF(stats.mail.messages)},
	{"mail_bytes", "gauge", "Bytes of mail as its owners count it.", OF(stats.mail.bytes)},
	{"mail_held_bytes", "gauge", "Bytes of expunged mail that wait for the sweep.",
		OF(stats.mail.held)},
	{"mail_receipts_due", "gauge", "Receipts that are to be sent.", OF(stats.mail.due)},
	{"audit_rows", "gauge", "Audit rows that are kept.", OF(stats.audit.rows)},
	{"audit_written_total", "counter", "Audit rows ever written.", OF(stats.audit.newest)},
	{"blobs_bytes", "gauge", "Bytes of message bodies, each counted once.",
		OF(stats.blobs.bytes)},
	{"store_map_bytes", "gauge", "Room of the store's map.", OF(health.map_bytes)},
	{"store_used_bytes", "gauge", "Bytes of the store's map in use.", OF(health.used_bytes)},
	{"store_free_bytes", "gauge", "Bytes within the store that are free for reuse.",
		OF(health.free_bytes)},
	{"disk_bytes", "gauge", "Size of the file system that holds the state.", OF(disk_bytes)},
	{"disk_free_bytes", "gauge", "Bytes of it that are free.", OF(disk_free_bytes)},
	{"disk_inodes", "gauge", "Inodes of it; 0 where it has no fixed number.", OF(disk_inodes)},
	{"disk_free_inodes", "gauge", "Inodes of it that are free.", OF(disk_free_inodes)},
};

static void head(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_addf(b, "# HELP quintet_%s %s\n# TYPE quintet_%s %s\n", name, help, name, type);
}

/* The value of a label: UTF-8, with what would end it escaped. */
static void label(struct buf *b, const char *value)
{
	if (!text_is_utf8(span_str(value)))
		value = "?";
	for (; *value != '\0'; value++) {
		if (*value == '\\' || *value == '"')
			buf_add_byte(b, '\\');
		if (*value == '\n')
			buf_add_str(b, "\\n");
		else
			buf_add_byte(b, (unsigned char)*value);
	}
}

static void sample(
	struct buf *b, const char *name, const char *key, const char *value, uint64_t number)
{
	buf_addf(b, "quintet_%s{%s=\"", name, key);
	label(b, value);
	buf_addf(b, "\"} %llu\n", (unsigned long long)number);
}

/* Microseconds as seconds. */
static void seconds(struct buf *b, int64_t us)
{
	const uint64_t size = us < 0 ? (uint64_t)-us : (uint64_t)us;

	buf_addf(b, "%s%llu.%06llu\n", us < 0 ? "-" : "",
		(unsigned long long)(size / (uint64_t)TIME_S_US),
		(unsigned long long)(size % (uint64_t)TIME_S_US));
}

static void write_plain(const struct figures *f, struct buf *b)
{
	for (size_t i = 0; i < sizeof(plains) / sizeof(plains[0]); i++) {
		const struct plain *p = &plains[i];
		const void *at = (const char *)f + p->offset;

		head(b, p->name, p->type, p->help);
		buf_addf(
			b, "quintet_%s %llu\n", p->name, (unsigned long long)*(const uint64_t *)at);
	}
}

static const struct stats_service *service_of(const struct figures *f, const char *name)
{
	for (size_t i = 0; i < f->stats.service_count; i++)
		if (strcmp(f->stats.services[i].name, name) == 0)
			return &f->stats.services[i];
	return NULL;
}

/* The five are always told, so that a graph has a zero where nobody is. */
static const char *const services[] = {"cad", "chatd", "daytimed", "ftpd", "maild"};
#define SERVICES (sizeof(services) / sizeof(services[0]))

static bool is_usual(const char *name)
{
	for (size_t i = 0; i < SERVICES; i++)
		if (strcmp(services[i], name) == 0)
			return true;
	return false;
}

static void write_sessions(const struct figures *f, struct buf *b, bool live)
{
	const char *name = live ? "sessions" : "sessions_dead";

	if (live)
		head(b, name, "gauge", "Live sessions that have lasted a second, by service.");
	else
		head(b, name, "gauge", "Sessions whose process has died and is not yet buried.");
	for (size_t i = 0; i < SERVICES; i++) {
		const struct stats_service *s = service_of(f, services[i]);
		const uint64_t count = s == NULL ? 0 : live ? s->live : s->dead;

		sample(b, name, "service", services[i], count);
	}
	for (size_t i = 0; i < f->stats.service_count; i++) {
		const struct stats_service *s = &f->stats.services[i];

		if (!is_usual(s->name))
			sample(b, name, "service", s->name, live ? s->live : s->dead);
	}
}

static void write_states(const struct figures *f, struct buf *b)
{
	head(b, "certificates", "gauge", "Certificates by state.");
	sample(b, "certificates", "state", "valid", f->stats.certs.valid);
	sample(b, "certificates", "state", "expired", f->stats.certs.expired);
	sample(b, "certificates", "state", "revoked", f->stats.certs.revoked);
	sample(b, "certificates", "state", "intent", f->stats.certs.intents);
	head(b, "blobs", "gauge", "Message bodies by where they are.");
	sample(b, "blobs", "where", "store", f->stats.blobs.inlined);
	sample(b, "blobs", "where", "file", f->stats.blobs.files);
}

static void write_ends(const struct figures *f, struct buf *b, bool crl)
{
	if (crl)
		head(b, "crl_seconds_left", "gauge", "Until a revocation list ends, by CA.");
	else
		head(b, "certificate_seconds_left", "gauge",
			"Until a certificate of the house ends; below 0: it has ended.");
	for (size_t i = 0; i < f->end_count; i++) {
		if (f->ends[i].crl != crl)
			continue;
		buf_addf(b, "quintet_%s{%s=\"",
			crl ? "crl_seconds_left" : "certificate_seconds_left", crl ? "ca" : "name");
		label(b, f->ends[i].what);
		buf_add_str(b, "\"} ");
		seconds(b, f->ends[i].end_us - f->now_us);
	}
}

static void write_reach(struct buf *b, const char *name, const char *help, enum figures_reach r)
{
	if (r == FIGURES_UNKNOWN)
		return;
	head(b, name, "gauge", help);
	buf_addf(b, "quintet_%s %d\n", name, r == FIGURES_UP);
}

int figures_write(const struct figures *f, struct buf *b)
{
	head(b, "build_info", "gauge", "The version that answers.");
	sample(b, "build_info", "version", QUINTET_VERSION, 1);
	write_sessions(f, b, true);
	write_sessions(f, b, false);
	write_states(f, b);
	write_ends(f, b, false);
	write_ends(f, b, true);
	write_plain(f, b);
	head(b, "store_readers", "gauge", "Processes that may be reading the store.");
	buf_addf(b, "quintet_store_readers %u\n", f->health.readers);
	head(b, "store_readers_max", "gauge", "How many of them there can be.");
	buf_addf(b, "quintet_store_readers_max %u\n", f->health.readers_max);
	write_reach(b, "keeper_up", "Whether somebody listens for the keeper.", f->keeper);
	write_reach(b, "signer_up", "Whether somebody listens for the signer.", f->signer);
	head(b, "gather_seconds", "gauge", "How long it took to gather these numbers.");
	buf_add_str(b, "quintet_gather_seconds ");
	seconds(b, f->took_us);
	return buf_error(b);
}

/* What a listing says of a file or folder (RFC 3659 section 7.5). */
#include "base/timefmt.h"
#include "services/ftpd/tree_i.h"

int64_t entry_mtime_ns(const struct stat *st)
{
	return time_spec_ns(&st->st_mtim);
}

/* Section 7.5.5. For a file: append, delete, rename, retrieve, store. For a folder: make files,
 * delete, enter, rename, list, make folders, remove what is in it. */
static const char *perm(const struct tree_place *place, bool folder, const struct rights *r)
{
	if (!folder)
		return r->change ? "adfrw" : "r";
	if (place->area == TREE_MADE_UP)
		return "el";
	if (place->top)
		return r->all ? "celmp" : "celm";
	return r->change ? "cdeflmp" : "celm";
}

void entry_fill(const struct tree_place *place, const struct stat *st, const struct rights *r,
	struct ftp_entry *ret)
{
	bool folder = S_ISDIR(st->st_mode);
	struct ftp_entry e = {.type = folder ? FTP_ENTRY_FOLDER : FTP_ENTRY_FILE,
		.size = folder ? 0 : (uint64_t)st->st_size,
		.modify_us = time_spec_us(&st->st_mtim),
		.unique = {st->st_dev, st->st_ino}};

	(void)snprintf(e.perm, sizeof(e.perm), "%s", perm(place, folder, r));
	if (r->has_row)
		(void)snprintf(e.owner, sizeof(e.owner), "%s", r->row.owner);
	e.has_digest = !folder && rights_believe(r, st);
	if (e.has_digest)
		memcpy(e.digest, r->row.digest, sizeof(e.digest));
	*ret = e;
}

/* Checks of the credentials on the disk and of the root's key, which should not be there. */
#include "check.h"
#include "hostcert.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#define RENEW "quintetctl renew"

static void close_dir(DIR **dir)
{
	if (*dir != NULL)
		(void)closedir(*dir);
}

/* Keys are for root alone, who hands them to each service. True when there is nothing to say. */
static bool file_line(struct check_report *r, const char *path)
{
	char remedy[CTL_PATH_MAX + 32];
	struct stat st;

	if (lstat(path, &st) != 0 || S_ISDIR(st.st_mode) || (st.st_mode & 077) == 0)
		return true;
	(void)snprintf(remedy, sizeof(remedy), "chmod 600 %s", path);
	check_say(r, CHECK_BAD, "credentials", remedy, "%s has mode %o: others may read it", path,
		(unsigned)st.st_mode & 07777);
	return false;
}

static bool folder_lines(struct check_report *r, const char *service)
{
	_cleanup_(close_dir) DIR *dir = NULL;
	char folder[CTL_PATH_MAX] = "", path[CTL_PATH_MAX] = "";
	const struct dirent *e;
	bool good = true;

	if (path_join(folder, "%s/credentials/%s", r->c->settings.conf, service) < 0)
		return true;
	dir = opendir(folder);
	if (dir == NULL) {
		check_say(r, errno == EACCES ? CHECK_CARE : CHECK_BAD, "credentials",
			errno == EACCES ? "run it as root" : RENEW, "%s: %s", folder,
			err_text(-errno));
		return false;
	}
	while ((e = readdir(dir)) != NULL)
		if (path_join(path, "%s/%s", folder, e->d_name) == 0 && e->d_name[0] != '.')
			good &= file_line(r, path);
	return good;
}

static int first_der(void *arg, struct span der)
{
	buf_add((struct buf *)arg, der);
	return 1;
}

/* The certificate that a service reads at its next start. */
static void leaf_line(struct check_report *r, const struct renewal *row)
{
	_cleanup_(buf_done) struct buf pem = BUF_INIT(65536), der = BUF_INIT(AUTHORITY_DER_MAX);
	char path[CTL_PATH_MAX] = "", what[64];
	struct pki_cert_info info;
	int error = path_join(
		path, "%s/credentials/%s/%s.pem", r->c->settings.conf, row->service, row->name);

	(void)snprintf(what, sizeof(what), "%s of %s", row->name, row->service);
	if (error == 0)
		error = service_read_file(path, &pem);
	if (error == -EACCES) {
		check_say(r, CHECK_CARE, what, "run it as root", "%s cannot be read", path);
		return;
	}
	if (error == 0)
		error = pki_cert_each_pem(buf_span(&pem), first_der, &der);
	if (error >= 0)
		error = pki_cert_read(buf_span(&der), &info);
	if (error < 0)
		check_say(r, CHECK_BAD, what, RENEW, "%s: %s", path, err_text(error));
	else
		check_ahead(r, what, RENEW, info.not_after_us, 14 * AUTHORITY_DAY_US);
}

void check_credentials(struct check_report *r)
{
	static const char *const services[] = {
		"daytimed", "ftpd", "chatd", "maild", "cad", "cad-signer"};
	bool good = true;

	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		good &= folder_lines(r, services[i]);
	if (good)
		check_say(r, CHECK_GOOD, "credentials", NULL, "keys are their owner's alone");
	for (size_t i = 0; i < RENEWALS; i++)
		leaf_line(r, &house_credentials[i]);
}

void check_root_key(struct check_report *r)
{
	char path[CTL_PATH_MAX] = "", remedy[CTL_PATH_MAX + 64];
	struct stat st;

	if (path_join(path, "%s/root.key", r->c->settings.conf) < 0)
		return;
	if (lstat(path, &st) != 0) {
		check_say(r, CHECK_GOOD, "root's key", NULL, "is not on this machine");
		return;
	}
	(void)snprintf(
		remedy, sizeof(remedy), "copy it to two media, check them, shred -u %s", path);
	check_say(r, (st.st_mode & 077) != 0 ? CHECK_BAD : CHECK_CARE, "root's key", remedy,
		"%s is still on this machine", path);
}

/* Questions to cad-signer, which alone holds the issuing key. */
#include "ctl.h"

#include <errno.h>

#define SIGNER_TIMEOUT_MS 30000

int ctl_signer(struct ctl *c, const struct signer_request *r, struct buf *scratch,
	struct signer_answer *ret)
{
	_cleanup_(cleanup_close) int fd = -1;
	char path[CTL_PATH_MAX];
	int error = path_join(path, "%s/signer.sock", c->settings.runtime);

	if (error == 0)
		error = signer_connect(path, &fd);
	if (error < 0) {
		(void)ctl_fail(error, "cannot reach cad-signer at %s", path);
		return CTL_TEMP;
	}
	error = signer_call(fd, r, SIGNER_TIMEOUT_MS, scratch, ret);
	if (error < 0) {
		(void)ctl_fail(error, "cad-signer gave no answer");
		return CTL_TEMP;
	}
	if (ret->status == 0)
		return CTL_OK;
	return ctl_fail(-(int)ret->status, "cad-signer refused%s%s",
		ret->reason[0] != '\0' ? ": " : "", ret->reason);
}

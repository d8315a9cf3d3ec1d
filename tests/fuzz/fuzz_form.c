/* Form bodies: bounded, and what was read, written again, reads the same. */
#include "proto/form.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf again = BUF_INIT(16 * size + 4096);
	struct form form = {0}, second = {0};

	if (form_parse(span_of(data, size), &form) == 0) {
		must(form.count <= FORM_MAX_FIELDS);
		for (size_t i = 0; i < form.count; i++) {
			must(form_value(&form, form.fields[i].name).p != NULL);
			form_add(&again, form.fields[i].name, form.fields[i].value);
		}
		must(buf_error(&again) == 0);
		must(form_parse(buf_span(&again), &second) == 0 && second.count == form.count);
		for (size_t i = 0; i < form.count; i++)
			must(span_eq(form.fields[i].value, second.fields[i].value));
		form_done(&second);
	}
	form_done(&form);
	buf_done(&again);
	return 0;
}

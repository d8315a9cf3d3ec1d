/*
 * Records of the store: length of the key, the key, the value. Whoever can write the environment's
 * file can write any bytes, and every process that reads it decodes them.
 */
#include "store/row.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t key_len;

	if (size == 0)
		return 0;
	key_len = data[0];
	if (key_len > size - 1)
		key_len = size - 1;
	if (key_len > KV_KEY_MAX)
		key_len = KV_KEY_MAX;
	(void)row_decode(
		span_of(data + 1, key_len), span_of(data + 1 + key_len, size - 1 - key_len));
	return 0;
}

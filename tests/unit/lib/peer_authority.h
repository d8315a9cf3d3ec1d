/* The authority of a scene: a process of its own that answers OCSP over TLS. */
#ifndef TESTS_PEER_AUTHORITY_H
#define TESTS_PEER_AUTHORITY_H

#include "tests/unit/lib/peer_scene.h"

struct scene_authority *authority_start(const struct fixture_ca *ca);
void authority_stop(struct scene_authority *a);
uint16_t authority_port(const struct scene_authority *a);
void authority_status(struct scene_authority *a, enum scene_status status);
void authority_revoke(struct scene_authority *a, const unsigned char serial[PKI_SERIAL_LEN]);

/* A folder with all that is in it, hidden files too. */
void scene_folder_remove(const char *folder);

#endif

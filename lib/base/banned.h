/*
 * Functions that this project does without, made compile errors. Included before everything else
 * by the compiler's command line.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Where the C library has them as macros, the compilers complain about the poison. */
#undef alloca
#undef sprintf
#undef vsprintf

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok atoi atol atoll gets
#pragma GCC poison strtol strtoul strtoll strtoull localtime gmtime ctime asctime mktemp tmpnam
#pragma GCC poison popen srand alloca

/* Names that other headers use for something else (OpenSSL has parameters called rand). */
int rand(void) __attribute__((deprecated("use hash_random()")));
int system(const char *command) __attribute__((deprecated("no shell")));

#endif

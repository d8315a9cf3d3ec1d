/*
 * Crash points: where a test build can be killed on purpose, so that a test knows which phase of a
 * write it hit. Release builds hold nothing of this.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

/* The order is that of the counters in the test's file. */
enum fault_point {
	FAULT_WRITE_BEGUN, /* the writer lock is held */
	FAULT_WRITE_DONE, /* the operation has run, nothing is written */
	FAULT_COMMIT_FLUSH, /* pages, or what makes them visible, are written, not yet flushed */
	FAULT_COMMIT_META, /* they are flushed, and not visible, or nobody was told */
	FAULT_COMMITTED, /* the commit is durable, nobody was told */
	FAULT_INTENT_STORED, /* signer: the intent is stored, nothing signed */
	FAULT_SIGNED, /* signer: signed, not yet stored */
	FAULT_FILE_WRITTEN, /* ftpd: bytes of an upload are in its temporary */
	FAULT_FILE_FLUSHED, /* all of them are on disk */
	FAULT_FILE_STORED, /* the row is durable, the file is still under its temporary name */
	FAULT_FILE_RENAMED, /* it has its name, its folder is not flushed */
	FAULT_FILE_DURABLE, /* it is, nobody was told */
	FAULT_POINTS
};

#ifdef QUINTET_TEST
/*
 * QUINTET_TEST_FAULTS names a file of FAULT_POINTS native 32-bit counters, mapped at the start of
 * the program and shared by all processes. A counter above 0 is taken down by one at its point;
 * whoever brings it to 0 dies of SIGKILL there and then.
 */
void fault_at(enum fault_point point);
#else
static inline void fault_at(enum fault_point point)
{
	(void)point;
}
#endif

#endif

/* One run at a time in an output folder. */
#ifndef ENG_TRAIN_FOLDER_LOCK_H
#define ENG_TRAIN_FOLDER_LOCK_H

#include "engine/status.h"

enum { ENG_FOLDER_UNLOCKED = -1 };

/*
 * Purpose: locks the folder, which exists, for this run. There is no lock file: the lock is the
 *          kernel's, on the folder itself, and ends with the process, however that ends. Where the
 *          file system has no such locks (NFS has none of folders), nothing is locked.
 * Ownership: eng_folder_unlock ends it. Errors: ARGUMENT: another run holds it; IO, NOT_FOUND.
 * Source: flock(2).
 */
enum eng_status eng_folder_lock(const char *path, int *lock, struct eng_error *err);

/* Purpose: gives it free and sets it to ENG_FOLDER_UNLOCKED, which is accepted. */
void eng_folder_unlock(int *lock);

#endif

/* The report of a run: what those want to know who write the model's card and draw its curves. */
#ifndef ENG_TRAIN_REPORT_H
#define ENG_TRAIN_REPORT_H

#include "train/method.h"

/*
 * Purpose: what a finished run came to. file: the model as it was written; seconds: of this
 *          process, in which the epochs after history->n_resumed ran.
 * Ownership: *out is new, end with eng_train_report_destroy; it borrows nothing.
 * Errors: those of eng_answers_ask; NO_MEMORY. Cost: one inference of every test sample.
 */
enum eng_status eng_report_create(const struct eng_method_run *run, const void *file,
                                  size_t n_bytes, double seconds, struct eng_train_report **out,
                                  struct eng_error *err);

#endif

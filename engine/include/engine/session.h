/* One thread's right to run a model: an arena and the bindings into it. Running allocates nothing.
 */
#ifndef ENGINE_SESSION_H
#define ENGINE_SESSION_H

#include "engine/model.h"
#include "engine/pool.h"

struct eng_session;

/*
 * Purpose: allocates the arena for batches of 1 .. eng_model_max_batch.
 * Ownership: borrows model and pool (NULL: no helpers), which must outlive it.
 * Errors: NO_MEMORY, and LIMIT if the arena would exceed the engine's bound.
 * Threads: one at a time.
 */
enum eng_status eng_session_create(const struct eng_model *model, struct eng_pool *pool,
                                   struct eng_session **out, struct eng_error *err);

void eng_session_destroy(struct eng_session *session);

/* Purpose: bytes of the arena. */
size_t eng_session_arena_bytes(const struct eng_session *session);

/*
 * Purpose: where sample i of the next batch of n goes: eng_preprocess_count floats, or n_features.
 * Borrowed; valid until the next call that runs. The card must say takes_images or n_features;
 * 0 <= i < n <= max batch.
 */
float *eng_session_sample(struct eng_session *session, int n, int i);

/*
 * Purpose: runs the samples placed with eng_session_sample.
 * Shapes: returns [n, n_classes] probabilities that sum to 1 per row, or [n, 1] predicted numbers
 * of a model without classes. Borrowed until the next run.
 * Cannot fail.
 */
const float *eng_session_classify(struct eng_session *session, int n);

/*
 * Purpose: what the graph's own output said of the samples that eng_session_classify ran last:
 * scores if the card says add_softmax, else the probabilities themselves.
 * Shapes: [n, n_classes], or [n, 1]. Borrowed until the next run.
 */
const float *eng_session_scores(const struct eng_session *session);

/*
 * Purpose: raw tensors in graph order. The batch is the first dimension of the inputs.
 * Ownership: inputs are read; outputs become views into the session until the next run.
 * Errors: ARGUMENT when type or shape is not the model's, naming both.
 */
enum eng_status eng_session_run(struct eng_session *session, const struct eng_tensor *inputs,
                                size_t n_inputs, struct eng_tensor *outputs, size_t n_outputs,
                                struct eng_error *err);

/*
 * Purpose: runs the model's golden samples and compares the probabilities with the recorded ones.
 * Errors: MISMATCH naming sample, class, value and wanted value (tolerance 1e-4; 0.1 if products
 * round to bfloat16). OK if it has none.
 */
enum eng_status eng_session_check_golden(struct eng_session *session, struct eng_error *err);

#endif

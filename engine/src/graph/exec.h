/*
 * Execution: a plan bound to memory. Not thread-safe; one per thread. Forward and backward allocate
 * nothing and cannot fail.
 */
#ifndef ENG_GRAPH_EXEC_H
#define ENG_GRAPH_EXEC_H

#include "engine/pool.h"
#include "graph/plan.h"

struct eng_exec;

/*
 * Purpose: room to run any plan of this graph whose arena needs at most arena_bytes.
 * Ownership: borrows graph and pool; end with eng_exec_destroy.
 */
enum eng_status eng_exec_create(const struct eng_graph *graph, size_t arena_bytes,
                                struct eng_pool *pool, struct eng_exec **out,
                                struct eng_error *err);
void eng_exec_destroy(struct eng_exec *exec);

enum { ENG_EXEC_MAX_LANES = 16 };

/*
 * Purpose: room for plans that run their first nodes sample by sample (n_apart), before the first
 * of them is bound: a lane for each of the pool's threads, at most ENG_EXEC_MAX_LANES and
 * max_samples. Each holds plan `one`, which is borrowed. *n_bytes grows by the lanes' memory.
 */
enum eng_status eng_exec_add_lanes(struct eng_exec *exec, const struct eng_plan *one,
                                   size_t max_samples, size_t *n_bytes, struct eng_error *err);

/* Purpose: makes plan the current one. Cheap; needed before anything below and after a change of
 * it. */
void eng_exec_bind(struct eng_exec *exec, const struct eng_plan *plan);

/* Purpose: a value of the current plan, in memory: write inputs here, read outputs here. Without
 * data where it is made and read by nodes that run sample by sample. */
const struct eng_tensor *eng_exec_value(const struct eng_exec *exec, int value);

/*
 * Purpose: lets the next forward read graph input `value` where its caller has it, without a copy,
 * if all that read it can and no output is a view of it; false, with nothing changed, if not.
 * Ownership: data borrowed until eng_exec_return_inputs, which puts all inputs back into the arena,
 * where their elements are then undefined. Cost: a look at every node.
 */
bool eng_exec_borrow_input(struct eng_exec *exec, int value, void *data);
void eng_exec_return_inputs(struct eng_exec *exec);

/*
 * Purpose: where gradients of trainable constants go: grads[value] or NULL, [n_values]. Borrowed.
 * TRAINING plans only. Every backward pass overwrites them.
 */
void eng_exec_bind_grads(struct eng_exec *exec, float *const *grads);

/*
 * Purpose: every forward from now on adds to seconds[i] how long node i took by that clock,
 * [n_nodes], borrowed; NULL: none does. Cost: two readings of the clock a node.
 */
void eng_exec_time_nodes(struct eng_exec *exec, double (*clock_s)(void), double *seconds);

/* Purpose: whether forward has anything to do for node i of the current plan. */
bool eng_exec_runs(const struct eng_exec *exec, size_t i);

/* Purpose: how the current plan computes node i, a few words (op.h's describe) or none; cut to
 * size. A node that forward passes over says why. */
void eng_exec_describe(const struct eng_exec *exec, size_t i, char *text, size_t size);

/* Purpose: runs all nodes. seed: for Dropout; another one for every step and shard. */
void eng_exec_forward(struct eng_exec *exec, uint64_t seed);

/*
 * Purpose: the gradient of a computed value, zeroed, to be filled with dLoss/dValue before
 * eng_exec_backward. Training plans only. Gradients of other computed values are forgotten.
 */
float *eng_exec_seed_grad(struct eng_exec *exec, int value);

/*
 * Purpose: walks the nodes backwards from the seeded value, up to the gradients of trainable
 * constants and of values that want theirs. Nodes that the value does not depend on are passed
 * over, and those from which no way leads to such gradients.
 */
void eng_exec_backward(struct eng_exec *exec);

/* Purpose: the gradient of a value that wants_grad, after backward; float, in the value's shape. */
const float *eng_exec_gradient(const struct eng_exec *exec, int value);

enum { ENG_EXEC_MAX_SHARDS = 64 };

/*
 * Purpose: after a step, lets operators fold what 1 .. ENG_EXEC_MAX_SHARDS shards observed into the
 * graph's constants. Every shard must have run forward on a TRAINING plan; nobody may run
 * meanwhile.
 */
void eng_exec_commit(struct eng_exec *const *shards, size_t n_shards);

#endif

/* The network that explanations ask: a model's graph up to the scores, planned, in memory. */
#ifndef ENG_EXPLAIN_NET_H
#define ENG_EXPLAIN_NET_H

#include "engine/explain.h"
#include "explain/target.h"
#include "graph/exec.h"
#include "model/model_internal.h"

/* One thread's; all but batch is the implementation's. */
struct eng_explain_net {
    const struct eng_model *model;
    struct eng_graph graph;
    struct eng_plan *plan;
    struct eng_exec *exec;
    int input, score, answer; /* values of graph */
    int source;               /* whose gradient it computes; ENG_NO_VALUE: none */
    size_t batch;             /* samples per run */
};

/*
 * Purpose: a network that takes as many samples at once as there are, at most 32, as fit into
 *          2 GiB, and as take 5e9 operations; at least one. One of a model that runs its samples
 *          one by one.
 * Ownership: end with eng_explain_net_fini in any case. Borrows model and pool.
 * Errors: LIMIT if one sample takes more than 2 GiB, before they are taken; NO_MEMORY.
 */
enum eng_status eng_explain_net_create(const struct eng_model *model, size_t n_samples,
                                       struct eng_pool *pool, struct eng_explain_net *net,
                                       struct eng_error *err);
void eng_explain_net_fini(struct eng_explain_net *net);

/*
 * Purpose: the same, with the gradient of the scores by a float value of the model's graph: its
 *          input, or one that is computed. It answers as in inference: statistics are the stored
 *          ones and Dropout drops nothing. The model's answers are left out of it.
 * Errors: UNSUPPORTED naming the node that stops the gradient.
 */
enum eng_status eng_explain_gradient_create(const struct eng_model *model, int source,
                                            size_t n_samples, struct eng_pool *pool,
                                            struct eng_explain_net *net, struct eng_error *err);

/* Purpose: whether that would do, but for memory that the machine does not have. */
enum eng_status eng_explain_gradient_check(const struct eng_model *model, int source,
                                           struct eng_error *err);

/* Purpose: the sample that is number `row` of the next run. */
void eng_explain_net_put(struct eng_explain_net *net, size_t row, const float *sample);

void eng_explain_net_run(struct eng_explain_net *net);

/*
 * Purpose: after a run, the gradients of a class's scores in rows first .. n - 1 by the source;
 *          those of other rows are 0.
 * Shapes: the source's: row i is sample i's. Borrowed until the next run.
 */
const float *eng_explain_net_gradient(struct eng_explain_net *net, size_t first, size_t n,
                                      size_t class_index);

/* Purpose: a class's score of that row. */
double eng_explain_net_score(const struct eng_explain_net *net, size_t row, size_t class_index);

/* Purpose: a row's answers as the model gives them, softmax included: [n_answers]. */
void eng_explain_net_answers(const struct eng_explain_net *net, size_t row, float *answers);

/* How far an explanation is. */
struct eng_explain_progress {
    const struct eng_explain_request *request;
    size_t n_done, n_all; /* runs */
};

/* Purpose: asks the caller whether to go on. Errors: CANCELLED. */
enum eng_status eng_explain_go_on(const struct eng_explain_progress *progress,
                                  struct eng_error *err);

#endif

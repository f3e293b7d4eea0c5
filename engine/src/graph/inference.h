/* The graph that inference runs: the model's own, rewritten in ways that explanations and training
 * must not see. */
#ifndef ENG_GRAPH_INFERENCE_H
#define ENG_GRAPH_INFERENCE_H

#include "graph/rewrite.h"

/*
 * Purpose: all rewrites, in order. rewrite is as eng_rewrite_begin left it. Each of them has the
 * same form, and a header that says what it looks for and what it puts there.
 * Errors: NO_MEMORY, LIMIT.
 */
enum eng_status eng_inference_rewrite(struct eng_rewrite *rewrite, struct eng_error *err);

#endif

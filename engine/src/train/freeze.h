/* What training leaves as it is. */
#ifndef ENG_TRAIN_FREEZE_H
#define ENG_TRAIN_FREEZE_H

#include "graph/graph.h"
#include "train/recipe.h"

/*
 * Purpose: marks what is trainable in the graph: what the operators can adjust, but nothing that is
 *          read by a node that is frozen already or that the recipe's "freeze" names, by the node's
 *          name or by the parameter's. In a pattern * stands for any letters, none included.
 * Errors: FORMAT: a pattern that matches nothing, or nothing is left to be trained; both name the
 *         recipe.
 */
enum eng_status eng_freeze_apply(const struct eng_recipe *recipe, struct eng_graph *graph,
                                 struct eng_error *err);

/* Purpose: whether the whole name fits the pattern. Cost: their product at most. */
bool eng_freeze_matches(const char *pattern, const char *name);

#endif

/* The parts of the rewrite of channels_last.h: what its walk asks for each kind of node. */
#ifndef ENG_GRAPH_CHANNELS_LAST_WALK_H
#define ENG_GRAPH_CHANNELS_LAST_WALK_H

#include "graph/turn.h"

static inline bool eng_last_is_picture(const struct eng_turn *w, int v)
{
    return v != ENG_NO_VALUE && w->shapes[v].dtype == ENG_FLOAT32 && w->shapes[v].shape.rank == 4;
}

static inline bool eng_last_is_constant(const struct eng_turn *w, int v)
{
    return v != ENG_NO_VALUE && w->graph->values[v].kind == ENG_VALUE_CONSTANT;
}

static inline bool eng_last_has_twin(const struct eng_turn *w, int v)
{
    return v != ENG_NO_VALUE && w->twin[v] != ENG_NO_VALUE;
}

/* Purpose: the channels of a picture in its plain form. */
static inline int64_t eng_last_channels(const struct eng_turn *w, int v)
{
    return w->shapes[v].shape.dim[1];
}

/* Purpose: whether a Conv of pictures has weights and a bias that are known. */
bool eng_last_is_convolution(const struct eng_turn *w, const struct eng_node *node);

/* Purpose: by how many floats Winograd's weights may exceed those of the file. */
size_t eng_last_growth_floats(const struct eng_graph *graph);

/*
 * Each of these appends what takes the place of the node and sets *done, or leaves the node to be
 * kept, *done false. Errors: NO_MEMORY, LIMIT.
 */
typedef enum eng_status eng_last_convert_fn(struct eng_turn *w, const struct eng_node *node,
                                            bool *done, struct eng_error *err);

/* A node of which eng_last_is_convolution holds. */
eng_last_convert_fn eng_last_convolution;
/* Two inputs and a picture as output: Add, Sub, Mul, Div. */
eng_last_convert_fn eng_last_binary;
eng_last_convert_fn eng_last_concat, eng_last_shuffle, eng_last_transpose;
/* Any other node whose first input has a twin: pooling, activations, BatchNormalization. */
eng_last_convert_fn eng_last_picture;

#endif

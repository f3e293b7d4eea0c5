/* A network that goes on from a model's file. */
#ifndef ENG_TRAIN_FINETUNE_H
#define ENG_TRAIN_FINETUNE_H

#include "train/network.h"

/*
 * Purpose: the file's graph as a network to be trained: constants are folded, BatchNormalization is
 *          not; a batch of 1 that the file insists on is freed; the Softmax at the end waits until
 *          the training is over; the last layer with weights is made anew where the number of
 *          outputs differs; what the operators can adjust is trainable, but for what standardises
 *          the input and what the recipe freezes. Names stay those of the file.
 * Errors: FORMAT, UNSUPPORTED, naming the file and, where there is one, node and operator; LIMIT;
 *         NO_MEMORY. An operator without gradient is found when the training is planned.
 */
enum eng_status eng_finetune_build(const struct eng_recipe *recipe,
                                   const struct eng_network_shape *shape, struct eng_graph *graph,
                                   struct eng_network *out, struct eng_error *err);

#endif

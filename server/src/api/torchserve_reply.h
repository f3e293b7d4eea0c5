/* Answers of TorchServe's inference and management interfaces. */
#ifndef SRV_API_TORCHSERVE_REPLY_H
#define SRV_API_TORCHSERVE_REPLY_H

#include "base/text.h"
#include "engine/model.h"
#include "serve/registry.h"

/*
 * Purpose: {"label": probability, ...}, the n_top most probable classes of each picture, the most
 * probable first; a list of those if is_list. Of classes that share a label the most probable
 * stands, as an object has room for one. Numbers read back as the same float.
 * Shapes: probabilities [n_pictures, n_classes].
 */
void srv_torchserve_write_predictions(const float *probabilities, size_t n_pictures, bool is_list,
                                      const struct eng_card *card, size_t n_top,
                                      struct srv_text *out);

/* How long answers may take, and how a version batches. */
struct srv_torchserve_limits {
    struct srv_served_batching batching;
    int64_t response_timeout_ms;
};

/*
 * Purpose: one element of what describing a model answers. served is the version if it serves, else
 * NULL; it then has no workers. Times are rounded up: in milliseconds and seconds as TorchServe has
 * them 0 would say that there is none.
 */
void srv_torchserve_write_description(const struct srv_version_info *info,
                                      const struct srv_served *served,
                                      const struct srv_torchserve_limits *limits,
                                      struct srv_text *out);

#endif

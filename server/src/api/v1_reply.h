/* Answers of TensorFlow Serving's REST dialect. */
#ifndef SRV_API_V1_REPLY_H
#define SRV_API_V1_REPLY_H

#include "api/v1_body.h"
#include "base/text.h"
#include "serve/registry.h"

/*
 * Purpose: {"predictions": [...]}, or {"outputs": [...]} for columns: the probabilities of each
 * sample in the order of the classes. Numbers read back as the same float.
 * Shapes: probabilities [n_samples, n_classes].
 */
void srv_v1_write_predict(const float *probabilities, size_t n_samples, size_t n_classes,
                          bool is_column, struct srv_text *out);

/* Purpose: {"results": [[[label, probability], ...], ...]}, of each sample the n_top most probable
 * classes. */
void srv_v1_write_classify(const float *probabilities, size_t n_samples,
                           const struct eng_card *card, size_t n_top, struct srv_text *out);

/*
 * Purpose: model_version_status, the highest version first, and what KServe's client reads: name
 * and ready, whether one of the versions serves. version NULL: all of the model's.
 * Returns false, and writes nothing, if the snapshot has no such version.
 */
bool srv_v1_write_status(const struct srv_snapshot *snapshot, const char *model,
                         const char *version, struct srv_text *out);

/* Purpose: model_spec, and metadata with the signature: names, types and shapes of input and
 * output. */
void srv_v1_write_metadata(const struct srv_served *served, struct srv_text *out);

/* Purpose: {"models": ["name", ...]}. */
void srv_v1_write_names(const struct srv_snapshot *snapshot, struct srv_text *out);

#endif

/* The model that fine-tuning begins with. */
#ifndef ENG_TRAIN_BASE_MODEL_H
#define ENG_TRAIN_BASE_MODEL_H

#include "engine/model.h"
#include "onnx/onnx.h"
#include "train/dataset_options.h"

struct eng_base_model {
    const char *path;        /* the recipe's "from", for sentences. Borrowed */
    struct eng_model *model; /* as a server opens it: its card is complete */
    struct onnx_model onnx;  /* as it stands in the file: nothing folded, every name kept */
};

/*
 * Purpose: opens an ONNX file, or the model.onnx of a version folder.
 * Ownership: end with eng_base_model_destroy. Errors: those of eng_model_open, naming the path.
 */
enum eng_status eng_base_model_open(const char *path, struct eng_base_model **out,
                                    struct eng_error *err);

/* NULL is accepted. */
void eng_base_model_destroy(struct eng_base_model *base);

/* Purpose: how the model wants pictures; NULL if it takes none. Borrowed. */
const struct eng_preprocess *eng_base_model_preprocess(const struct eng_base_model *base);

/* Purpose: asks for pictures of the size and colours that the model takes, where the recipe does
 * not ask itself. */
void eng_base_model_fit(const struct eng_base_model *base, struct eng_dataset_options *options);

#endif

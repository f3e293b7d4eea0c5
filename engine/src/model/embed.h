/* A model's card into its file, for one that was made elsewhere. */
#ifndef ENG_MODEL_EMBED_H
#define ENG_MODEL_EMBED_H

#include "engine/model.h"

/*
 * Purpose: the file with labels, preprocessing, output, softmax, top, description and golden
 * samples as the model has them (from its file, config.json and options), so that the file says all
 *          by itself. The graph is copied byte by byte.
 * Shapes: pictures [n_pictures] of [height_px, width_px, channels] bytes, as eng_preprocess_picture
 *         gives them; the model's own answers are recorded beside them.
 * Ownership: bytes are those that the model was opened from; *out is malloc'd, the caller frees it.
 * Errors: UNSUPPORTED (the model takes no pictures), MISMATCH (the answers are no probabilities;
 *         the new file does not give the recorded ones), FORMAT, LIMIT, NO_MEMORY.
 */
enum eng_status eng_model_embed(const struct eng_model *model, const void *bytes, size_t n_bytes,
                                const uint8_t *const *pictures, size_t n_pictures, uint8_t **out,
                                size_t *n_out, struct eng_error *err);

/*
 * Purpose: which items the file's own metadata say, as bits 1 << enum eng_card_item: what embedding
 *          a card that comes from elsewhere would replace.
 * Errors: those of reading the file's metadata.
 */
enum eng_status eng_model_said(const void *bytes, size_t n_bytes, unsigned *items,
                               struct eng_error *err);

#endif

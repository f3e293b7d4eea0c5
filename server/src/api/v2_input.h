/* The input of a V2 request; for v2_request.c. */
#ifndef SRV_API_V2_INPUT_H
#define SRV_API_V2_INPUT_H

#include "api/v2_request.h"

/* What the JSON says of it, in whatever order. */
struct srv_v2_input {
    const struct srv_v2_type *type; /* NULL: not said */
    struct eng_shape shape;
    bool has_name, has_shape, has_data;
    struct srv_json_numbers numbers; /* data; values are the pictures' own */
    size_t n_texts;                  /* the same, pictures in base64 */
    int64_t binary_bytes;            /* parameters.binary_data_size; -1: absent */
};

/* Purpose: reads the object, which comes next; data go to pictures. */
bool srv_v2_input_read(struct srv_json *json, const struct srv_v2_model *model,
                       const struct srv_pictures_limits *limits, struct srv_v2_input *out,
                       struct srv_pictures *pictures);

/* Purpose: makes pictures whole: checks all against the model, and takes what is in the tail, the
 * bytes behind the JSON. Errors: FORMAT, LIMIT, NO_MEMORY. */
enum eng_status srv_v2_input_finish(const struct srv_v2_input *input,
                                    const struct srv_v2_model *model,
                                    const struct srv_pictures_limits *limits, const uint8_t *tail,
                                    size_t n_tail, struct srv_pictures *pictures,
                                    struct eng_error *err);

/* Purpose: the body that is nothing but the tensor, or a picture. Errors: the same. */
enum eng_status srv_v2_input_raw(const uint8_t *body, size_t n_body,
                                 const struct srv_v2_model *model,
                                 const struct srv_pictures_limits *limits,
                                 struct srv_pictures *pictures, struct eng_error *err);

/* Purpose: which of the names the member has that srv_json_next came to, -1 if none, or if its
 * value is null, as clients write what they do not say; fails if it was there before. */
int srv_v2_member(struct srv_json *json, const char *const *names, int n_names, unsigned *seen);

#endif

/* The body of an inference request of the Open Inference Protocol V2. */
#ifndef SRV_API_V2_REQUEST_H
#define SRV_API_V2_REQUEST_H

#include "api/pictures.h"
#include "api/v2_model.h"

/* An output that the client wants. */
struct srv_v2_wanted {
    size_t output; /* of the model's */
    bool is_binary;
    size_t n_top; /* the k most probable classes as text; 0: all numbers */
};

struct srv_v2_request {
    struct srv_json_text id; /* as it stands between its quotes, in valid JSON */
    bool has_id;
    int64_t timeout_us; /* 0: none */
    unsigned priority;  /* 1 goes first; 0: none */
    struct srv_v2_wanted wanted[SRV_V2_MAX_OUTPUTS];
    size_t n_wanted;
};

/*
 * Purpose: reads a body: JSON, and behind it, if header_length (Inference-Header-Content-Length,
 * NULL: absent) says where, binary data; "0": the body is the one tensor, or a PNG or JPEG.
 * Ownership: out borrows from the body and from inputs, which points into the body too;
 * body[n_body] must be readable and 0. End inputs with srv_pictures_fini. Errors: INVALID_REQUEST,
 * TOO_LARGE, INTERNAL (out of memory); err says why; out and inputs are unchanged then.
 */
enum srv_code srv_v2_read(const uint8_t *body, size_t n_body, const char *header_length,
                          const struct srv_v2_model *model,
                          const struct srv_pictures_limits *limits, struct srv_v2_request *out,
                          struct srv_pictures *inputs, struct eng_error *err);

#endif

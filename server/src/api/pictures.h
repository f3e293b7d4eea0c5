/* What a request to a model holds, whatever form it came in. */
#ifndef SRV_API_PICTURES_H
#define SRV_API_PICTURES_H

#include "api/request.h"
#include "base/json_reader.h"
#include "engine/model.h"
#include "serve/job.h"

struct srv_pictures {
    struct srv_sample *samples;
    size_t n_samples, capacity;
    bool is_list;  /* the client sent a list: the answer is one, even of a single picture */
    void **blocks; /* memory that samples point into, and that ends with them */
    size_t n_blocks;
};

struct srv_pictures_limits {
    size_t n_pictures;
    size_t n_json_values; /* numbers */
};

/*
 * Purpose: tells by content what the body is (picture, multipart form, JSON object) and reads it.
 * Ownership: out may point into the request's body; end it with srv_pictures_fini.
 * Errors: INVALID_REQUEST, UNSUPPORTED_MEDIA_TYPE, TOO_LARGE, INTERNAL (out of memory); err says
 * why.
 */
enum srv_code srv_pictures_read(const struct srv_request *request, const struct eng_card *card,
                                const struct srv_pictures_limits *limits, struct srv_pictures *out,
                                struct eng_error *err);

/* Purpose: the JSON form alone: {"image"}, {"images"} or {"pixels"}; json[n_bytes] is 0. */
enum srv_code srv_pictures_read_json(const char *json, size_t n_bytes, const struct eng_card *card,
                                     const struct srv_pictures_limits *limits,
                                     struct srv_pictures *out, struct eng_error *err);

/* Purpose: reads the lists of "pixels", which come next; for pictures_json.c. */
bool srv_pictures_read_pixels(struct srv_json *json, const struct eng_card *card,
                              const struct srv_pictures_limits *limits, struct srv_pictures *out);

/* Purpose: one more. Errors: LIMIT, NO_MEMORY. */
enum eng_status srv_pictures_add(struct srv_pictures *pictures,
                                 const struct srv_pictures_limits *limits, struct srv_sample sample,
                                 struct eng_error *err);

/* Purpose: block, malloc'd, is freed by srv_pictures_fini; at once if there is no memory. */
enum eng_status srv_pictures_own_take(struct srv_pictures *pictures, void *block,
                                      struct eng_error *err);

/* How base64 is to be written: by RFC 4648 with its padding, or as TensorFlow Serving takes it,
 * with blanks in it and without padding. */
enum srv_base64_form { SRV_BASE64_STRICT, SRV_BASE64_LOOSE };

/* Purpose: reads one more, a PNG or JPEG as base64 text, which comes next. */
bool srv_pictures_add_base64(struct srv_pictures *pictures, enum srv_base64_form form,
                             const struct srv_pictures_limits *limits, struct srv_json *json);

/* Purpose: the code for the error of a body that could not be read: TOO_LARGE, INTERNAL or
 * INVALID_REQUEST. */
enum srv_code srv_pictures_code(const struct eng_error *err);

void srv_pictures_fini(struct srv_pictures *pictures);

#endif

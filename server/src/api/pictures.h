/* The pictures of a request's body: what classify takes, whatever form it came in. */
#ifndef SRV_API_PICTURES_H
#define SRV_API_PICTURES_H

#include "api/request.h"
#include "engine/model.h"
#include "serve/job.h"

struct srv_pictures {
    struct srv_sample *samples;
    size_t n_samples;
    bool is_list;   /* the client sent a list: the answer is one, even of a single picture */
    bool owns_data; /* samples[i].data are ours to free */
};

struct srv_pictures_limits {
    size_t n_pictures;
    size_t n_json_values;
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

/* Purpose: the JSON form alone: {"image"}, {"images"} or {"pixels"}. */
enum srv_code srv_pictures_read_json(const char *json, size_t n_bytes, const struct eng_card *card,
                                     const struct srv_pictures_limits *limits,
                                     struct srv_pictures *out, struct eng_error *err);

/* Purpose: the data of a "pixels" member; for pictures_json.c. value is a json_t. */
enum srv_code srv_pictures_read_pixels(const void *value, const struct eng_card *card,
                                       const struct srv_pictures_limits *limits,
                                       struct srv_pictures *out, struct eng_error *err);

/* Purpose: room for n samples, zeroed, that own their data if owns_data. */
enum srv_code srv_pictures_allocate(size_t n, bool owns_data,
                                    const struct srv_pictures_limits *limits,
                                    struct srv_pictures *out, struct eng_error *err);

void srv_pictures_fini(struct srv_pictures *pictures);

#endif

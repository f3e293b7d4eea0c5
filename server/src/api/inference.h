/*
 * One inference on its way: what the dialects that answer requests to a model share. A dialect's
 * handler reads the request into its own struct, of which this is the first member, and calls
 * srv_inference_run; its write makes the reply of what came out.
 */
#ifndef SRV_API_INFERENCE_H
#define SRV_API_INFERENCE_H

#include "api/model_request.h"
#include "serve/served.h"

struct srv_inference {
    struct srv_job job;
    struct srv_pictures inputs;
    bool wants_scores;
    /* Makes the reply; only after the job went well. On the connection's thread. */
    void (*write)(struct srv_request *request, const struct srv_inference *inference);
    /* Frees what the dialect's struct holds besides; NULL: nothing. */
    void (*fini)(struct srv_inference *inference);
};

/*
 * Purpose: a zeroed dialect struct of n_bytes with the version that {model} and {version} of the
 * route name, and with the priority and the deadline that the headers say
 * (srv_request_read_limits). NULL: the reply is an error.
 */
void *srv_inference_create(struct srv_request *request, size_t n_bytes);

/* Purpose: frees it, its inputs and answers, and releases the version. */
void srv_inference_destroy(struct srv_app *app, struct srv_inference *inference);

/*
 * Purpose: computes inputs, and replies by write or with the job's error.
 * Ownership: takes the inference. Returns what the handler returns.
 */
enum srv_handled srv_inference_run_take(struct srv_request *request,
                                        struct srv_inference *inference);

/* Purpose: the card of the version that answers. */
const struct eng_card *srv_inference_card(const struct srv_inference *inference);

#endif

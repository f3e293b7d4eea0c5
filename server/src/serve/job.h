/* One request's work: pictures in, probabilities out. */
#ifndef SRV_SERVE_JOB_H
#define SRV_SERVE_JOB_H

#include "base/code.h"
#include "engine/status.h"
#include "engine/tensor.h"

#include <stddef.h>
#include <stdint.h>

struct srv_served;

/* 1 goes first. */
enum { SRV_MAX_PRIORITY = 10, SRV_DEFAULT_PRIORITY = 5 };

enum srv_sample_kind {
    SRV_SAMPLE_ENCODED, /* bytes of a PNG or JPEG */
    SRV_SAMPLE_PIXELS,  /* floats 0..255, [H, W, C] of the model's size */
    SRV_SAMPLE_TENSOR,  /* numbers as the graph's input takes them: nothing is preprocessed */
};

struct srv_sample {
    enum srv_sample_kind kind;
    enum eng_dtype dtype; /* TENSOR: of the elements (serve/tensor.h); 0: floats */
    const void *data;     /* owned by the submitter until done; at any address */
    size_t n_bytes;
};

/* A picture as the model sees it. */
struct srv_png {
    uint8_t *bytes; /* malloc'd; NULL until it is there */
    size_t n_bytes;
};

/* Microseconds, monotonic clock; 0 = not reached. */
struct srv_job_times {
    int64_t submitted_us, started_us;
    int64_t decode_us, compute_us; /* durations, summed: its pictures; the batches it was in */
};

/*
 * The submitter zeroes it, fills the first part and keeps it, samples and probabilities alive until
 * done is called. done is called exactly once after a successful submit, on a worker or on the
 * watcher's thread, never under a lock, never from within submit; the batcher does not touch the
 * job afterwards. At least one sample.
 */
struct srv_job {
    struct srv_served *served; /* acquired by the submitter, who releases it after done */
    const struct srv_sample *samples;
    size_t n_samples;
    float *probabilities; /* [n_samples, n_classes], allocated by the submitter */
    float *scores; /* the same of what the graph's output says (engine/session.h); NULL: not wanted
                    */
    struct srv_png
        *seen;         /* [n_samples], zeroed by the submitter, who frees them; NULL: not wanted */
    unsigned priority; /* 1 goes first, larger ones later, above SRV_MAX_PRIORITY is the same as
                          that; 0: the model's default, which submit fills in */
    int64_t deadline_us; /* on srv_clock_us; at or after it nothing more is computed; 0 = none */
    void (*done)(struct srv_job *job);
    void *ctx;

    /* The answer. */
    enum srv_code code; /* OK, INVALID_IMAGE, INVALID_REQUEST, TOO_LARGE, DEADLINE_EXCEEDED ... */
    struct eng_error error; /* when code is not OK; "picture 3 of 8: ..." when there are several */
    unsigned retry_after_s; /* when it is refused: how soon to come again */
    size_t max_batch_size;  /* the largest batch that one of its pictures was part of */
    struct srv_job_times times;

    /* The batcher's own. */
    struct srv_job *next;
    size_t n_taken, n_finished;
    size_t failed_sample; /* the first bad one; SIZE_MAX: none */
};

#endif

/* Answering on the connection's own thread, where handing over would cost more than computing. */
#include "base/clock.h"
#include "serve/served_parts.h"

/* What may be decoded between two events of an epoll thread: a fraction of a millisecond. */
enum { INLINE_MAX_BYTES = 64 * 1024, INLINE_MAX_PIXELS = 256 * 256 };

static bool is_small(const struct srv_job *job)
{
    return job->n_samples == 1 && (job->samples[0].kind != SRV_SAMPLE_ENCODED ||
                                   job->samples[0].n_bytes <= INLINE_MAX_BYTES);
}

static struct srv_inline *take(struct srv_served *served)
{
    for (size_t i = 0; i < served->n_inline; i++)
        if (!atomic_flag_test_and_set_explicit(&served->inlines[i].taken, memory_order_acquire))
            return &served->inlines[i];
    return NULL;
}

static void compute(struct srv_served *served, struct eng_session *session, struct srv_job *job)
{
    int64_t start_us = srv_clock_us();
    const float *probabilities = eng_session_classify(session, 1);
    job->code = srv_answer_take(job, 0, session, probabilities, 0, &job->error);
    job->times.compute_us = srv_clock_us() - start_us;
    job->max_batch_size = 1;
    srv_served_count_batch(served, 1, job->times.decode_us, job->times.compute_us);
}

bool srv_served_try_inline(struct srv_job *job)
{
    struct srv_served *served = job->served;
    if (served->n_inline == 0 || served->max_delay_us > 0 || !is_small(job) ||
        srv_served_queue_length(served) > 0)
        return false;
    int64_t start_us = srv_clock_us();
    if (job->deadline_us && start_us >= job->deadline_us)
        return false; /* the batcher's to refuse */
    struct srv_inline *own = take(served);
    if (!own) return false;
    struct eng_image_limits limits = srv_served_limits(served);
    if (limits.n_pixels > INLINE_MAX_PIXELS) limits.n_pixels = INLINE_MAX_PIXELS;
    struct eng_error err = {0};
    enum srv_code code =
        srv_sample_prepare(job, 0, &limits, eng_session_sample(own->session, 1, 0), &err);
    bool answered = err.status != ENG_LIMIT; /* too large for here, perhaps not for a worker */
    if (answered) {
        job->code = code;
        if (code != SRV_OK) job->error = err;
        job->times.submitted_us = job->times.started_us = start_us;
        job->times.decode_us = srv_clock_us() - start_us;
        if (code == SRV_OK) compute(served, own->session, job);
    }
    atomic_flag_clear_explicit(&own->taken, memory_order_release);
    if (answered) srv_served_count_job(served, job);
    return answered;
}

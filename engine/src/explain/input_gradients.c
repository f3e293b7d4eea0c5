/*
 * Two methods that average the gradient of the score by the picture's values, g(x) = d score / d x.
 *
 * Integrated gradients: the picture's difference from a baseline x', shared out among its values
 * along the straight way from one to the other.
 *     map[p] = sum over channels of (x - x') * mean over k = 0 .. steps - 1 of
 *              g(x' + (k + 1/2) / steps * (x - x'))
 * The midpoint rule. With enough steps the map's sum is score(x) - score(x'): their number is
 * tripled, and the points so far are used again, until the two differ by 1 in 100 at most. Source:
 * Sundararajan, Taly, Yan, "Axiomatic Attribution for Deep Networks" (2017), equation 1.
 *
 * SmoothGrad: the gradient's strength near the picture, without what changes from place to place.
 *     map[p] = sum over channels of |mean over samples of g(x + noise)|
 * noise: normal, its standard deviation a share of the sample's largest minus smallest value.
 * Source: Smilkov, Thorat, Kim, Viegas, Wattenberg, "SmoothGrad: removing noise by adding noise"
 * (2017), section 3.
 */
#include "base/error.h"
#include "base/mem.h"
#include "base/rng.h"
#include "explain/map.h"
#include "explain/net.h"
#include "explain/pixels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_STEPS = 1024 };
static const double TOLERANCE = 0.01; /* of the difference of the scores */
static const double ROUNDING = 1e-3;  /* a difference that is as small need not be met */

/* Two rows come before all others, whose scores alone are wanted: the picture and the baseline. */
enum { N_ENDS = 2 };

struct walk {
    const struct eng_preprocess *pre;
    const struct eng_explain_request *request;
    struct eng_explanation *out;
    struct eng_explain_net net;
    struct eng_explain_progress progress;
    size_t n_values;   /* of a sample */
    size_t n_points;   /* where gradients are taken */
    bool is_refined;   /* of three points the middle one is done */
    double deviation;  /* of the noise */
    float *baseline;   /* [n_values] */
    float *point;      /* [n_values] */
    double *gradients; /* [n_values] sums over points */
    /* Writes the point that comes as number i. */
    void (*make)(const struct walk *walk, size_t i);
};

enum eng_status eng_explain_check_input_gradient(const struct eng_model *model,
                                                 struct eng_error *err)
{
    return eng_explain_gradient_check(model, model->graph.inputs[0], err);
}

static void make_on_path(const struct walk *walk, size_t i)
{
    size_t step = walk->is_refined ? i / 2 * 3 + i % 2 * 2 : i;
    double share = ((double)step + 0.5) / (double)walk->n_points;
    for (size_t k = 0; k < walk->n_values; k++) {
        double from = (double)walk->baseline[k], to = (double)walk->request->sample[k];
        walk->point[k] = (float)(from + share * (to - from));
    }
}

static void make_noisy(const struct walk *walk, size_t i)
{
    struct eng_rng rng;
    eng_rng_init(&rng, (uint64_t)walk->request->seed, i);
    for (size_t k = 0; k < walk->n_values; k++)
        walk->point[k] = walk->request->sample[k] + (float)walk->deviation * eng_rng_normal(&rng);
}

/* Rows first .. first + n - 1 of all, in one run. n_ends: how many of all are ends. */
static void run_rows(struct walk *walk, size_t first, size_t n, size_t n_ends)
{
    for (size_t row = 0; row < n; row++) {
        size_t i = first + row;
        if (i >= n_ends) walk->make(walk, i - n_ends);
        const float *end = i == 0 ? walk->request->sample : walk->baseline;
        eng_explain_net_put(&walk->net, row, i < n_ends ? end : walk->point);
    }
    eng_explain_net_run(&walk->net);
    for (size_t row = 0; row < n && first + row < n_ends; row++) {
        double score = eng_explain_net_score(&walk->net, row, walk->out->class_index);
        *(first + row == 0 ? &walk->out->score : &walk->out->baseline_score) = score;
    }
    size_t first_row = first < n_ends ? n_ends - first : 0;
    if (first_row >= n) return;
    const float *found = eng_explain_net_gradient(&walk->net, first_row, n, walk->out->class_index);
    for (size_t row = first_row; row < n; row++)
        for (size_t k = 0; k < walk->n_values; k++)
            walk->gradients[k] += (double)found[row * walk->n_values + k];
}

/* Adds the gradients at n points to the sums. */
static enum eng_status take_gradients(struct walk *walk, size_t n, struct eng_error *err)
{
    size_t n_ends = walk->is_refined ? 0 : N_ENDS, n_rows = n + n_ends;
    walk->progress.n_all += n_rows;
    for (size_t first = 0; first < n_rows; first += walk->net.batch) {
        enum eng_status status = eng_explain_go_on(&walk->progress, err);
        if (status != ENG_OK) return status;
        size_t n_now = n_rows - first < walk->net.batch ? n_rows - first : walk->net.batch;
        run_rows(walk, first, n_now, n_ends);
        walk->progress.n_done += n_now;
    }
    walk->out->n_runs += n_rows;
    return ENG_OK;
}

static enum eng_status begin(struct walk *walk, const struct eng_model *model,
                             struct eng_error *err)
{
    float fill[3];
    walk->pre = &eng_model_card(model)->preprocess;
    walk->n_values = model->sample_count;
    walk->progress.request = walk->request;
    enum eng_status status =
        eng_explain_gradient_create(model, model->graph.inputs[0], walk->n_points + N_ENDS,
                                    walk->request->pool, &walk->net, err);
    if (status != ENG_OK) return status;
    walk->baseline = eng_calloc(walk->n_values, sizeof *walk->baseline);
    walk->point = eng_calloc(walk->n_values, sizeof *walk->point);
    walk->gradients = eng_calloc(walk->n_values, sizeof *walk->gradients);
    if (!walk->baseline || !walk->point || !walk->gradients)
        return eng_fail_memory(err, "a mean gradient");
    eng_explain_baseline_values(walk->pre, walk->request->baseline, walk->request->sample, fill);
    for (size_t p = 0; p < eng_explain_n_pixels(walk->pre); p++)
        for (size_t c = 0; c < eng_preprocess_channels(walk->pre); c++)
            walk->baseline[eng_explain_place(walk->pre, p, c)] = fill[c];
    return ENG_OK;
}

static void end(struct walk *walk)
{
    eng_explain_net_fini(&walk->net);
    free(walk->baseline);
    free(walk->point);
    free(walk->gradients);
}

/* What one value adds to the score. */
static double attribution(const struct walk *walk, size_t k)
{
    double way = (double)walk->request->sample[k] - (double)walk->baseline[k];
    return way * walk->gradients[k] / (double)walk->n_points;
}

static bool is_complete(const struct walk *walk)
{
    double difference = walk->out->score - walk->out->baseline_score, sum = 0;
    for (size_t k = 0; k < walk->n_values; k++)
        sum += attribution(walk, k);
    return fabs(sum - difference) <= fmax(TOLERANCE * fabs(difference), ROUNDING);
}

enum eng_status eng_explain_integrated_gradients(const struct eng_model *model,
                                                 const struct eng_explain_request *request,
                                                 struct eng_explanation *out, struct eng_error *err)
{
    struct walk walk = {
        .request = request, .out = out, .n_points = (size_t)request->steps, .make = make_on_path};
    enum eng_status status = begin(&walk, model, err);
    if (status == ENG_OK) status = take_gradients(&walk, walk.n_points, err);
    if (status == ENG_OK && !isfinite(out->baseline_score))
        status = eng_fail(err, ENG_UNSUPPORTED,
                          "the baseline's score is %g, wanted a number; another baseline may do",
                          out->baseline_score);
    while (status == ENG_OK && !is_complete(&walk) && 3 * walk.n_points <= MAX_STEPS) {
        walk.is_refined = true;
        walk.n_points *= 3;
        status = take_gradients(&walk, walk.n_points / 3 * 2, err);
    }
    for (size_t p = 0; status == ENG_OK && p < eng_explain_n_pixels(walk.pre); p++) {
        double sum = 0;
        for (size_t c = 0; c < eng_preprocess_channels(walk.pre); c++)
            sum += attribution(&walk, eng_explain_place(walk.pre, p, c));
        out->map[p] = (float)sum;
    }
    out->is_signed = true;
    end(&walk);
    return status;
}

static double range_of(const float *values, size_t n)
{
    float least = values[0], most = values[0];
    for (size_t k = 1; k < n; k++) {
        least = fminf(least, values[k]);
        most = fmaxf(most, values[k]);
    }
    return (double)most - (double)least;
}

enum eng_status eng_explain_smoothgrad(const struct eng_model *model,
                                       const struct eng_explain_request *request,
                                       struct eng_explanation *out, struct eng_error *err)
{
    struct walk walk = {.request = request,
                        .out = out,
                        .n_points = (size_t)request->samples,
                        .deviation =
                            request->noise * range_of(request->sample, model->sample_count),
                        .make = make_noisy};
    enum eng_status status = begin(&walk, model, err);
    if (status == ENG_OK) status = take_gradients(&walk, walk.n_points, err);
    for (size_t p = 0; status == ENG_OK && p < eng_explain_n_pixels(walk.pre); p++) {
        double sum = 0;
        for (size_t c = 0; c < eng_preprocess_channels(walk.pre); c++)
            sum += fabs(walk.gradients[eng_explain_place(walk.pre, p, c)]);
        out->map[p] = (float)(sum / (double)walk.n_points);
    }
    out->baseline_score = NAN;
    end(&walk);
    return status;
}

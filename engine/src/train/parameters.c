#include "train/parameters.h"

#include "base/error.h"
#include "base/mem.h"
#include "kernels/dispatch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    PIECE_FLOATS = 16384,
    BLOCK_FLOATS = 2048, /* of a piece at a time: its gradient stays in the L1 cache */
};

/* --- finding them --- */

/* Cuts a constant into pieces, numbered from first on; without room for pieces it only counts. */
static size_t cut(struct eng_parameters *p, const struct eng_tensor *tensor, size_t first,
                  bool is_weight, size_t n_pieces)
{
    size_t left = (size_t)eng_shape_count(&tensor->shape);
    for (float *data = tensor->data; left > 0;) {
        size_t n = left < PIECE_FLOATS ? left : PIECE_FLOATS;
        if (p->pieces)
            p->pieces[n_pieces] = (struct eng_parameter_piece){
                .data = data, .first = first, .n = n, .is_weight = is_weight};
        n_pieces++;
        first += n;
        data += n;
        left -= n;
    }
    return n_pieces;
}

/* Some operator multiplies by it. */
static bool is_weight(const struct eng_graph *graph, size_t v)
{
    for (size_t i = 0; i < graph->n_nodes; i++) {
        const struct eng_node *node = &graph->nodes[i];
        for (size_t k = 0; k < node->n_in; k++)
            if (node->in[k] == (int)v && node->op->weight_inputs >> k & 1) return true;
    }
    return false;
}

static void walk_parameters(struct eng_parameters *p, const struct eng_graph *graph)
{
    p->n = p->n_pieces = 0;
    for (size_t v = 0; v < graph->n_values; v++) {
        const struct eng_value *value = &graph->values[v];
        p->first[v] = value->trainable ? p->n : SIZE_MAX;
        if (!value->trainable) continue;
        p->n_pieces = cut(p, &value->tensor, p->n, is_weight(graph, v), p->n_pieces);
        p->n += (size_t)eng_shape_count(&value->tensor.shape);
    }
}

/* State: the constants that an operator with commit has and no gradient moves. */
static void walk_state(struct eng_parameters *p, const struct eng_graph *graph)
{
    size_t n_pieces = p->n_pieces;
    p->n_state = 0;
    for (size_t i = 0; i < graph->n_nodes; i++) {
        const struct eng_node *node = &graph->nodes[i];
        for (size_t k = 0; node->op->commit && k < node->n_in; k++) {
            if (node->in[k] == ENG_NO_VALUE || node->op->trainable_inputs >> k & 1) continue;
            const struct eng_value *value = &graph->values[node->in[k]];
            if (value->kind != ENG_VALUE_CONSTANT || value->tensor.dtype != ENG_FLOAT32) continue;
            n_pieces = cut(p, &value->tensor, p->n + p->n_state, false, n_pieces);
            p->n_state += (size_t)eng_shape_count(&value->tensor.shape);
        }
    }
    p->n_state_pieces = n_pieces - p->n_pieces;
}

/* Counts everything; with room for pieces, fills them too. */
static void walk(struct eng_parameters *p, const struct eng_graph *graph)
{
    walk_parameters(p, graph);
    walk_state(p, graph);
}

static size_t count_pieces(const struct eng_parameters *p)
{
    return p->n_pieces + p->n_state_pieces;
}

enum eng_status eng_parameters_init(struct eng_parameters *parameters,
                                    const struct eng_graph *graph, struct eng_error *err)
{
    struct eng_parameters p = {.first = eng_calloc(graph->n_values, sizeof *p.first)};
    if (!p.first) return eng_fail_memory(err, "parameters");
    walk(&p, graph);
    if (p.n == 0) {
        eng_parameters_fini(&p);
        return eng_fail(err, ENG_FORMAT, "the network has no parameters; wanted a Conv or a Gemm");
    }
    p.pieces = eng_calloc(count_pieces(&p), sizeof *p.pieces);
    if (!p.pieces) {
        eng_parameters_fini(&p);
        return eng_fail_memory(err, "parameters");
    }
    walk(&p, graph);
    *parameters = p;
    return ENG_OK;
}

void eng_parameters_fini(struct eng_parameters *parameters)
{
    free(parameters->first);
    free(parameters->pieces);
    memset(parameters, 0, sizeof *parameters);
}

/* --- a step --- */

struct step {
    const struct eng_parameters *parameters;
    const struct eng_optimiser *optimiser;
    const struct eng_step_options *options;
    float *const *gradients;
    size_t n_shards;
    bool measures, moves; /* what this pass does */
    float scale;          /* of the gradient, when moving */
};

/* The gradient of a block, from all shards in their order, and the penalty's. */
static void gather(const struct step *step, const struct eng_parameter_piece *piece, size_t at,
                   size_t n, float *restrict gradient)
{
    const float *restrict first = step->gradients[0] + piece->first + at;
    const float *restrict second =
        step->n_shards > 1 ? step->gradients[1] + piece->first + at : NULL;
    for (size_t k = 0; second && k < n; k++)
        gradient[k] = first[k] + second[k];
    if (!second) memcpy(gradient, first, n * sizeof *gradient);
    for (size_t s = 2; s < step->n_shards; s++) {
        const float *restrict more = step->gradients[s] + piece->first + at;
        for (size_t k = 0; k < n; k++)
            gradient[k] += more[k];
    }
    if (!piece->is_weight || step->options->l2 == 0) return;
    float factor = (float)(2 * step->options->l2);
    for (size_t k = 0; k < n; k++)
        gradient[k] += factor * piece->data[at + k];
}

static void measure(const struct step *step, struct eng_parameter_piece *piece, size_t at, size_t n,
                    const float *gradient)
{
    const struct eng_kernels *kernels = eng_kernels();
    piece->gradient_squares += (double)kernels->sum_squares(gradient, 0, n);
    if (piece->is_weight && step->options->l2 != 0)
        piece->weight_squares += (double)kernels->sum_squares(piece->data + at, 0, n);
}

static void move(const struct step *step, struct eng_parameter_piece *piece, size_t at, size_t n,
                 float *gradient)
{
    for (size_t k = 0; step->scale < 1 && k < n; k++)
        gradient[k] *= step->scale;
    eng_optimiser_update(step->optimiser, step->options->learning_rate, piece->is_weight,
                         piece->first + at, n, gradient, piece->data + at);
}

static void step_pieces(void *ctx, size_t begin, size_t end)
{
    const struct step *step = ctx;
    float gradient[BLOCK_FLOATS];
    for (size_t i = begin; i < end; i++) {
        struct eng_parameter_piece *piece = &step->parameters->pieces[i];
        if (step->measures) piece->gradient_squares = piece->weight_squares = 0;
        for (size_t at = 0; at < piece->n; at += BLOCK_FLOATS) {
            size_t n = piece->n - at < BLOCK_FLOATS ? piece->n - at : BLOCK_FLOATS;
            gather(step, piece, at, n, gradient);
            if (step->measures) measure(step, piece, at, n, gradient);
            if (step->moves) move(step, piece, at, n, gradient);
        }
    }
}

/* In the order of the pieces, so that rounding does not depend on who was first. */
static struct eng_step_result sum_pieces(const struct eng_parameters *p, double l2)
{
    double gradient_squares = 0, weight_squares = 0;
    for (size_t i = 0; i < p->n_pieces; i++) {
        gradient_squares += p->pieces[i].gradient_squares;
        weight_squares += p->pieces[i].weight_squares;
    }
    return (struct eng_step_result){.gradient_norm = sqrt(gradient_squares),
                                    .penalty = l2 * weight_squares};
}

struct eng_step_result eng_parameters_step(struct eng_parameters *parameters,
                                           struct eng_optimiser *optimiser,
                                           const struct eng_step_options *options,
                                           float *const *gradients, size_t n_shards,
                                           struct eng_pool *pool)
{
    bool clips = options->clip_norm > 0;
    struct step step = {.parameters = parameters,
                        .optimiser = optimiser,
                        .options = options,
                        .gradients = gradients,
                        .n_shards = n_shards,
                        .measures = true,
                        .moves = !clips,
                        .scale = 1};
    eng_optimiser_begin_step(optimiser);
    eng_pool_for(pool, parameters->n_pieces, 1, step_pieces, &step);
    struct eng_step_result result = sum_pieces(parameters, options->l2);
    if (!clips || !isfinite(result.gradient_norm)) return result;
    step.measures = false;
    step.moves = true;
    step.scale = (float)(options->clip_norm / (result.gradient_norm + 1e-6));
    eng_pool_for(pool, parameters->n_pieces, 1, step_pieces, &step);
    return result;
}

/* --- copies of everything --- */

size_t eng_parameters_count(const struct eng_parameters *parameters)
{
    return parameters->n + parameters->n_state;
}

void eng_parameters_read(const struct eng_parameters *parameters, float *floats)
{
    for (size_t i = 0; i < count_pieces(parameters); i++) {
        const struct eng_parameter_piece *piece = &parameters->pieces[i];
        memcpy(floats + piece->first, piece->data, piece->n * sizeof *floats);
    }
}

void eng_parameters_write(const struct eng_parameters *parameters, const float *floats)
{
    for (size_t i = 0; i < count_pieces(parameters); i++) {
        const struct eng_parameter_piece *piece = &parameters->pieces[i];
        memcpy(piece->data, floats + piece->first, piece->n * sizeof *floats);
    }
}

void eng_parameters_swap(const struct eng_parameters *parameters, float *floats)
{
    for (size_t i = 0; i < count_pieces(parameters); i++) {
        const struct eng_parameter_piece *piece = &parameters->pieces[i];
        float *other = floats + piece->first;
        for (size_t k = 0; k < piece->n; k++) {
            float kept = other[k];
            other[k] = piece->data[k];
            piece->data[k] = kept;
        }
    }
}

struct averaging {
    const struct eng_parameters *parameters;
    float *average;
    float share; /* of the new */
};

static void average_pieces(void *ctx, size_t begin, size_t end)
{
    const struct averaging *a = ctx;
    for (size_t i = begin; i < end; i++) {
        const struct eng_parameter_piece *piece = &a->parameters->pieces[i];
        float *average = a->average + piece->first;
        for (size_t k = 0; k < piece->n; k++)
            average[k] += a->share * (piece->data[k] - average[k]);
    }
}

void eng_parameters_average(const struct eng_parameters *parameters, double decay, float *average,
                            struct eng_pool *pool)
{
    struct averaging averaging = {parameters, average, (float)(1 - decay)};
    eng_pool_for(pool, count_pieces(parameters), 1, average_pieces, &averaging);
}

#include "train/parameters.h"

#include "base/error.h"
#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE_FLOATS = 16384 };

/* Cuts a constant into pieces, numbered from first on; without pieces allocated it only counts. */
static size_t cut(struct eng_parameters *p, const struct eng_value *value, size_t first,
                  size_t n_pieces)
{
    size_t left = (size_t)eng_shape_count(&value->tensor.shape);
    for (float *data = value->tensor.data; left > 0;) {
        size_t n = left < PIECE_FLOATS ? left : PIECE_FLOATS;
        if (p->pieces) p->pieces[n_pieces] = (struct eng_parameter_piece){data, first, n};
        n_pieces++;
        first += n;
        data += n;
        left -= n;
    }
    return n_pieces;
}

static void walk_parameters(struct eng_parameters *p, const struct eng_graph *graph)
{
    p->n = p->n_pieces = 0;
    for (size_t v = 0; v < graph->n_values; v++) {
        const struct eng_value *value = &graph->values[v];
        p->first[v] = value->trainable ? p->n : SIZE_MAX;
        if (!value->trainable) continue;
        p->n_pieces = cut(p, value, p->n, p->n_pieces);
        p->n += (size_t)eng_shape_count(&value->tensor.shape);
    }
}

/* State stands at the untrained constants of operators that commit. */
static void walk_state(struct eng_parameters *p, const struct eng_graph *graph)
{
    size_t n_pieces = p->n_pieces;
    p->n_state = 0;
    for (size_t i = 0; i < graph->n_nodes; i++) {
        const struct eng_node *node = &graph->nodes[i];
        for (size_t k = 0; node->op->commit && k < node->n_in; k++) {
            if (node->in[k] == ENG_NO_VALUE) continue;
            const struct eng_value *value = &graph->values[node->in[k]];
            if (value->kind != ENG_VALUE_CONSTANT || value->trainable ||
                value->tensor.dtype != ENG_FLOAT32)
                continue;
            n_pieces = cut(p, value, p->n + p->n_state, n_pieces);
            p->n_state += (size_t)eng_shape_count(&value->tensor.shape);
        }
    }
    p->n_state_pieces = n_pieces - p->n_pieces;
}

/* Counts everything; with pieces allocated, fills them too. */
static void walk(struct eng_parameters *p, const struct eng_graph *graph)
{
    walk_parameters(p, graph);
    walk_state(p, graph);
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
    p.pieces = eng_calloc(p.n_pieces + p.n_state_pieces, sizeof *p.pieces);
    p.squares = eng_calloc(p.n_pieces, sizeof *p.squares);
    if (!p.pieces || !p.squares) {
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
    free(parameters->squares);
    memset(parameters, 0, sizeof *parameters);
}

struct step {
    struct eng_parameters *parameters;
    const struct eng_optimiser *optimiser;
    double learning_rate;
    float *const *gradients;
    size_t n_shards;
    bool move;   /* in the pass that sums, too */
    float scale; /* of the gradient, in a pass of its own */
};

/* Lanes of their own let the compiler use vectors without changing the order of the sums. */
static double sum_of_squares(const float *x, size_t n)
{
    enum { LANES = 8 };
    double lanes[LANES] = {0}, sum = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            lanes[k] += (double)x[i + k] * (double)x[i + k];
    for (; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    for (size_t k = 0; k < LANES; k++)
        sum += lanes[k];
    return sum;
}

static void move_piece(const struct step *step, const struct eng_parameter_piece *piece)
{
    eng_optimiser_update(step->optimiser, step->learning_rate, piece->first, piece->n,
                         step->gradients[0] + piece->first, piece->data);
}

static void sum_pieces(void *ctx, size_t begin, size_t end)
{
    const struct step *step = ctx;
    for (size_t i = begin; i < end; i++) {
        const struct eng_parameter_piece *piece = &step->parameters->pieces[i];
        float *sum = step->gradients[0] + piece->first;
        for (size_t s = 1; s < step->n_shards; s++)
            for (size_t k = 0; k < piece->n; k++)
                sum[k] += step->gradients[s][piece->first + k];
        step->parameters->squares[i] = sum_of_squares(sum, piece->n);
        if (step->move) move_piece(step, piece);
    }
}

static void move_pieces(void *ctx, size_t begin, size_t end)
{
    const struct step *step = ctx;
    for (size_t i = begin; i < end; i++) {
        const struct eng_parameter_piece *piece = &step->parameters->pieces[i];
        float *gradient = step->gradients[0] + piece->first;
        if (step->scale < 1)
            for (size_t k = 0; k < piece->n; k++)
                gradient[k] *= step->scale;
        move_piece(step, piece);
    }
}

double eng_parameters_step(struct eng_parameters *parameters, struct eng_optimiser *optimiser,
                           double learning_rate, double clip_norm, float *const *gradients,
                           size_t n_shards, struct eng_pool *pool)
{
    struct step step = {.parameters = parameters,
                        .optimiser = optimiser,
                        .learning_rate = learning_rate,
                        .gradients = gradients,
                        .n_shards = n_shards,
                        .move = !(clip_norm > 0),
                        .scale = 1};
    double sum = 0;
    eng_optimiser_begin_step(optimiser);
    eng_pool_for(pool, parameters->n_pieces, 1, sum_pieces, &step);
    for (size_t i = 0; i < parameters->n_pieces; i++)
        sum += parameters->squares[i];
    double norm = sqrt(sum);
    if (step.move || !isfinite(norm)) return norm;
    if (norm > clip_norm) step.scale = (float)(clip_norm / norm);
    eng_pool_for(pool, parameters->n_pieces, 1, move_pieces, &step);
    return norm;
}

size_t eng_parameters_count(const struct eng_parameters *parameters)
{
    return parameters->n + parameters->n_state;
}

static size_t count_pieces(const struct eng_parameters *parameters)
{
    return parameters->n_pieces + parameters->n_state_pieces;
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

#include "train/parameters.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE_FLOATS = 16384 };

/* Counts everything; with pieces allocated, fills them too. */
static void walk(struct eng_parameters *p, const struct eng_graph *graph)
{
    p->n = p->n_pieces = 0;
    for (size_t v = 0; v < graph->n_values; v++) {
        const struct eng_value *value = &graph->values[v];
        p->first[v] = value->trainable ? p->n : SIZE_MAX;
        size_t left = value->trainable ? (size_t)eng_shape_count(&value->tensor.shape) : 0;
        for (float *data = value->tensor.data; left > 0;) {
            size_t n = left < PIECE_FLOATS ? left : PIECE_FLOATS;
            if (p->pieces) p->pieces[p->n_pieces] = (struct eng_parameter_piece){data, p->n, n};
            p->n_pieces++;
            p->n += n;
            data += n;
            left -= n;
        }
    }
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
    p.pieces = eng_calloc(p.n_pieces, sizeof *p.pieces);
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

struct step {
    const struct eng_parameters *parameters;
    const struct eng_optimiser *optimiser;
    double learning_rate;
    float *const *gradients;
    size_t n_shards;
};

static void step_pieces(void *ctx, size_t begin, size_t end)
{
    const struct step *step = ctx;
    for (size_t i = begin; i < end; i++) {
        const struct eng_parameter_piece *piece = &step->parameters->pieces[i];
        float *sum = step->gradients[0] + piece->first;
        for (size_t s = 1; s < step->n_shards; s++)
            for (size_t k = 0; k < piece->n; k++)
                sum[k] += step->gradients[s][piece->first + k];
        eng_optimiser_update(step->optimiser, step->learning_rate, piece->first, piece->n, sum,
                             piece->data);
    }
}

void eng_parameters_step(const struct eng_parameters *parameters, struct eng_optimiser *optimiser,
                         double learning_rate, float *const *gradients, size_t n_shards,
                         struct eng_pool *pool)
{
    struct step step = {parameters, optimiser, learning_rate, gradients, n_shards};
    eng_optimiser_begin_step(optimiser);
    eng_pool_for(pool, parameters->n_pieces, 1, step_pieces, &step);
}

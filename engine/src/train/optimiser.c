#include "train/optimiser.h"

#include "base/error.h"
#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The part of a step that an update function works on. */
struct range {
    const struct eng_optimiser *optimiser;
    float learning_rate, weight_decay;
    size_t n;
    const float *gradients;
    float *parameters;
    float *memory[2]; /* the optimiser's slots, at the range's first parameter */
};

#define LEARNING_RATE(preset) \
    ENG_F_FLOAT(struct eng_optimiser_options, learning_rate, preset, 1e-9, 1e3, "step size")
#define WEIGHT_DECAY(preset, help) \
    ENG_F_FLOAT(struct eng_optimiser_options, weight_decay, preset, 0, 10, help)

#define GROUPS                                                             \
    ENG_F_BOOL(struct eng_optimiser_options, decay_weights_only, 0,        \
               "weight_decay leaves biases and BatchNormalization alone"), \
        ENG_F_FLOAT(struct eng_optimiser_options, bias_factor, 1, 0, 1000, \
                    "times the learning rate for biases and BatchNormalization")

static const struct eng_field sgd_fields[] = {
    LEARNING_RATE(0.01),
    WEIGHT_DECAY(0, "L2 penalty: this times the parameter joins the gradient"),
    GROUPS,
    ENG_F_FLOAT(struct eng_optimiser_options, momentum, 0, 0, 0.9999,
                "share of the last move kept"),
    ENG_F_BOOL(struct eng_optimiser_options, nesterov, 0, "look ahead along the momentum"),
};

/* v = momentum v + g; p -= rate v, or with Nesterov p -= rate (g + momentum v). v starts at 0. */
static void sgd(const struct range *r)
{
    const struct eng_optimiser_options *options = r->optimiser->options;
    float momentum = (float)options->momentum, decay = r->weight_decay, rate = r->learning_rate;
    float of_g = options->nesterov ? 1 : 0, of_v = options->nesterov ? momentum : 1;
    const float *restrict gradients = r->gradients;
    float *restrict parameters = r->parameters, *restrict velocity = r->memory[0];
    for (size_t i = 0; i < r->n; i++) {
        float g = gradients[i] + decay * parameters[i];
        float v = momentum * velocity[i] + g;
        velocity[i] = v;
        parameters[i] -= rate * (of_g * g + of_v * v);
    }
}

#define MOMENTS                                                                                 \
    ENG_F_FLOAT(struct eng_optimiser_options, beta1, 0.9, 0, 0.9999, "memory of the gradient"), \
        ENG_F_FLOAT(struct eng_optimiser_options, beta2, 0.999, 0, 0.999999,                    \
                    "memory of the squared gradient"),                                          \
        ENG_F_FLOAT(struct eng_optimiser_options, epsilon, 1e-8, 1e-16, 1,                      \
                    "keeps the divisor off 0")

static const struct eng_field adam_fields[] = {
    LEARNING_RATE(0.001),
    WEIGHT_DECAY(0, "L2 penalty: this times the parameter joins the gradient"),
    GROUPS,
    MOMENTS,
};

static const struct eng_field adamw_fields[] = {
    LEARNING_RATE(0.001),
    WEIGHT_DECAY(0.01, "decoupled: parameters shrink by learning rate x this"),
    GROUPS,
    MOMENTS,
};

/*
 * m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2;
 * p -= rate / (1 - b1^t) * m / (sqrt(v / (1 - b2^t)) + epsilon).
 */
static void adam_step(const struct range *r, float l2, float keep)
{
    const struct eng_optimiser_options *o = r->optimiser->options;
    float b1 = (float)o->beta1, b2 = (float)o->beta2, epsilon = (float)o->epsilon;
    float rate = r->learning_rate * r->optimiser->m_scale, v_scale = r->optimiser->v_scale;
    const float *restrict gradients = r->gradients;
    float *restrict parameters = r->parameters;
    float *restrict m = r->memory[0], *restrict v = r->memory[1];
    for (size_t i = 0; i < r->n; i++) {
        float g = gradients[i] + l2 * parameters[i];
        m[i] = b1 * m[i] + (1 - b1) * g;
        v[i] = b2 * v[i] + (1 - b2) * g * g;
        parameters[i] = keep * parameters[i] - rate * m[i] / (sqrtf(v[i]) * v_scale + epsilon);
    }
}

static void adam(const struct range *r)
{
    adam_step(r, r->weight_decay, 1);
}

static void adamw(const struct range *r)
{
    adam_step(r, 0, 1 - r->learning_rate * r->weight_decay);
}

const struct eng_kind eng_optimiser_kinds[] = {
#define OPTIMISER(text, prefix, n_slots) ENG_KIND(text, prefix##_fields),
#include "train/optimiser.def"
#undef OPTIMISER
};

const size_t eng_n_optimiser_kinds = sizeof eng_optimiser_kinds / sizeof *eng_optimiser_kinds;

static const struct {
    void (*update)(const struct range *range);
    size_t n_slots;
} methods[] = {
#define OPTIMISER(text, prefix, slots) {.update = prefix, .n_slots = slots},
#include "train/optimiser.def"
#undef OPTIMISER
};

enum eng_status eng_optimiser_init(struct eng_optimiser *optimiser,
                                   const struct eng_optimiser_options *options, size_t n,
                                   struct eng_error *err)
{
    struct eng_optimiser made = {.options = options, .n = n};
    if (eng_mul_size(n, methods[options->kind].n_slots, &made.n_floats))
        made.memory = eng_calloc(made.n_floats, sizeof *made.memory);
    if (!made.memory) return eng_fail_memory(err, "the optimiser's state");
    *optimiser = made;
    return ENG_OK;
}

void eng_optimiser_fini(struct eng_optimiser *optimiser)
{
    free(optimiser->memory);
    memset(optimiser, 0, sizeof *optimiser);
}

void eng_optimiser_begin_step(struct eng_optimiser *optimiser)
{
    double t = (double)++optimiser->n_steps;
    optimiser->m_scale = (float)(1 / (1 - pow(optimiser->options->beta1, t)));
    optimiser->v_scale = (float)(1 / sqrt(1 - pow(optimiser->options->beta2, t)));
}

void eng_optimiser_update(const struct eng_optimiser *optimiser, double learning_rate,
                          bool is_weight, size_t first, size_t n, const float *gradients,
                          float *parameters)
{
    const struct eng_optimiser_options *options = optimiser->options;
    bool decays = is_weight || !options->decay_weights_only;
    struct range range = {
        .optimiser = optimiser,
        .learning_rate = (float)(learning_rate * (is_weight ? 1 : options->bias_factor)),
        .weight_decay = decays ? (float)options->weight_decay : 0,
        .n = n,
        .gradients = gradients,
        .parameters = parameters,
    };
    for (size_t slot = 0; slot < methods[options->kind].n_slots; slot++)
        range.memory[slot] = optimiser->memory + slot * optimiser->n + first;
    methods[options->kind].update(&range);
}

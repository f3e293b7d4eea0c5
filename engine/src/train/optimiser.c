#include "train/optimiser.h"

#include "base/error.h"
#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The part of a step that an update function works on. */
struct range {
    const struct eng_optimiser_options *options;
    float learning_rate;
    size_t step; /* from 1 */
    size_t n;
    const float *gradients;
    float *parameters;
    float *memory[2]; /* the optimiser's slots, at the range's first parameter */
};

#define LEARNING_RATE(preset) \
    ENG_F_FLOAT(struct eng_optimiser_options, learning_rate, preset, 1e-9, 1e3, "step size")
#define WEIGHT_DECAY(preset, help) \
    ENG_F_FLOAT(struct eng_optimiser_options, weight_decay, preset, 0, 10, help)

static const struct eng_field sgd_fields[] = {
    LEARNING_RATE(0.01),
    WEIGHT_DECAY(0, "L2 penalty: this times the parameter joins the gradient"),
    ENG_F_FLOAT(struct eng_optimiser_options, momentum, 0, 0, 0.9999,
                "share of the last move kept"),
    ENG_F_BOOL(struct eng_optimiser_options, nesterov, 0, "look ahead along the momentum"),
};

/* v = momentum v + g; p -= rate v, or with Nesterov p -= rate (g + momentum v). v starts at 0. */
static void sgd(const struct range *r)
{
    float momentum = (float)r->options->momentum, decay = (float)r->options->weight_decay;
    float *velocity = r->memory[0];
    for (size_t i = 0; i < r->n; i++) {
        float g = r->gradients[i] + decay * r->parameters[i];
        velocity[i] = momentum * velocity[i] + g;
        float move = r->options->nesterov ? g + momentum * velocity[i] : velocity[i];
        r->parameters[i] -= r->learning_rate * move;
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
    MOMENTS,
};

static const struct eng_field adamw_fields[] = {
    LEARNING_RATE(0.001),
    WEIGHT_DECAY(0.01, "decoupled: parameters shrink by learning rate x this"),
    MOMENTS,
};

/*
 * m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2;
 * p -= rate / (1 - b1^t) * m / (sqrt(v / (1 - b2^t)) + epsilon).
 */
static void adam_step(const struct range *r, float l2, float shrink)
{
    const struct eng_optimiser_options *o = r->options;
    double t = (double)r->step;
    float b1 = (float)o->beta1, b2 = (float)o->beta2, epsilon = (float)o->epsilon;
    float rate = (float)(r->learning_rate / (1 - pow(o->beta1, t)));
    float v_scale = (float)(1 / sqrt(1 - pow(o->beta2, t)));
    float *m = r->memory[0], *v = r->memory[1];
    for (size_t i = 0; i < r->n; i++) {
        float g = r->gradients[i] + l2 * r->parameters[i];
        m[i] = b1 * m[i] + (1 - b1) * g;
        v[i] = b2 * v[i] + (1 - b2) * g * g;
        r->parameters[i] *= 1 - shrink;
        r->parameters[i] -= rate * m[i] / (sqrtf(v[i]) * v_scale + epsilon);
    }
}

static void adam(const struct range *r)
{
    adam_step(r, (float)r->options->weight_decay, 0);
}

static void adamw(const struct range *r)
{
    adam_step(r, 0, (float)(r->learning_rate * r->options->weight_decay));
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
    size_t n_floats;
    if (eng_mul_size(n, methods[options->kind].n_slots, &n_floats))
        made.memory = eng_calloc(n_floats, sizeof *made.memory);
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
    optimiser->n_steps++;
}

void eng_optimiser_update(const struct eng_optimiser *optimiser, double learning_rate, size_t first,
                          size_t n, const float *gradients, float *parameters)
{
    struct range range = {
        .options = optimiser->options,
        .learning_rate = (float)learning_rate,
        .step = optimiser->n_steps,
        .n = n,
        .gradients = gradients,
        .parameters = parameters,
    };
    for (size_t slot = 0; slot < methods[optimiser->options->kind].n_slots; slot++)
        range.memory[slot] = optimiser->memory + slot * optimiser->n + first;
    methods[optimiser->options->kind].update(&range);
}

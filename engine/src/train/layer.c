#include "train/layer.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/spelling.h"
#include "train/initialiser.h"
#include "train/streams.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One parameter: 1 GiB of floats at most. */
enum { MAX_WEIGHTS = 1 << 28 };

/* Products for orthogonal weights: a minute's work. */
static const double MAX_ORTHOGONAL = 2e10;

static const struct eng_field weights_fields[] = {
    ENG_F_INT(struct eng_layer_options, outputs, 0, 1, 1e6, "channels or units that come out"),
    ENG_F_BOOL(struct eng_layer_options, bias, 1, "adds one number to each output"),
    ENG_F_CHOICE(struct eng_layer_options, init, 0, eng_initialiser_names, "first weights"),
    ENG_F_FLOAT(struct eng_layer_options, init_std, 0.01, 0, 100, "deviation for init \"normal\""),
    ENG_F_FLOAT(struct eng_layer_options, whitening_epsilon, 5e-4, 1e-12, 1e6,
                "added to the variances for init \"whitening\""),
};

static const struct eng_field batchnorm_fields[] = {
    ENG_F_FLOAT(struct eng_layer_options, scale_init, 1, -1e6, 1e6, "first scale of each channel"),
    ENG_F_FLOAT(struct eng_layer_options, bias_init, 0, -1e6, 1e6, "first bias of each channel"),
};

static const struct eng_field dropout_fields[] = {
    ENG_F_FLOAT(struct eng_layer_options, ratio, 0.5, 0, 0.99, "share of the inputs set to 0"),
};

const struct eng_field eng_layer_common_fields[] = {
    ENG_F_BOOL(struct eng_layer_options, frozen, 0, "training leaves the layer as it is"),
};

const size_t eng_n_layer_common_fields =
    sizeof eng_layer_common_fields / sizeof *eng_layer_common_fields;

/* Adds a constant called "<site>.<name>" with these floats. */
static enum eng_status add_floats(const struct eng_layer_site *site, const char *name,
                                  const struct eng_shape *shape, float *floats, int *out,
                                  struct eng_error *err)
{
    char full[160];
    snprintf(full, sizeof full, "%s.%s", site->name, name);
    struct eng_tensor tensor = {.dtype = ENG_FLOAT32, .shape = *shape, .data = floats};
    return eng_graph_add_constant(site->graph, full, &tensor, out, err);
}

/* Room for the floats of one parameter, if there are not too many. */
static enum eng_status alloc_floats(const struct eng_shape *shape, float **out, size_t *n_out,
                                    struct eng_error *err)
{
    int64_t n = eng_shape_count(shape);
    char text[96];
    if (n <= 0 || n > MAX_WEIGHTS)
        return eng_fail(err, ENG_LIMIT, "weights of shape %s; the limit is %d of them",
                        eng_shape_format(shape, text, sizeof text), MAX_WEIGHTS);
    float *floats = eng_calloc((size_t)n, sizeof *floats);
    if (!floats) return eng_fail_memory(err, "weights");
    *out = floats;
    *n_out = (size_t)n;
    return ENG_OK;
}

/* A vector of n equal floats. */
static enum eng_status add_vector(const struct eng_layer_site *site, const char *name, int64_t n,
                                  float value, int *out, struct eng_error *err)
{
    float *floats = NULL;
    size_t n_floats = 0;
    struct eng_shape shape = {.rank = 1, .dim = {n}};
    enum eng_status status = alloc_floats(&shape, &floats, &n_floats, err);
    if (status != ENG_OK) return status;
    for (size_t i = 0; i < n_floats; i++)
        floats[i] = value;
    status = add_floats(site, name, &shape, floats, out, err);
    free(floats);
    return status;
}

static const struct eng_attr *find_attr(const struct eng_layer *layer, const char *name)
{
    for (size_t i = 0; i < layer->n_attrs; i++)
        if (strcmp(layer->attrs[i].name, name) == 0) return &layer->attrs[i];
    return NULL;
}

static int64_t group_of(const struct eng_layer *layer)
{
    const struct eng_attr *group = find_attr(layer, "group");
    return group ? group->i : 1;
}

static enum eng_status whiten(const struct eng_layer *layer, const struct eng_layer_site *site,
                              const struct eng_shape *shape, float *floats, struct eng_error *err)
{
    if (shape->rank != 4 || !site->patches || group_of(layer) != 1)
        return eng_fail(err, ENG_FORMAT,
                        "init is \"whitening\"; it is for a Conv of one group that gets the "
                        "pictures themselves");
    const struct eng_patch_kernel kernel = {.n_outputs = (size_t)shape->dim[0],
                                            .height = (size_t)shape->dim[2],
                                            .width = (size_t)shape->dim[3],
                                            .epsilon = layer->options.whitening_epsilon};
    return eng_whitening_fill(site->patches, &kernel, floats, err);
}

static enum eng_status pass_on(const struct eng_layer *layer, const struct eng_shape *shape,
                               float *floats, struct eng_error *err)
{
    if (shape->rank != 4)
        return eng_fail(err, ENG_FORMAT, "init is \"identity\"; it is for Conv only");
    size_t group = (size_t)group_of(layer);
    size_t height = (size_t)shape->dim[2], width = (size_t)shape->dim[3];
    eng_initialiser_pass_on(floats, group, (size_t)shape->dim[0] / group, (size_t)shape->dim[1],
                            height * width, height / 2 * width + width / 2);
    return ENG_OK;
}

static enum eng_status orthogonalise(const struct eng_shape *shape, float *floats,
                                     struct eng_error *err)
{
    char text[96];
    double n_rows = (double)shape->dim[0], n_columns = (double)eng_shape_count(shape) / n_rows;
    if (n_rows * n_columns * fmin(n_rows, n_columns) > MAX_ORTHOGONAL)
        return eng_fail(err, ENG_LIMIT,
                        "init is \"orthogonal\" for weights of shape %s; that takes minutes, "
                        "wanted fewer weights",
                        eng_shape_format(shape, text, sizeof text));
    eng_initialiser_orthogonalise(floats, (size_t)n_rows, (size_t)n_columns);
    return ENG_OK;
}

static enum eng_status arrange(const struct eng_layer *layer, const struct eng_layer_site *site,
                               const struct eng_shape *shape, float *floats, struct eng_error *err)
{
    switch (eng_initialiser_arrangement(layer->options.init)) {
    case ENG_ARRANGE_IDENTITY:
        return pass_on(layer, shape, floats, err);
    case ENG_ARRANGE_ORTHOGONAL:
        return orthogonalise(shape, floats, err);
    case ENG_ARRANGE_WHITENING:
        return whiten(layer, site, shape, floats, err);
    default:
        return ENG_OK;
    }
}

static enum eng_status add_weights(const struct eng_layer *layer, const struct eng_layer_site *site,
                                   const struct eng_shape *shape, double fan_in, double fan_out,
                                   int *out, struct eng_error *err)
{
    float *floats = NULL;
    size_t n = 0;
    enum eng_status status = alloc_floats(shape, &floats, &n, err);
    if (status != ENG_OK) return status;
    struct eng_rng rng = eng_stream_rng(site->seed, ENG_STREAM_INIT, site->graph->n_values, 0);
    eng_initialiser_fill(layer->options.init, layer->options.init_std, fan_in, fan_out, &rng,
                         floats, n);
    status = arrange(layer, site, shape, floats, err);
    if (status == ENG_OK) status = add_floats(site, "weight", shape, floats, out, err);
    free(floats);
    return status;
}

static enum eng_status add_weights_and_bias(const struct eng_layer *layer,
                                            const struct eng_layer_site *site,
                                            const struct eng_shape *shape, double fan_in,
                                            double fan_out, int *in, size_t *n_in,
                                            struct eng_error *err)
{
    enum eng_status status = add_weights(layer, site, shape, fan_in, fan_out, &in[(*n_in)++], err);
    if (status == ENG_OK && layer->options.bias)
        status = add_vector(site, "bias", layer->options.outputs, 0, &in[(*n_in)++], err);
    return status;
}

static enum eng_status fail_rank(const struct eng_layer_site *site, const char *wanted,
                                 struct eng_error *err)
{
    char text[96];
    return eng_fail(err, ENG_FORMAT, "gets shape %s; wanted %s",
                    eng_shape_format(&site->input, text, sizeof text), wanted);
}

/* Weights [outputs, channels / group, kernel height, kernel width]. */
static enum eng_status conv_inputs(const struct eng_layer *layer, const struct eng_layer_site *site,
                                   int *in, size_t *n_in, struct eng_error *err)
{
    const struct eng_attr *kernel = find_attr(layer, "kernel_shape");
    int64_t group = group_of(layer), outputs = layer->options.outputs;
    if (site->input.rank != 4) return fail_rank(site, "[N, channels, height, width]", err);
    if (!kernel || kernel->n != 2 || kernel->ints[0] < 1 || kernel->ints[1] < 1 ||
        kernel->ints[0] > 1000 || kernel->ints[1] > 1000)
        return eng_fail(err, ENG_FORMAT, "wanted kernel_shape as a list of two sizes, 1 to 1000");
    if (group < 1 || site->input.dim[1] % group != 0 || outputs % group != 0)
        return eng_fail(err, ENG_FORMAT,
                        "group %lld does not divide %lld channels and %lld outputs",
                        (long long)group, (long long)site->input.dim[1], (long long)outputs);
    struct eng_shape shape = {
        .rank = 4, .dim = {outputs, site->input.dim[1] / group, kernel->ints[0], kernel->ints[1]}};
    double area = (double)(kernel->ints[0] * kernel->ints[1]);
    return add_weights_and_bias(layer, site, &shape, (double)shape.dim[1] * area,
                                (double)(outputs / group) * area, in, n_in, err);
}

/* Weights [inputs, outputs], or the other way round with the attribute transB. */
static enum eng_status gemm_inputs(const struct eng_layer *layer, const struct eng_layer_site *site,
                                   int *in, size_t *n_in, struct eng_error *err)
{
    if (site->input.rank != 2) return fail_rank(site, "[N, values]; a Flatten goes before", err);
    const struct eng_attr *transposed = find_attr(layer, "transB");
    int64_t inputs = site->input.dim[1], outputs = layer->options.outputs;
    struct eng_shape shape = {.rank = 2, .dim = {inputs, outputs}};
    if (transposed && transposed->i) {
        shape.dim[0] = outputs;
        shape.dim[1] = inputs;
    }
    return add_weights_and_bias(layer, site, &shape, (double)inputs, (double)outputs, in, n_in,
                                err);
}

static enum eng_status batchnorm_inputs(const struct eng_layer *layer,
                                        const struct eng_layer_site *site, int *in, size_t *n_in,
                                        struct eng_error *err)
{
    const struct {
        const char *name;
        float first;
    } vectors[] = {{"weight", (float)layer->options.scale_init},
                   {"bias", (float)layer->options.bias_init},
                   {"running_mean", 0},
                   {"running_var", 1}};
    if (site->input.rank < 2) return fail_rank(site, "[N, channels, ...]", err);
    for (size_t i = 0; i < 4; i++) {
        enum eng_status status = add_vector(site, vectors[i].name, site->input.dim[1],
                                            vectors[i].first, &in[(*n_in)++], err);
        if (status != ENG_OK) return status;
    }
    return ENG_OK;
}

static enum eng_status dropout_inputs(const struct eng_layer *layer,
                                      const struct eng_layer_site *site, int *in, size_t *n_in,
                                      struct eng_error *err)
{
    float ratio = (float)layer->options.ratio;
    struct eng_shape scalar = {.rank = 0};
    return add_floats(site, "ratio", &scalar, &ratio, &in[(*n_in)++], err);
}

static enum eng_status no_inputs(const struct eng_layer *layer, const struct eng_layer_site *site,
                                 int *in, size_t *n_in, struct eng_error *err)
{
    (void)layer, (void)site, (void)in, (void)n_in, (void)err;
    return ENG_OK;
}

enum {
    n_weights_fields = sizeof weights_fields / sizeof *weights_fields,
    n_batchnorm_fields = sizeof batchnorm_fields / sizeof *batchnorm_fields,
    n_dropout_fields = sizeof dropout_fields / sizeof *dropout_fields,
    n_no_fields = 0,
};
#define no_fields       NULL
#define branches_inputs NULL

static const struct eng_layer_kind kinds[] = {
#define LAYER(op, keys, more) {#op, keys##_fields, n_##keys##_fields, more##_inputs},
#include "train/layer.def"
#undef LAYER
};

static const size_t n_kinds = sizeof kinds / sizeof *kinds;

const struct eng_layer_kind *eng_layer_kind_find(const char *op)
{
    for (size_t i = 0; i < n_kinds; i++)
        if (strcmp(kinds[i].op, op) == 0) return &kinds[i];
    return NULL;
}

const char *eng_layer_kind_nearest(const char *op)
{
    static const char *const names[] = {
#define LAYER(name, keys, more) #name,
#include "train/layer.def"
#undef LAYER
        NULL,
    };
    const char *nearest = eng_text_nearest(op, names);
    return nearest ? nearest : names[0];
}

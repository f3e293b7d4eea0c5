#include "op_battery.h"

static bool measures(const struct op_case *c, bool training)
{
    return (training && !c->frozen) || op_attr_int(c, "training_mode", 0) ||
           (op_opset(c) < 14 && op_n_out(c) > 1);
}

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    /* Channels along axis 1; of a vector one; without spatial each element of an image is one. */
    struct eng_shape shape = in[0].shape, *x = &shape;
    if (x->rank == 1) shape = (struct eng_shape){.rank = 2, .dim = {x->dim[0], 1}};
    if (!op_attr_int(c, "spatial", 1))
        shape = (struct eng_shape){.rank = 2, .dim = {x->dim[0], (int64_t)in[1].n}};
    double epsilon = op_attr_float(c, "epsilon", 1e-5f), stay = op_attr_float(c, "momentum", 0.9f);
    op_values_init(&out[0], in[0].shape);
    for (size_t k = 1; k < op_n_out(c); k++)
        op_values_init(&out[k], in[3].shape);
    for (int64_t channel = 0; channel < x->dim[1]; channel++) {
        double mean = 0, variance = 0, n = 0;
        for (size_t i = 0; i < in[0].n; i++) {
            if (op_index(x, i, 1) != channel) continue;
            mean += in[0].v[i];
            n++;
        }
        mean /= n;
        for (size_t i = 0; i < in[0].n; i++)
            if (op_index(x, i, 1) == channel) variance += pow(in[0].v[i] - mean, 2) / n;
        for (size_t k = 1; k < op_n_out(c); k++) {
            double now = k % 2 ? mean : variance, before = in[k % 2 ? 3 : 4].v[channel];
            out[k].v[channel] = k <= 2 ? stay * before + (1 - stay) * now : now;
        }
        if (!measures(c, training)) {
            mean = in[3].v[channel];
            variance = in[4].v[channel];
        }
        for (size_t i = 0; i < in[0].n; i++)
            if (op_index(x, i, 1) == channel)
                out[0].v[i] = in[1].v[channel] * (in[0].v[i] - mean) / sqrt(variance + epsilon) +
                              in[2].v[channel];
    }
}

static const double variances[] = {0.5, 1.5, 2, 0.1};

#define POSITIVE(N)                                                  \
    {                                                                \
        .dtype = ENG_FLOAT32, .shape = SHAPE(N), .values = variances \
    }
#define CHANNELS(N)   FLOATS(N), FLOATS(N), FLOATS(N), POSITIVE(N)
#define AROUND_ONE(N) POSITIVE(N), POSITIVE(N), FLOATS(N), POSITIVE(N)
#define PIXELS(...)                                                            \
    {                                                                          \
        .dtype = ENG_FLOAT32, .shape = SHAPE(__VA_ARGS__), .values = variances \
    }
#define DOUBLE(N)                                                    \
    {                                                                \
        .dtype = ENG_FLOAT64, .shape = SHAPE(N), .values = variances \
    }
#define DOUBLES(N) DOUBLE(N), DOUBLE(N), DOUBLE(N), DOUBLE(N)
#define GOOD       .op = "BatchNormalization", .reference = reference, .n_in = 5
#define BAD        .op = "BatchNormalization", .n_in = 5

static const struct op_case cases[] = {
    {GOOD, .what = "images", .in = {FLOATS(3, 4, 5, 6), CHANNELS(4)}, .gradients = 7, .batched = 1},
    {GOOD, .what = "a matrix", .in = {FLOATS(6, 4), CHANNELS(4)}, .gradients = 7, .batched = 1},
    {GOOD, .what = "frozen", .in = {FLOATS(3, 4, 5, 6), CHANNELS(4)}, .gradients = 7, .batched = 1,
     .frozen = true},
    {GOOD, .what = "epsilon", .attrs = {ATTR_FLOAT("epsilon", 0.1f)},
     .in = {FLOATS(2, 3, 4), CHANNELS(3)}, .gradients = 7, .batched = 1},
    {GOOD, .what = "opset 7", .opset = 7, .attrs = {ATTR_INT("spatial", 1)},
     .in = {FLOATS(2, 3, 4), CHANNELS(3)}, .batched = 1},
    {GOOD, .what = "far from 0", .in = {FLOATS(4, 2, 9, 9), AROUND_ONE(2)}, .low = 99, .high = 101,
     .gradients = 6},
    {GOOD, .what = "training_mode", .opset = 14, .n_out = 3,
     .attrs = {ATTR_INT("training_mode", 1), ATTR_FLOAT("momentum", 0.7f)},
     .in = {FLOATS(3, 4, 5), CHANNELS(4)}},
    {GOOD, .what = "training_mode, one output", .opset = 15,
     .attrs = {ATTR_INT("training_mode", 1)}, .in = {FLOATS(3, 4, 5), CHANNELS(4)}},
    {GOOD, .what = "five outputs", .opset = 9, .n_out = 5, .in = {FLOATS(3, 4, 5), CHANNELS(4)}},
    {GOOD, .what = "large enough for threads", .in = {FLOATS(2, 4, 120, 90), CHANNELS(4)},
     .batched = 1},
    {BAD, .what = "channels differ", .in = {FLOATS(3, 5, 2), CHANNELS(4)},
     .refusal = "input 1 has shape [4]; [5] is wanted"},
    {GOOD, .what = "a vector", .in = {FLOATS(6), CHANNELS(1)}, .gradients = 7, .batched = 1},
    {GOOD, .what = "not spatial", .opset = 7, .attrs = {ATTR_INT("spatial", 0)},
     .in = {FLOATS(5, 2, 2), PIXELS(2, 2), PIXELS(2, 2), PIXELS(2, 2), PIXELS(2, 2)},
     .gradients = 7, .batched = 1},
    {GOOD, .what = "doubles", .in = {TYPED(ENG_FLOAT64, 3, 4, 5), DOUBLES(4)}, .batched = 1},
    {GOOD, .what = "doubles, measured", .n_out = 3, .attrs = {ATTR_INT("training_mode", 1)},
     .in = {TYPED(ENG_FLOAT64, 3, 4, 5), DOUBLES(4)}},
    {GOOD, .what = "doubles, five outputs", .opset = 9, .n_out = 5,
     .in = {TYPED(ENG_FLOAT64, 3, 4, 5), DOUBLES(4)}},
    {GOOD, .what = "floats with doubles", .opset = 15, .in = {FLOATS(3, 4, 5), DOUBLES(4)}},
    {GOOD, .what = "doubles with floats, measured", .opset = 15, .n_out = 3, .tolerance = 2e-6,
     .attrs = {ATTR_INT("training_mode", 1)}, .in = {TYPED(ENG_FLOAT64, 3, 4, 5), CHANNELS(4)}},
    {BAD, .what = "mixed types early", .opset = 13, .in = {FLOATS(3, 4, 5), DOUBLES(4)},
     .refusal = "input 1 has element type double; float is wanted"},
    {BAD, .what = "mean and variance differ", .opset = 15,
     .in = {FLOATS(3, 4, 5), FLOATS(4), FLOATS(4), FLOATS(4), TYPED(ENG_FLOAT64, 4)},
     .refusal = "input 4 has element type double; float is wanted"},
    {BAD, .what = "training in double", .gradients = 7,
     .in = {TYPED(ENG_FLOAT64, 3, 4, 5), DOUBLES(4)}, .refusal = "double; float is wanted"},
    {BAD, .what = "integers", .in = {TYPED(ENG_INT32, 3, 4, 5), CHANNELS(4)},
     .refusal = "int32; float or double is wanted"},
    {BAD, .what = "a scalar", .in = {{.dtype = ENG_FLOAT32}, CHANNELS(1)},
     .refusal = "rank 1 to 8"},
    {BAD, .what = "not spatial since opset 9", .opset = 9, .attrs = {ATTR_INT("spatial", 0)},
     .in = {FLOATS(3, 4), CHANNELS(4)}, .refusal = "'spatial' is 0"},
    {BAD, .what = "outputs without training_mode", .opset = 14, .n_out = 3,
     .in = {FLOATS(3, 4, 2), CHANNELS(4)}, .refusal = "training_mode is 0"},
    {BAD, .what = "five outputs in opset 14", .opset = 14, .n_out = 5,
     .attrs = {ATTR_INT("training_mode", 1)}, .in = {FLOATS(3, 4, 2), CHANNELS(4)},
     .refusal = "1 or 3 are wanted"},
    {BAD, .what = "nothing to measure", .attrs = {ATTR_INT("training_mode", 1)},
     .in = {FLOATS(0, 4, 2), CHANNELS(4)}, .refusal = "no elements"},
};

/* The running values move towards what all shards together measured. */
static void commit_joins_shards(void **state)
{
    (void)state;
    static const struct op_case whole = {GOOD, .what = "whole",
                                         .attrs = {ATTR_FLOAT("momentum", 0.8f)},
                                         .in = {FLOATS(5, 2, 3), CHANNELS(2)}, .gradients = 7};
    struct op_case left = whole, right = whole;
    left.in[0].shape.dim[0] = 2;
    right.in[0].shape.dim[0] = 3;
    struct op_run all, parts[2];
    op_run_init(&all, &whole, true);
    op_run_init(&parts[0], &left, true);
    op_run_init(&parts[1], &right, true);
    memcpy(parts[0].in[0].data, all.in[0].data, 2 * 6 * sizeof(float));
    memcpy(parts[1].in[0].data, (float *)all.in[0].data + 2 * 6, 3 * 6 * sizeof(float));
    for (size_t k = 1; k < 5; k++) /* the shards share the parameters */
        for (size_t p = 0; p < 2; p++)
            memcpy(parts[p].in[k].data, all.in[k].data, 2 * sizeof(float));
    all.op->forward(&all.call);
    struct eng_op_call calls[2];
    for (size_t p = 0; p < 2; p++) {
        parts[p].op->forward(&parts[p].call);
        calls[p] = parts[p].call;
    }
    double before = op_read(&all.in[3], 0);
    all.op->commit(&all.call, 1);
    all.op->commit(calls, 2);
    assert_true(fabs(op_read(&all.in[3], 0) - before) > 1e-4);
    for (size_t k = 3; k < 5; k++)
        for (size_t c = 0; c < 2; c++)
            assert_true(op_close(op_read(&parts[0].in[k], c), op_read(&all.in[k], c), 1e-5));
    op_run_fini(&all);
    op_run_fini(&parts[0]);
    op_run_fini(&parts[1]);
}

/* Folded into a producer it is one factor and one shift per channel. */
static void channel_affine_is_inference(void **state)
{
    (void)state;
    static const struct op_case c = {GOOD, .what = "affine", .in = {FLOATS(2, 3, 4), CHANNELS(3)}};
    struct op_run run;
    op_run_init(&run, &c, false);
    run.op->forward(&run.call);
    struct eng_op_infer q = {.attrs = run.attrs,
                             .opset = OP_OPSET,
                             .n_in = 5,
                             .in = run.in_table,
                             .n_out = 1,
                             .out = run.out_table};
    float scale[3], shift[3];
    assert_true(run.op->channel_affine(&q, scale, shift, 3));
    assert_false(run.op->channel_affine(&q, scale, shift, 2));
    for (size_t i = 0; i < 24; i++) {
        int64_t channel = op_index(&run.in[0].shape, i, 1);
        double folded = (double)scale[channel] * op_read(&run.in[0], i) + (double)shift[channel];
        assert_true(op_close(op_read(&run.out[0], i), folded, 1e-6));
    }
    op_run_fini(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(commit_joins_shards),
                                       cmocka_unit_test(channel_affine_is_inference)};
    return cmocka_run_group_tests(tests, NULL, NULL) + OP_BATTERY("batchnorm", cases);
}

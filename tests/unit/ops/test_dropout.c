#include "op_battery.h"

/* Inference, and training with ratio 0: everything is kept. */
static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    for (size_t k = 0; k < op_n_out(c); k++) {
        op_values_init(&out[k], in[0].shape);
        for (size_t i = 0; i < in[0].n; i++)
            out[k].v[i] = k == 0 ? in[0].v[i] : 1;
    }
}

static const double zero[] = {0}, half[] = {0.5}, one[] = {1};

#define GOOD .op = "Dropout", .reference = reference
#define RATIO(VALUE)                                            \
    {                                                           \
        .dtype = ENG_FLOAT32, .values = VALUE, .constant = true \
    }
#define MODE(VALUE)                                          \
    {                                                        \
        .dtype = ENG_BOOL, .values = VALUE, .constant = true \
    }

static const struct op_case cases[] = {
    {GOOD, .what = "inference", .in = {FLOATS(3, 5)}, .n_in = 1, .n_out = 2, .batched = 1},
    {GOOD, .what = "a ratio", .in = {FLOATS(3, 5), RATIO(half), MODE(zero)}, .n_in = 3, .n_out = 2},
    {GOOD, .what = "ratio 0 and training_mode", .in = {FLOATS(3, 5), RATIO(zero), MODE(one)},
     .n_in = 3, .n_out = 2, .gradients = 1},
    {GOOD, .what = "training", .in = {FLOATS(3, 5), RATIO(half)}, .n_in = 2, .gradients = 1,
     .is_random = true},
    {GOOD, .what = "opset 10", .opset = 10, .attrs = {ATTR_FLOAT("ratio", 0.25f)},
     .in = {FLOATS(3, 5)}, .n_in = 1, .n_out = 2, .gradients = 1, .is_random = true},
    {GOOD, .what = "opset 7: the mask is float", .opset = 7, .in = {FLOATS(3, 5)}, .n_in = 1,
     .n_out = 2},
    {GOOD, .what = "doubles",
     .in = {TYPED(ENG_FLOAT64, 3, 5), {.dtype = ENG_FLOAT64, .values = half, .constant = true}},
     .n_in = 2, .n_out = 2, .batched = 1},
    {GOOD, .what = "doubles of opset 7, with a mask of doubles", .opset = 7,
     .in = {TYPED(ENG_FLOAT64, 3, 5)}, .n_in = 1, .n_out = 2},
    {GOOD, .what = "a seed", .attrs = {ATTR_INT("seed", 5)}, .in = {FLOATS(3, 5)}, .n_in = 1},
    {.op = "Dropout",
     .what = "random answers",
     .in = {FLOATS(3), RATIO(half), MODE(one)},
     .n_in = 3,
     .refusal = "training_mode is true with ratio 0.5"},
    {.op = "Dropout",
     .what = "ratio 1",
     .in = {FLOATS(3), RATIO(one)},
     .n_in = 2,
     .refusal = "ratio is 1"},
    {GOOD, .what = "a ratio that is computed",
     .in = {FLOATS(3), {.dtype = ENG_FLOAT32, .values = half}}, .n_in = 2},
    {.op = "Dropout",
     .what = "a ratio that is computed, in training",
     .in = {FLOATS(3), {.dtype = ENG_FLOAT32}},
     .n_in = 2,
     .gradients = 1,
     .refusal = "(ratio) is computed from the picture"},
    {.op = "Dropout",
     .what = "ratio as input in opset 10",
     .opset = 10,
     .in = {FLOATS(3), RATIO(half)},
     .n_in = 2,
     .refusal = "before opset 12"},
    {.op = "Dropout",
     .what = "negative ratio",
     .opset = 10,
     .attrs = {ATTR_FLOAT("ratio", -0.5f)},
     .in = {FLOATS(3)},
     .n_in = 1,
     .refusal = "ratio"},
};

enum { N = 20000 };

static const struct op_case many = {.op = "Dropout",
                                    .what = "many",
                                    .attrs = {ATTR_FLOAT("ratio", 0.25f)},
                                    .opset = 10,
                                    .in = {FLOATS(N)},
                                    .n_in = 1,
                                    .n_out = 2,
                                    .low = 1,
                                    .high = 2};

/* A quarter is dropped, the rest scaled by 4/3; the gradient goes the same way. */
static void training_drops_its_share(void **state)
{
    (void)state;
    struct op_run run;
    op_run_init(&run, &many, true);
    op_run_init_gradients(&run, 1);
    run.op->forward(&run.call);
    run.op->backward(&run.call);
    op_run_check_canaries(&run);
    size_t n_kept = 0;
    for (size_t i = 0; i < N; i++) {
        double kept = op_read(&run.out[1], i);
        n_kept += kept == 1;
        assert_true(kept == 0 || kept == 1);
        assert_true(op_close(op_read(&run.out[0], i), kept * op_read(&run.in[0], i) * 4 / 3, 1e-6));
        assert_true(op_close(op_read(&run.grad_in[0], i) - 1,
                             kept * op_read(&run.grad_out[0], i) * 4 / 3, 1e-6));
    }
    assert_in_range(n_kept, N * 0.73, N * 0.77);
    op_run_fini(&run);
}

/* The seed decides, and nothing else. */
static void seed_decides(void **state)
{
    (void)state;
    struct op_run first, again, other;
    op_run_init(&first, &many, true);
    op_run_init(&again, &many, true);
    op_run_init(&other, &many, true);
    other.call.seed = 8;
    first.op->forward(&first.call);
    again.op->forward(&again.call);
    other.op->forward(&other.call);
    assert_memory_equal(first.out[0].data, again.out[0].data, N * sizeof(float));
    assert_memory_not_equal(first.out[0].data, other.out[0].data, N * sizeof(float));
    op_run_fini(&first);
    op_run_fini(&again);
    op_run_fini(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(training_drops_its_share),
                                       cmocka_unit_test(seed_decides)};
    return cmocka_run_group_tests(tests, NULL, NULL) + OP_BATTERY("dropout", cases);
}

#include "op_battery.h"

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    struct eng_shape y = in[0].shape;
    size_t n_pixels = 1;
    for (int d = 2; d < y.rank; d++) {
        n_pixels *= (size_t)y.dim[d];
        y.dim[d] = 1;
    }
    op_values_init(&out[0], y);
    double p = (double)op_attr_int(c, "p", 2);
    for (size_t plane = 0; plane < out[0].n; plane++) {
        const double *x = in[0].v + plane * n_pixels;
        double most = x[0], sum = 0, powers = 0;
        for (size_t i = 0; i < n_pixels; i++) {
            most = x[i] > most ? x[i] : most;
            sum += x[i];
            powers += pow(fabs(x[i]), p);
        }
        out[0].v[plane] = strcmp(c->op, "GlobalMaxPool") == 0  ? most
                          : strcmp(c->op, "GlobalLpPool") == 0 ? pow(powers, 1 / p)
                                                               : sum / (double)n_pixels;
    }
}

#define GOOD(NAME) .op = NAME, .reference = reference, .n_in = 1
#define MAX        GOOD("GlobalMaxPool")
#define MEAN       GOOD("GlobalAveragePool")
#define NORM       GOOD("GlobalLpPool")

static const double zeros[6];

static const struct op_case cases[] = {
    {MAX, .what = "an image", .in = {FLOATS(3, 4, 5, 6)}, .gradients = 1, .batched = 1},
    {MAX, .what = "one dimension", .in = {FLOATS(3, 4, 9)}, .gradients = 1},
    {MAX, .what = "one pixel", .in = {FLOATS(3, 4, 1, 1)}, .gradients = 1},
    {MAX, .what = "doubles", .in = {TYPED(ENG_FLOAT64, 2, 3, 4, 5)}, .batched = 1},
    {MAX, .what = "large enough for threads", .in = {FLOATS(4, 64, 40, 40)}, .batched = 1},
    {MEAN, .what = "an image", .in = {FLOATS(3, 4, 5, 6)}, .gradients = 1, .batched = 1},
    {MEAN, .what = "one dimension", .in = {FLOATS(3, 4, 9)}, .gradients = 1},
    {MEAN, .what = "one pixel", .in = {FLOATS(3, 4, 1, 1)}, .gradients = 1},
    {MEAN, .what = "doubles", .in = {TYPED(ENG_FLOAT64, 2, 3, 4, 5)}, .batched = 1},
    {MEAN, .what = "large enough for threads", .in = {FLOATS(4, 64, 40, 40)}, .batched = 1},
    {NORM, .what = "an image", .in = {FLOATS(3, 4, 5, 6)}, .gradients = 1, .batched = 1},
    {NORM, .what = "p = 1", .attrs = {ATTR_INT("p", 1)}, .in = {FLOATS(3, 4, 9)}, .gradients = 1},
    {NORM, .what = "p = 3", .attrs = {ATTR_INT("p", 3)}, .in = {FLOATS(3, 4, 2, 2, 2)},
     .gradients = 1},
    {NORM, .what = "doubles", .attrs = {ATTR_INT("p", 3)}, .in = {TYPED(ENG_FLOAT64, 2, 3, 4, 5)}},
    {NORM, .what = "zeros",
     .in = {{.dtype = ENG_FLOAT32, .shape = SHAPE(1, 2, 3), .values = zeros}}},
    {.op = "GlobalMaxPool",
     .what = "bytes",
     .n_in = 1,
     .in = {TYPED(ENG_UINT8, 1, 1, 2)},
     .refusal = "uint8; float is wanted"},
    {.op = "GlobalAveragePool",
     .what = "a matrix",
     .n_in = 1,
     .in = {FLOATS(4, 4)},
     .refusal = "rank 3 to 8 is wanted"},
    {.op = "GlobalAveragePool",
     .what = "no pixels",
     .n_in = 1,
     .in = {FLOATS(4, 4, 0)},
     .refusal = "no pixels"},
    {.op = "GlobalLpPool",
     .what = "p below 1",
     .n_in = 1,
     .attrs = {ATTR_INT("p", -1)},
     .in = {FLOATS(4, 4, 2)},
     .refusal = "p is -1"},
};

/* What is compared with <= only must not lose a NaN, wherever it stands. */
static void test_nan(void **state)
{
    (void)state;
    static const struct op_case c = {MAX, .what = "NaN", .in = {FLOATS(1, 1, 7)}};
    for (size_t at = 0; at < 7; at++) {
        struct op_run run;
        op_run_init(&run, &c, false);
        op_write(&run.in[0], at, (double)NAN);
        run.op->forward(&run.call);
        assert_true(isnan(op_read(&run.out[0], 0)));
        op_run_fini(&run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_nan)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return OP_BATTERY("global_pooling", cases) || failed;
}

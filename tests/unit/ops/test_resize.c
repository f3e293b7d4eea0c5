#include "op_battery.h"

enum { MAX_TAPS = 64 };

/* One dimension as the standard words it. */
struct axis {
    int64_t in, out;
    double scale, length, roi_start, roi_end;
};

static const char *text(const struct op_case *c, const char *name, const char *absent)
{
    const struct eng_attr *attr = op_attr(c, name);
    return attr ? attr->s : absent;
}

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static double coordinate(const char *how, const struct axis *a, double x)
{
    double last = (double)(a->in - 1), half = (x + 0.5) / a->scale - 0.5;
    if (is(how, "align_corners")) return a->out == 1 ? 0 : x * last / (a->length - 1);
    if (is(how, "asymmetric")) return x / a->scale;
    if (is(how, "tf_half_pixel_for_nn")) return half + 0.5;
    if (is(how, "pytorch_half_pixel") && a->out == 1) return 0;
    if (is(how, "half_pixel_symmetric"))
        return (double)a->in / 2 * (1 - (double)a->out / (a->scale * (double)a->in)) + half;
    if (is(how, "tf_crop_and_resize")) {
        if (a->out == 1) return 0.5 * (a->roi_start + a->roi_end) * last;
        return a->roi_start * last + x * (a->roi_end - a->roi_start) * last / (a->length - 1);
    }
    return half;
}

static double filter(const char *mode, double a, double x)
{
    x = fabs(x);
    if (is(mode, "linear")) return fmax(0, 1 - x);
    if (x <= 1) return (a + 2) * pow(x, 3) - (a + 3) * x * x + 1;
    return x < 2 ? a * pow(x, 3) - 5 * a * x * x + 8 * a * x - 4 * a : 0;
}

/* Which input positions output position x mixes; 0: it lies outside. */
static int taps(const struct op_case *c, const struct axis *a, int64_t x, int64_t *index, double *w)
{
    bool is_old = op_opset(c) < 11;
    const char *how =
        is_old ? "asymmetric" : text(c, "coordinate_transformation_mode", "half_pixel");
    const char *mode = text(c, "mode", "nearest");
    const char *nearest = text(c, "nearest_mode", "round_prefer_floor");
    if (is_old) nearest = a->scale < 1 ? "ceil" : "floor";
    double at = coordinate(how, a, (double)x), sum = 0;
    if (is(how, "tf_crop_and_resize") && (at < 0 || at > (double)(a->in - 1))) return 0;
    if (is(mode, "nearest")) {
        double near = is(nearest, "floor")               ? floor(at)
                      : is(nearest, "ceil")              ? ceil(at)
                      : is(nearest, "round_prefer_ceil") ? floor(at + 0.5)
                                                         : ceil(at - 0.5);
        *index = (int64_t)fmin(fmax(near, 0), (double)(a->in - 1));
        *w = 1;
        return 1;
    }
    int n = 0;
    double stretch = op_attr_int(c, "antialias", 0) ? fmin(a->scale, 1) : 1;
    for (int64_t k = -MAX_TAPS / 2; k < a->in + MAX_TAPS / 2; k++) {
        double weight =
            filter(mode, op_attr_float(c, "cubic_coeff_a", -0.75), ((double)k - at) * stretch);
        if (weight == 0 || (op_attr_int(c, "exclude_outside", 0) && (k < 0 || k >= a->in)))
            continue;
        assert_true(n < MAX_TAPS);
        index[n] = (int64_t)fmin(fmax((double)k, 0), (double)(a->in - 1));
        w[n++] = weight;
        sum += weight;
    }
    for (int k = 0; k < n; k++)
        w[k] /= sum;
    return n;
}

static double known(const struct op_case *c, size_t k, int64_t i)
{
    return c->in[k].values[i];
}

static void read_axes(const struct op_case *c, const struct op_values *in, struct axis *axes)
{
    const struct eng_attr *named = op_attr(c, "axes"), *old = op_attr(c, "scales");
    int rank = in[0].shape.rank;
    size_t at = op_opset(c) < 11 ? 1 : 2;
    bool has_sizes = c->n_in > 3;
    int64_t n = named ? (int64_t)named->n : rank;
    const char *policy = text(c, "keep_aspect_ratio_policy", "stretch");
    double common = is(policy, "not_larger") ? INFINITY : 0;
    for (int d = 0; d < rank; d++)
        axes[d] = (struct axis){.in = in[0].shape.dim[d],
                                .out = in[0].shape.dim[d],
                                .scale = 1,
                                .length = (double)in[0].shape.dim[d],
                                .roi_end = 1};
    for (int64_t k = 0; k < n; k++) {
        struct axis *a = &axes[named ? (named->ints[k] + rank) % rank : k];
        a->scale = has_sizes ? known(c, 3, k) / (double)a->in
                   : old     ? (double)old->floats[k]
                             : (double)(float)known(c, at, k);
        a->length = a->scale * (double)a->in;
        a->out = (int64_t)floor(a->length + 1e-9);
        if (op_opset(c) > 10 && c->in[1].values && c->in[1].shape.dim[0] > 0) {
            a->roi_start = known(c, 1, k);
            a->roi_end = known(c, 1, k + n);
        }
        if (is(policy, "not_larger") ? a->scale < common : a->scale > common) common = a->scale;
    }
    for (int64_t k = 0; !is(policy, "stretch") && k < n; k++) {
        struct axis *a = &axes[named ? (named->ints[k] + rank) % rank : k];
        a->scale = common;
        a->length = common * (double)a->in;
        a->out = (int64_t)floor(a->length + 0.5);
    }
}

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    struct axis axes[ENG_MAX_RANK];
    struct eng_shape y = in[0].shape;
    read_axes(c, in, axes);
    for (int d = 0; d < y.rank; d++)
        y.dim[d] = axes[d].out;
    op_values_init(&out[0], y);
    for (size_t i = 0; i < out[0].n; i++) {
        int64_t index[ENG_MAX_RANK][MAX_TAPS];
        double w[ENG_MAX_RANK][MAX_TAPS];
        int n[ENG_MAX_RANK], at[ENG_MAX_RANK] = {0}, all = 1;
        for (int d = 0; d < y.rank; d++)
            all *= n[d] = taps(c, &axes[d], op_index(&y, i, d), index[d], w[d]);
        if (all == 0) out[0].v[i] = op_attr_float(c, "extrapolation_value", 0);
        for (int k = 0; k < all; k++) {
            double weight = 1;
            int64_t from = 0;
            for (int d = 0; d < y.rank; d++) {
                weight *= w[d][at[d]];
                from = from * axes[d].in + index[d][at[d]];
            }
            out[0].v[i] += weight * in[0].v[from];
            for (int d = 0; d < y.rank; d++) {
                if (++at[d] < n[d]) break;
                at[d] = 0;
            }
        }
        enum eng_dtype dtype = c->in[0].dtype;
        if (dtype != ENG_FLOAT32 && dtype != ENG_FLOAT64) out[0].v[i] = trunc(out[0].v[i]);
    }
}

#define COUNT(...) (int64_t)(sizeof((double[]){__VA_ARGS__}) / sizeof(double))
#define LIST(TYPE, ...)                                                   \
    {                                                                     \
        .dtype = TYPE, .shape = {.rank = 1, .dim = {COUNT(__VA_ARGS__)}}, \
        .values = (const double[]){__VA_ARGS__}, .constant = true         \
    }
#define SCALES(...) LIST(ENG_FLOAT32, __VA_ARGS__)
#define SIZES(...)  LIST(ENG_INT64, __VA_ARGS__)
#define EMPTY                                                                    \
    {                                                                            \
        .dtype = ENG_FLOAT32, .shape = {.rank = 1, .dim = {0}}, .constant = true \
    }
#define MODE(NAME)        ATTR_STRING("mode", NAME)
#define COORDINATES(NAME) ATTR_STRING("coordinate_transformation_mode", NAME)
#define NEAREST(NAME)     ATTR_STRING("nearest_mode", NAME)
#define BY_SCALES         .op = "Resize", .reference = reference, .n_in = 3, .tolerance = 1e-5
#define BY_SIZES          .op = "Resize", .reference = reference, .n_in = 4, .tolerance = 1e-5
#define UPSAMPLE          .op = "Upsample", .reference = reference
#define REFUSED           .op = "Resize", .n_in = 3

static const struct op_case cases[] = {
    {BY_SCALES, .what = "PyTorch's nearest by 2",
     .attrs = {COORDINATES("asymmetric"), NEAREST("floor")},
     .in = {FLOATS(2, 3, 4, 5), LEFT_OUT, SCALES(1, 1, 2, 2)}, .gradients = 1},
    {BY_SCALES, .what = "PyTorch's linear by 2",
     .attrs = {MODE("linear"), COORDINATES("pytorch_half_pixel")},
     .in = {FLOATS(2, 3, 4, 5), LEFT_OUT, SCALES(1, 1, 2, 2)}, .gradients = 1},
    {BY_SIZES, .what = "linear to a size, corners aligned",
     .attrs = {MODE("linear"), COORDINATES("align_corners")},
     .in = {FLOATS(2, 3, 4, 5), LEFT_OUT, LEFT_OUT, SIZES(2, 3, 7, 3)}, .gradients = 1},
    {BY_SIZES, .what = "large enough for threads", .attrs = {MODE("linear")},
     .in = {FLOATS(2, 8, 56, 57), LEFT_OUT, LEFT_OUT, SIZES(2, 8, 111, 80)}},
    {BY_SIZES, .what = "nearest, large enough for threads",
     .in = {FLOATS(2, 8, 56, 57), LEFT_OUT, LEFT_OUT, SIZES(2, 8, 111, 80)}},
    {BY_SCALES, .what = "cubic", .attrs = {MODE("cubic")},
     .in = {FLOATS(1, 2, 5, 6), LEFT_OUT, SCALES(1, 1, 1.5, 0.75)}, .gradients = 1},
    {BY_SCALES, .what = "cubic without what lies outside",
     .attrs = {MODE("cubic"), ATTR_FLOAT("cubic_coeff_a", -0.5f), ATTR_INT("exclude_outside", 1)},
     .in = {FLOATS(1, 2, 5, 6), LEFT_OUT, SCALES(1, 1, 1.5, 0.75)}, .gradients = 1},
    {BY_SCALES, .what = "linear with antialias", .opset = 18,
     .attrs = {MODE("linear"), ATTR_INT("antialias", 1)},
     .in = {FLOATS(1, 2, 9, 8), LEFT_OUT, SCALES(1, 1, 0.375, 1.5)}, .gradients = 1},
    {BY_SCALES, .what = "cubic with antialias, nothing outside", .opset = 18,
     .attrs = {MODE("cubic"), ATTR_INT("antialias", 1), ATTR_INT("exclude_outside", 1)},
     .in = {FLOATS(1, 2, 9, 8), LEFT_OUT, SCALES(1, 1, 0.375, 0.5)}, .gradients = 1},
    {BY_SCALES, .what = "crop and resize",
     .attrs = {MODE("linear"), COORDINATES("tf_crop_and_resize"),
               ATTR_FLOAT("extrapolation_value", 10)},
     .in = {FLOATS(1, 1, 4, 5), SCALES(0, 0, 0.375, 0.25, 1, 1, 1.25, 0.75), SCALES(1, 1, 1.5, 1)},
     .gradients = 1},
    {BY_SIZES, .what = "crop and resize, nearest",
     .attrs = {COORDINATES("tf_crop_and_resize"), ATTR_FLOAT("extrapolation_value", 7)},
     .in = {FLOATS(1, 2, 4, 5), SCALES(0, 0, -0.25, 0.125, 1, 1, 0.75, 1.5), LEFT_OUT,
            SIZES(1, 2, 3, 6)},
     .gradients = 1},
    {BY_SIZES, .what = "crop of one row",
     .attrs = {MODE("linear"), COORDINATES("tf_crop_and_resize")},
     .in = {FLOATS(4, 5), SCALES(0.25, 0.5, 0.75, 0.75), LEFT_OUT, SIZES(1, 3)}},
    {BY_SCALES, .what = "half_pixel_symmetric", .opset = 19,
     .attrs = {MODE("linear"), COORDINATES("half_pixel_symmetric")},
     .in = {FLOATS(1, 1, 3, 4), LEFT_OUT, SCALES(1, 1, 2.5, 0.625)}, .gradients = 1},
    {BY_SCALES, .what = "nearest, rounded up",
     .attrs = {COORDINATES("half_pixel"), NEAREST("ceil")},
     .in = {FLOATS(1, 1, 4, 4), LEFT_OUT, SCALES(1, 1, 1.5, 0.75)}},
    {BY_SCALES, .what = "nearest, a half goes up", .attrs = {NEAREST("round_prefer_ceil")},
     .in = {FLOATS(1, 1, 4, 4), LEFT_OUT, SCALES(1, 1, 0.5, 0.5)}},
    {BY_SCALES, .what = "nearest, a half goes down",
     .in = {FLOATS(1, 1, 4, 4), LEFT_OUT, SCALES(1, 1, 0.5, 0.5)}},
    {BY_SCALES, .what = "tf_half_pixel_for_nn",
     .attrs = {COORDINATES("tf_half_pixel_for_nn"), NEAREST("floor")},
     .in = {FLOATS(1, 1, 4, 6), LEFT_OUT, SCALES(1, 1, 0.5, 1.5)}},
    {BY_SCALES, .what = "channels last, bytes",
     .attrs = {NEAREST("floor"), COORDINATES("asymmetric")},
     .in = {TYPED(ENG_UINT8, 2, 3, 4, 3), LEFT_OUT, SCALES(1, 2, 2, 1)}},
    {BY_SCALES, .what = "bytes, one each", .attrs = {NEAREST("floor"), COORDINATES("asymmetric")},
     .in = {TYPED(ENG_INT8, 2, 3, 4), LEFT_OUT, SCALES(1, 2, 2)}},
    {BY_SCALES, .what = "int64, nearest", .in = {TYPED(ENG_INT64, 5), LEFT_OUT, SCALES(2)}},
    {BY_SCALES, .what = "bool, nearest", .in = {TYPED(ENG_BOOL, 2, 5), LEFT_OUT, SCALES(1, 2)}},
    {BY_SCALES, .what = "linear bytes", .attrs = {MODE("linear")},
     .in = {TYPED(ENG_UINT8, 1, 2, 4, 5), LEFT_OUT, SCALES(1, 1, 2, 2)}, .low = 0, .high = 255},
    {BY_SCALES, .what = "linear int32 along three axes", .attrs = {MODE("linear")},
     .in = {TYPED(ENG_INT32, 2, 4, 4), LEFT_OUT, SCALES(2, 0.5, 2)}, .low = -99, .high = 99},
    {BY_SCALES, .what = "cubic doubles", .attrs = {MODE("cubic")},
     .in = {TYPED(ENG_FLOAT64, 1, 2, 4, 4), LEFT_OUT, SCALES(1, 1, 2, 0.5)}},
    {BY_SCALES, .what = "three axes", .attrs = {MODE("linear")},
     .in = {FLOATS(1, 2, 3, 4, 5), LEFT_OUT, SCALES(1, 1, 2, 1.5, 0.5)}, .gradients = 1},
    {BY_SCALES, .what = "four axes, all of them", .attrs = {MODE("linear")},
     .in = {FLOATS(2, 3, 2, 4), LEFT_OUT, SCALES(1.5, 2, 2, 1.5)}, .gradients = 1},
    {BY_SCALES, .what = "nothing to do", .attrs = {MODE("cubic")},
     .in = {FLOATS(1, 2, 3, 4), LEFT_OUT, SCALES(1, 1, 1, 1)}, .gradients = 1},
    {BY_SIZES, .what = "sizes of opset 11 with an empty list of scales", .opset = 11,
     .attrs = {MODE("linear")}, .in = {FLOATS(1, 2, 4), EMPTY, EMPTY, SIZES(1, 2, 6)}},
    {BY_SIZES, .what = "axes", .opset = 18, .attrs = {ATTR_INTS("axes", -1, 1), MODE("linear")},
     .in = {FLOATS(1, 4, 2, 3), LEFT_OUT, LEFT_OUT, SIZES(6, 3)}, .gradients = 1},
    {BY_SIZES, .what = "not larger", .opset = 18,
     .attrs = {ATTR_INTS("axes", 2, 3), MODE("linear"),
               ATTR_STRING("keep_aspect_ratio_policy", "not_larger")},
     .in = {FLOATS(1, 2, 8, 6), LEFT_OUT, LEFT_OUT, SIZES(5, 12)}},
    {BY_SIZES, .what = "not smaller", .opset = 18,
     .attrs = {ATTR_INTS("axes", 2, 3), MODE("linear"),
               ATTR_STRING("keep_aspect_ratio_policy", "not_smaller")},
     .in = {FLOATS(1, 2, 8, 4), LEFT_OUT, LEFT_OUT, SIZES(5, 3)}},
    {.op = "Resize",
     .reference = reference,
     .n_in = 2,
     .opset = 10,
     .what = "opset 10",
     .attrs = {MODE("linear")},
     .in = {FLOATS(1, 2, 3, 4), SCALES(1, 1, 1.5, 2)},
     .gradients = 1},
    {.op = "Resize",
     .reference = reference,
     .n_in = 2,
     .opset = 10,
     .what = "opset 10, nearest",
     .in = {FLOATS(1, 2, 3, 4), SCALES(1, 1, 1.5, 2)}},
    {.op = "Resize",
     .reference = reference,
     .n_in = 2,
     .opset = 10,
     .what = "opset 10, nearest, smaller along one axis",
     .in = {FLOATS(1, 2, 3, 5), SCALES(1, 1, 1.5, 0.7)}},
    {BY_SCALES, .what = "down to nothing", .in = {FLOATS(1, 4), LEFT_OUT, SCALES(1, 0.125)}},
    {UPSAMPLE, .opset = 9, .n_in = 2, .what = "nearest",
     .in = {FLOATS(1, 2, 3, 4), SCALES(1, 1, 2, 3)}, .gradients = 1},
    {UPSAMPLE, .opset = 9, .n_in = 2, .what = "linear", .attrs = {MODE("linear")},
     .in = {FLOATS(1, 2, 3, 4), SCALES(1, 1, 2, 3)}, .gradients = 1},
    {UPSAMPLE, .opset = 7, .n_in = 1, .what = "opset 7",
     .attrs = {{.name = "scales",
                .type = ENG_ATTR_FLOATS,
                .floats = (const float[]){1, 1, 2, 1.5f},
                .n = 4}},
     .in = {FLOATS(1, 2, 3, 4)}},
    {REFUSED, .what = "neither", .in = {FLOATS(1, 4), LEFT_OUT, EMPTY},
     .refusal = "neither scales"},
    {.op = "Resize",
     .n_in = 4,
     .what = "both",
     .in = {FLOATS(1, 4), LEFT_OUT, SCALES(1, 2), SIZES(1, 8)},
     .refusal = "has scales and sizes"},
    {REFUSED, .what = "a scale too few", .in = {FLOATS(1, 4), LEFT_OUT, SCALES(2)},
     .refusal = "2 elements are wanted"},
    {REFUSED, .what = "a negative scale", .in = {FLOATS(1, 4), LEFT_OUT, SCALES(1, -2)},
     .refusal = "a scale is -2"},
    {REFUSED, .what = "no number", .in = {FLOATS(1, 4), LEFT_OUT, SCALES(1, (double)NAN)},
     .refusal = "a scale is"},
    {REFUSED, .what = "a huge scale", .in = {FLOATS(1, 4), LEFT_OUT, SCALES(1, 1e30)},
     .refusal = "a scale is 1e+30"},
    {REFUSED, .what = "scales that the picture decides", .in = {FLOATS(1, 4), LEFT_OUT, FLOATS(2)},
     .refusal = "input 2 (scales)"},
    {.op = "Resize",
     .n_in = 4,
     .what = "an empty size",
     .in = {FLOATS(4), LEFT_OUT, LEFT_OUT, SIZES(0)},
     .refusal = "sizes[0] is 0"},
    {REFUSED, .what = "crop without a region", .attrs = {COORDINATES("tf_crop_and_resize")},
     .in = {FLOATS(1, 4), LEFT_OUT, SCALES(1, 2)}, .refusal = "input 1 (roi) is missing"},
    {REFUSED, .what = "antialias in opset 17", .attrs = {ATTR_INT("antialias", 1)},
     .in = {FLOATS(1, 4), LEFT_OUT, SCALES(1, 2)}, .refusal = "'antialias' is there from opset 18"},
    {REFUSED, .what = "one axis twice", .opset = 18, .attrs = {ATTR_INTS("axes", 1, -1)},
     .in = {FLOATS(1, 4), LEFT_OUT, SCALES(1, 2)}, .refusal = "names dimension 1 twice"},
    {REFUSED, .what = "linear bool", .attrs = {MODE("linear")},
     .in = {TYPED(ENG_BOOL, 1, 4), LEFT_OUT, SCALES(1, 2)}, .refusal = "bool"},
    {.op = "Resize",
     .what = "something from nothing",
     .n_in = 4,
     .in = {FLOATS(1, 0), LEFT_OUT, LEFT_OUT, SIZES(1, 2)},
     .refusal = "is empty"},
    {.op = "Upsample",
     .opset = 9,
     .n_in = 1,
     .what = "no scales",
     .in = {FLOATS(1, 4)},
     .refusal = "(scales) is missing"},
    {.op = "Upsample",
     .opset = 9,
     .n_in = 2,
     .what = "cubic",
     .attrs = {MODE("cubic")},
     .in = {FLOATS(1, 4), SCALES(1, 2)},
     .refusal = "mode is cubic"},
    {.op = "Upsample",
     .opset = 7,
     .n_in = 1,
     .what = "no attribute",
     .in = {FLOATS(1, 4)},
     .refusal = "'scales' must be 2 floats"},
};

/* Values that ONNX's own cases of opset 18 and 19 record. */
static const struct {
    const char *mode, *coordinates;
    int opset, antialias;
    int64_t height, width;
    double scale_y, scale_x;
    double wanted[6];
} recorded[] = {
    {"linear", "half_pixel", 18, 1, 4, 4, 0.6, 0.6, {2.875, 4.5, 9.375, 11}},
    {"cubic", "half_pixel", 18, 1, 4, 4, 0.6, 0.6, {2.5180721, 4.2858863, 9.589329, 11.357142}},
    {"linear", "half_pixel_symmetric", 19, 0, 1, 4, 1, 0.6, {1.6666667, 3.3333333}},
    {"linear", "half_pixel_symmetric", 19, 0, 2, 2, 2.3, 2.94, {1, 1.15986395, 1.5, 1.84013605, 2}},
};

static void test_recorded(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof recorded / sizeof recorded[0]; i++) {
        double x[16], scales[] = {1, 1, recorded[i].scale_y, recorded[i].scale_x};
        for (int k = 0; k < 16; k++)
            x[k] = k + 1;
        struct op_case c = {
            .op = "Resize",
            .what = recorded[i].mode,
            .opset = recorded[i].opset,
            .n_in = 3,
            .attrs = {MODE(recorded[i].mode), COORDINATES(recorded[i].coordinates),
                      ATTR_INT("antialias", recorded[i].antialias)},
            .in = {{.dtype = ENG_FLOAT32,
                    .shape = SHAPE(1, 1, recorded[i].height, recorded[i].width),
                    .values = x},
                   LEFT_OUT,
                   {.dtype = ENG_FLOAT32, .shape = SHAPE(4), .values = scales, .constant = true}}};
        struct op_run run;
        op_run_init(&run, &c, false);
        run.op->forward(&run.call);
        for (size_t k = 0; k < 6 && recorded[i].wanted[k] != 0; k++)
            assert_true(op_close(op_read(&run.out[0], k), recorded[i].wanted[k], 1e-6));
        op_run_fini(&run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_recorded)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return OP_BATTERY("resize", cases) || failed;
}

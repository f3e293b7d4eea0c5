#include "op_battery.h"

enum { N = 5, N_REFERENCES = 1100, N_FEATURES = 6, N_CLASSES = 7 };

/* Whole numbers and coarse, so that many distances are equal; filled by main. */
static double bytes[N * N_FEATURES], mixed[N * N_FEATURES];
static double references[N_REFERENCES * N_FEATURES], labels[N_REFERENCES];

static double distance_of(const struct op_case *c, const double *a, const double *b, size_t n)
{
    const struct eng_attr *attr = op_attr(c, "distance");
    bool squared = attr && strcmp(attr->s, "L2") == 0;
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += squared ? (a[i] - b[i]) * (a[i] - b[i]) : fabs(a[i] - b[i]);
    return sum;
}

/* k times the nearest of those not taken yet: lower indices come first. */
static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    size_t n_references = in[2].n, n_features = in[1].n / n_references;
    int64_t n_classes = op_attr_int(c, "n_classes", 0), k = op_attr_int(c, "k", 1);
    for (size_t i = 0; i < n_references && !op_attr(c, "n_classes"); i++)
        n_classes = in[2].v[i] >= (double)n_classes ? (int64_t)in[2].v[i] + 1 : n_classes;
    op_values_init(&out[0], (struct eng_shape){.rank = 2, .dim = {in[0].shape.dim[0], n_classes}});
    for (int64_t row = 0; row < in[0].shape.dim[0]; row++) {
        bool *taken = calloc(n_references, sizeof *taken);
        assert_non_null(taken);
        for (int64_t vote = 0; vote < k; vote++) {
            size_t best = n_references;
            double best_distance = INFINITY;
            for (size_t r = 0; r < n_references; r++) {
                double d = distance_of(c, in[0].v + (size_t)row * n_features,
                                       in[1].v + r * n_features, n_features);
                if (!taken[r] && (best == n_references || d < best_distance)) {
                    best = r;
                    best_distance = d;
                }
            }
            taken[best] = true;
            out[0].v[row * n_classes + (int64_t)in[2].v[best]] += 1.0 / (double)k;
        }
        free(taken);
    }
}

#define GOOD       .op = "KNearest", .domain = "classifyd", .opset = 1, .n_in = 3
#define CHECKED    GOOD, .reference = reference, .batched = 1
#define ATTRS(...) .attrs = {__VA_ARGS__}
#define ROWS(VALUES, ...)                                                   \
    {                                                                       \
        .dtype = ENG_FLOAT32, .shape = SHAPE(__VA_ARGS__), .values = VALUES \
    }
#define REFERENCES(...)                                                                         \
    {                                                                                           \
        .dtype = ENG_UINT8, .shape = SHAPE(__VA_ARGS__), .values = references, .constant = true \
    }
#define LABELS(TYPE, ...)                                                              \
    {                                                                                  \
        .dtype = TYPE, .shape = SHAPE(__VA_ARGS__), .values = labels, .constant = true \
    }
#define ALL REFERENCES(N_REFERENCES, N_FEATURES), LABELS(ENG_INT64, N_REFERENCES)
#define FEW REFERENCES(9, N_FEATURES), LABELS(ENG_INT64, 9)

static const double outside[] = {3, 300, 4, 2, 1, 9}, bad_labels[] = {0, 1, 2, 3, -1, 0, 0, 0, 7};

static const struct op_case cases[] = {
    {CHECKED, .what = "defaults", .in = {ROWS(bytes, N, N_FEATURES), ALL}},
    {CHECKED, .what = "L1 of three", ATTRS(ATTR_INT("k", 3)),
     .in = {ROWS(bytes, N, N_FEATURES), ALL}},
    {CHECKED, .what = "L2 of 17", ATTRS(ATTR_INT("k", 17), ATTR_STRING("distance", "L2")),
     .in = {ROWS(bytes, N, N_FEATURES), ALL}},
    {CHECKED, .what = "rows that are no bytes", ATTRS(ATTR_INT("k", 4)),
     .in = {ROWS(mixed, N, N_FEATURES), ALL}},
    {CHECKED, .what = "L2 of those",
     ATTRS(ATTR_INT("k", 4), ATTR_STRING("distance", "L2"), ATTR_INT("n_classes", 9)),
     .in = {ROWS(mixed, N, N_FEATURES), ALL}},
    {CHECKED, .what = "a value above 255", ATTRS(ATTR_INT("k", 2)),
     .in = {ROWS(outside, 1, N_FEATURES), FEW}},
    {CHECKED, .what = "all vote", ATTRS(ATTR_INT("k", 9)), .in = {ROWS(bytes, N, N_FEATURES), FEW}},
    {CHECKED, .what = "more votes than a chunk keeps", ATTRS(ATTR_INT("k", 700)),
     .in = {ROWS(bytes, N, N_FEATURES), ALL}},
    {CHECKED, .what = "pictures, int32 labels", ATTRS(ATTR_INT("n_classes", N_CLASSES)),
     .in = {ROWS(bytes, N, 1, 2, 3), REFERENCES(N_REFERENCES, N_FEATURES),
            LABELS(ENG_INT32, N_REFERENCES)}},
    {CHECKED, .what = "one number a row",
     .in = {ROWS(bytes, N), REFERENCES(20, 1), LABELS(ENG_INT64, 20)}},
    {GOOD, .what = "k above n", ATTRS(ATTR_INT("k", 10)), .in = {ROWS(bytes, N, N_FEATURES), FEW},
     .refusal = "attribute 'k' is 10; wanted at most 9, the number of references"},
    {GOOD, .what = "k of 0", ATTRS(ATTR_INT("k", 0)), .in = {ROWS(bytes, N, N_FEATURES), FEW},
     .refusal = "k is 0, but must lie in 1 to 16777216"},
    {GOOD, .what = "another distance", ATTRS(ATTR_STRING("distance", "L3")),
     .in = {ROWS(bytes, N, N_FEATURES), FEW}, .refusal = "L3"},
    {GOOD, .what = "rows of another size", .in = {ROWS(bytes, N, N_FEATURES - 1), FEW},
     .refusal = "a row of 5 elements; wanted 6"},
    {GOOD, .what = "integer rows", .in = {{.dtype = ENG_INT32, .shape = SHAPE(1, N_FEATURES)}, FEW},
     .refusal = "input 0 has element type int32; float is wanted"},
    {GOOD, .what = "references computed",
     .in = {ROWS(bytes, N, N_FEATURES),
            {.dtype = ENG_UINT8, .shape = SHAPE(9, N_FEATURES), .values = references},
            LABELS(ENG_INT64, 9)},
     .refusal = "input 1 (references) is computed from the picture"},
    {GOOD, .what = "references of floats",
     .in = {ROWS(bytes, N, N_FEATURES),
            {.dtype = ENG_FLOAT32, .shape = SHAPE(9, N_FEATURES), .constant = true},
            LABELS(ENG_INT64, 9)},
     .refusal = "input 1 has element type float; uint8 is wanted"},
    {GOOD, .what = "flat references",
     .in = {ROWS(bytes, N, N_FEATURES), REFERENCES(54), LABELS(ENG_INT64, 9)},
     .refusal = "input 1 has shape [54] of rank 1; rank 2 is wanted"},
    {GOOD, .what = "no reference",
     .in = {ROWS(bytes, N, N_FEATURES), REFERENCES(0, N_FEATURES), LABELS(ENG_INT64, 0)},
     .refusal = "there are 0 references"},
    {GOOD, .what = "no feature", .in = {ROWS(bytes, N, 0), REFERENCES(9, 0), LABELS(ENG_INT64, 9)},
     .refusal = "a row of 0 elements"},
    {GOOD, .what = "too few labels",
     .in = {ROWS(bytes, N, N_FEATURES), REFERENCES(9, N_FEATURES), LABELS(ENG_INT64, 8)},
     .refusal = "input 2 has shape [8]; [9] is wanted"},
    {GOOD, .what = "labels of floats",
     .in = {ROWS(bytes, N, N_FEATURES), REFERENCES(9, N_FEATURES), LABELS(ENG_FLOAT32, 9)},
     .refusal = "input 2 has element type float; int64 is wanted"},
    {GOOD, .what = "a label below 0",
     .in = {ROWS(bytes, N, N_FEATURES),
            REFERENCES(9, N_FEATURES),
            {.dtype = ENG_INT64, .shape = SHAPE(9), .values = bad_labels, .constant = true}},
     .refusal = "label 4 is -1; wanted 0 to 65535"},
    {GOOD, .what = "a label above the classes", ATTRS(ATTR_INT("n_classes", 1)),
     .in = {ROWS(bytes, N, N_FEATURES), FEW}, .refusal = "wanted 0 to 0"},
    {GOOD, .what = "squares that do not fit 32 bits", ATTRS(ATTR_STRING("distance", "L2")),
     .in = {{.dtype = ENG_FLOAT32, .shape = SHAPE(1, 66052)},
            {.dtype = ENG_UINT8, .shape = SHAPE(1, 66052), .constant = true},
            LABELS(ENG_INT64, 1)},
     .refusal = "references have 66052 features; by distance L2 at most 66051 can be compared"},
};

static void fill(double *values, size_t n, uint64_t stream, double step, uint64_t n_steps)
{
    struct eng_rng rng;
    eng_rng_init(&rng, 8, stream);
    for (size_t i = 0; i < n; i++)
        values[i] = step * (double)eng_rng_below(&rng, n_steps);
}

int main(void)
{
    fill(bytes, N * N_FEATURES, 0, 15, 18);
    fill(mixed, N * N_FEATURES, 1, 7.5, 35);
    fill(references, N_REFERENCES * N_FEATURES, 2, 15, 18);
    fill(labels, N_REFERENCES, 3, 1, N_CLASSES);
    for (size_t i = 0; i < N_FEATURES; i++)
        mixed[i] = bytes[i]; /* one row among them is bytes */
    return OP_BATTERY("knearest", cases);
}

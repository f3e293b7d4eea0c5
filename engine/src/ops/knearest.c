/*
 * K nearest neighbours: Y[i, c] = share of the k references nearest to X[i] that have label c.
 *
 * Shapes: X [N, ...], a row of it as many elements as a reference; references uint8 [n, features];
 * labels int64 or int32 [n]; Y [N, n_classes], rows that sum to 1. References and labels are
 * constants: the training set is the model.
 * Distance: L1, sum of |x - r|; L2, sum of (x - r)^2. Equally near references: the lower index is
 * nearer. Rows of whole numbers 0..255 are compared as bytes, others in double precision.
 * Ties: classes with equally many votes stand in the order of their nearest neighbours: each gets
 * as many units in the last place of its share more as there are tied classes behind it. So the
 * largest probability belongs to the class that wins, whoever looks for it.
 * Source: operator of the domain classifyd, version 1; T. Cover, P. Hart, "Nearest Neighbor Pattern
 * Classification" (1967).
 */
#include "kernels/nearest.h"

#include "base/error.h"
#include "base/mem.h"
#include "ops/op.h"

#include <string.h>

enum {
    MAX_CLASSES = 65536,
    MAX_K = 1 << 24, /* floats count votes exactly up to here */
};

static const char *const distances[] = {"L1", "L2", NULL};

struct attrs {
    int64_t k, n_classes;
    int distance; /* enum eng_distance */
};

static const struct eng_field fields[] = {
    ENG_F_INT(struct attrs, k, 1, 1, MAX_K, "neighbours that vote"),
    ENG_F_CHOICE(struct attrs, distance, ENG_DISTANCE_L1, distances, "L1 or L2"),
    ENG_F_INT(struct attrs, n_classes, 0, 0, MAX_CLASSES, "0: the highest label + 1"),
};

struct state {
    struct eng_nearest nearest;
    size_t n_classes;
};

static int64_t label_at(const struct eng_tensor *labels, size_t i)
{
    return labels->dtype == ENG_INT64 ? ((const int64_t *)labels->data)[i]
                                      : ((const int32_t *)labels->data)[i];
}

/* Every reference has as many features as a row of X, so few that no distance overflows. */
static enum eng_status check_features(const struct eng_op_infer *q, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    const struct eng_shape *references = &q->in[1]->shape;
    struct eng_shape row = q->in[0]->shape;
    char text[96];
    eng_shape_format(&row, text, sizeof text);
    row.dim[0] = 1;
    int64_t n = eng_shape_count(&row);
    if (n < 1 || n != references->dim[1])
        return eng_fail(err, ENG_FORMAT,
                        "input 0 has shape %s, a row of %lld elements; wanted %lld, at least 1, as "
                        "a reference has features",
                        text, (long long)n, (long long)references->dim[1]);
    size_t max = eng_distance_max_features((enum eng_distance)attrs->distance);
    if ((uint64_t)n > max)
        return eng_fail(err, ENG_LIMIT,
                        "references have %lld features; by distance %s at most %zu can be compared",
                        (long long)n, distances[attrs->distance], max);
    return ENG_OK;
}

static enum eng_status check_references(const struct eng_op_infer *q, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    enum eng_status status = eng_infer_constant(q, 1, "references", ENG_UINT8, err);
    if (status == ENG_OK) status = eng_infer_rank(q, 1, 2, 2, err);
    if (status != ENG_OK) return status;
    int64_t n = q->in[1]->shape.dim[0];
    if (n < 1 || n > INT32_MAX)
        return eng_fail(err, ENG_LIMIT, "there are %lld references; wanted 1 to %d", (long long)n,
                        INT32_MAX);
    if (attrs->k > n)
        return eng_fail(err, ENG_FORMAT,
                        "attribute 'k' is %lld; wanted at most %lld, the number of references",
                        (long long)attrs->k, (long long)n);
    return check_features(q, err);
}

static enum eng_status check_labels(const struct eng_op_infer *q, int64_t *n_classes,
                                    struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    const struct eng_tensor *labels = q->in[2];
    enum eng_dtype type = labels->dtype == ENG_INT32 ? ENG_INT32 : ENG_INT64;
    enum eng_status status = eng_infer_constant(q, 2, "labels", type, err);
    struct eng_shape wanted = {.rank = 1, .dim = {q->in[1]->shape.dim[0]}};
    if (status == ENG_OK) status = eng_infer_shape(q, 2, &wanted, err);
    if (status != ENG_OK) return status;
    int64_t limit = attrs->n_classes > 0 ? attrs->n_classes : MAX_CLASSES, highest = 0;
    for (size_t i = 0; i < (size_t)wanted.dim[0]; i++) {
        int64_t label = label_at(labels, i);
        if (label < 0 || label >= limit)
            return eng_fail(err, ENG_FORMAT, "label %zu is %lld; wanted 0 to %lld", i,
                            (long long)label, (long long)limit - 1);
        highest = label > highest ? label : highest;
    }
    *n_classes = attrs->n_classes > 0 ? attrs->n_classes : highest + 1;
    return ENG_OK;
}

/* Scratch: what the search wants, the neighbours of all rows, and what counting votes wants. */
struct scratch {
    void *search;
    struct eng_neighbour *neighbours; /* [N, k] */
    uint32_t *votes;                  /* [n_classes] zero between rows */
    uint32_t *n_later;                /* [k + 1] zero between rows */
    uint32_t *order;                  /* [k] classes by their nearest neighbour */
};

/* Writes where the pieces begin, in bytes, and the end; false if a size_t does not hold it. */
static bool lay_out(const struct state *state, size_t offsets[6])
{
    size_t k = state->nearest.k, n_neighbours;
    if (!eng_nearest_scratch_bytes(&state->nearest, &offsets[1]) ||
        !eng_mul_size(state->nearest.n_queries, k, &n_neighbours))
        return false;
    const size_t n_bytes[] = {sizeof(struct eng_neighbour), sizeof(uint32_t), sizeof(uint32_t),
                              sizeof(uint32_t)};
    const size_t n[] = {n_neighbours, state->n_classes, k + 1, k};
    offsets[0] = 0;
    for (size_t i = 0; i < 4; i++) {
        size_t size;
        if (!eng_mul_size(n[i], n_bytes[i], &size) || size > SIZE_MAX / 4 ||
            !eng_add_size(offsets[i + 1], eng_align_up(size), &offsets[i + 2]))
            return false;
    }
    return true;
}

static struct scratch scratch_of(const struct eng_op_call *call)
{
    size_t offsets[6];
    uint8_t *base = call->scratch;
    lay_out(call->state, offsets);
    return (struct scratch){.search = base,
                            .neighbours = (void *)(base + offsets[1]),
                            .votes = (void *)(base + offsets[2]),
                            .n_later = (void *)(base + offsets[3]),
                            .order = (void *)(base + offsets[4])};
}

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    struct state *state = q->state;
    int64_t n_classes = 0;
    size_t offsets[6];
    enum eng_status status = eng_infer_dtype(q, 0, ENG_FLOAT32, err);
    if (status == ENG_OK) status = eng_infer_rank(q, 0, 1, ENG_MAX_RANK, err);
    if (status == ENG_OK) status = check_references(q, err);
    if (status == ENG_OK) status = check_labels(q, &n_classes, err);
    if (status != ENG_OK) return status;
    const struct eng_shape *references = &q->in[1]->shape;
    struct eng_shape y = {.rank = 2, .dim = {q->in[0]->shape.dim[0], n_classes}};
    *state = (struct state){.nearest = {.distance = (enum eng_distance)attrs->distance,
                                        .n_queries = (size_t)y.dim[0],
                                        .n_references = (size_t)references->dim[0],
                                        .n_features = (size_t)references->dim[1],
                                        .k = (size_t)attrs->k},
                            .n_classes = (size_t)n_classes};
    if (!lay_out(state, offsets))
        return eng_fail(err, ENG_LIMIT, "the %lld nearest of %lld rows do not fit memory",
                        (long long)attrs->k, (long long)y.dim[0]);
    q->scratch_bytes = offsets[5];
    eng_infer_output(q, 0, ENG_FLOAT32, &y);
    return ENG_OK;
}

/* The n-th float above x, a positive one. */
static float above(float x, uint32_t n)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits += n;
    memcpy(&x, &bits, sizeof bits);
    return x;
}

/* One row's votes. From the class behind all others to the nearest, each tie counted. */
static void vote(const struct eng_tensor *labels, const struct eng_neighbour *neighbours, size_t k,
                 const struct scratch *scratch, float *y)
{
    size_t n_seen = 0;
    for (size_t i = 0; i < k; i++) {
        uint32_t class = (uint32_t)label_at(labels, neighbours[i].index);
        if (scratch->votes[class]++ == 0) scratch->order[n_seen++] = class;
    }
    for (size_t i = n_seen; i-- > 0;) {
        uint32_t class = scratch->order[i], n_votes = scratch->votes[class];
        y[class] = above((float)n_votes / (float)k, scratch->n_later[n_votes]++);
    }
    for (size_t i = 0; i < n_seen; i++) {
        scratch->n_later[scratch->votes[scratch->order[i]]] = 0;
        scratch->votes[scratch->order[i]] = 0;
    }
}

static void forward(const struct eng_op_call *call)
{
    const struct state *state = call->state;
    struct eng_nearest nearest = state->nearest;
    struct scratch scratch = scratch_of(call);
    float *y = call->out[0]->data;
    nearest.references = call->in[1]->data;
    eng_nearest_run(&nearest, call->in[0]->data, scratch.neighbours, scratch.search, call->pool);
    memset(scratch.votes, 0, state->n_classes * sizeof *scratch.votes);
    memset(scratch.n_later, 0, (nearest.k + 1) * sizeof *scratch.n_later);
    memset(y, 0, nearest.n_queries * state->n_classes * sizeof *y);
    for (size_t i = 0; i < nearest.n_queries; i++)
        vote(call->in[2], scratch.neighbours + i * nearest.k, nearest.k, &scratch,
             y + i * state->n_classes);
}

static double flops(const struct eng_op_infer *q)
{
    const struct eng_nearest *nearest = &((const struct state *)q->state)->nearest;
    return 2.0 * (double)nearest->n_queries * (double)nearest->n_references *
           (double)nearest->n_features;
}

const struct eng_op eng_op_knearest = {
    .name = "KNearest",
    .domain = "classifyd",
    .opset_min = 1,
    .opset_max = 1,
    .in_min = 3,
    .in_max = 3,
    .out_min = 1,
    .out_max = 1,
    .flags = ENG_OP_PROBABILITIES,
    .follow = eng_follow_rows,
    .attrs = fields,
    .n_attrs = sizeof fields / sizeof fields[0],
    .attrs_bytes = sizeof(struct attrs),
    .state_bytes = sizeof(struct state),
    .infer = infer,
    .forward = forward,
    .flops = flops,
};

/*
 * Sums of products by Einstein's convention: "bhid,bhjd->bhij" is, for each b, h, i and j, the sum
 * over d of A[b,h,i,d] B[b,h,j,d].
 *
 * Operands are taken two at a time, from the left. The labels of a pair are those of a stack of
 * matrix products: in both and needed later: the stack; in both only: summed by the product; in
 * one: its rows or columns, or, if nobody needs them, summed beforehand. So a pair is brought into
 * that order (if it is not in it already), multiplied, and the last result brought into the order
 * of the output. Shapes: any, up to 8 operands. Source: ONNX Einsum, version 12.
 */
#include "kernels/matmul.h"
#include "kernels/strided.h"

#include "base/error.h"
#include "base/mem.h"
#include "ops/einsum_equation.h"
#include "ops/op.h"

#include <string.h>

struct attrs {
    const char *equation;
};

static const struct eng_field fields[] = {
    ENG_F_STRING(struct attrs, equation, "terms of letters, one per operand, and '->' the result"),
};

/* A tensor as labels with steps; a label may stand for a diagonal or be repeated (step 0). */
struct value {
    int n;
    uint8_t label[ENG_STRIDED_RANK];
    size_t step[ENG_STRIDED_RANK];
};

/* A place in scratch (or keep), in elements; what is read or written directly has none. */
struct place {
    struct eng_strided map; /* from the value to the dense matrices; of the result: back */
    bool is_direct, has_sum;
    size_t at, count;
};

struct step {
    struct place left, right, result;
    struct eng_matmul product;
};

struct state {
    size_t n_steps;
    struct step step[ENG_EINSUM_TERMS];
    struct place only; /* of a single operand, straight to the output */
    size_t n_elements; /* of the memory behind all places */
};

/* --- the plan --- */

static int find(const struct value *v, int label)
{
    for (int i = 0; i < v->n; i++)
        if (v->label[i] == label) return i;
    return -1;
}

/* A repeated letter walks along the diagonal. */
static struct value operand_value(const struct eng_einsum *e, int i, const struct eng_shape *shape)
{
    struct value v = {0};
    size_t step = 1;
    for (int d = shape->rank - 1; d >= 0; d--) {
        int label = e->in[i].label[d], k = find(&v, label);
        if (k < 0) {
            k = v.n++;
            v.label[k] = (uint8_t)label;
            v.step[k] = 0;
        }
        if (shape->dim[d] != 1) v.step[k] += step;
        step *= (size_t)shape->dim[d];
    }
    return v;
}

/* Which labels the output or an operand after i has. */
static uint64_t needed_after(const struct eng_einsum *e, int i)
{
    uint64_t needed = 0;
    for (int d = 0; d < e->out.n; d++)
        needed |= (uint64_t)1 << e->out.label[d];
    for (int k = i + 1; k < e->n_terms; k++)
        for (int d = 0; d < e->in[k].n; d++)
            needed |= (uint64_t)1 << e->in[k].label[d];
    return needed;
}

/* Labels in the order of the output, then the others. */
static int ordered_label(const struct eng_einsum *e, int i)
{
    if (i < e->out.n) return e->out.label[i];
    return i - e->out.n;
}

static bool is_second_visit(const struct eng_einsum *e, int i)
{
    for (int d = 0; i >= e->out.n && d < e->out.n; d++)
        if (e->out.label[d] == i - e->out.n) return true;
    return false;
}

/* The labels that are in both, one or neither of the sides, and needed or not. */
struct part {
    bool in_left, in_right, is_needed;
};

static const struct part stack_part = {true, true, true}, depth_part = {true, true, false},
                         rows_part = {true, false, true}, columns_part = {false, true, true},
                         left_sum = {true, false, false}, right_sum = {false, true, false};

/* Appends the part's labels to a map out of `from`; returns their number of elements. */
static size_t append(const struct eng_einsum *e, const struct value *left,
                     const struct value *right, uint64_t needed, struct part part,
                     const struct value *from, struct eng_strided *map, struct value *labels)
{
    size_t count = 1;
    for (int i = 0; i < e->out.n + ENG_EINSUM_LABELS; i++) {
        int label = ordered_label(e, i);
        if (is_second_visit(e, i) || (find(left, label) >= 0) != part.in_left ||
            (find(right, label) >= 0) != part.in_right || (needed >> label & 1) != part.is_needed)
            continue;
        count *= (size_t)e->size[label];
        if (map) {
            map->dim[map->rank] = (size_t)e->size[label];
            map->from[map->rank++] = from->step[find(from, label)];
        }
        if (labels) labels->label[labels->n++] = (uint8_t)label;
    }
    return count;
}

/* Dense steps for the first n dimensions; those after them are summed. */
static void finish_place(struct place *place, int n)
{
    size_t step = 1;
    place->has_sum = false;
    for (int d = n; d < place->map.rank; d++) {
        place->map.to[d] = 0;
        place->has_sum |= place->map.dim[d] != 1;
    }
    for (int d = n - 1; d >= 0; d--) {
        place->map.to[d] = step;
        step *= place->map.dim[d];
    }
    place->count = step;
    place->is_direct = !place->has_sum && eng_strided_is_identity(&place->map);
    eng_strided_join(&place->map);
}

/* Sizes are products of dimensions of checked tensors, but a matrix may repeat them. */
static enum eng_status check_size(const struct eng_einsum *e, const struct value *left,
                                  const struct value *right, struct eng_error *err)
{
    struct eng_shape all = {.rank = 1, .dim = {1}};
    int n_labels = 0;
    for (int label = 0; label < ENG_EINSUM_LABELS; label++) {
        if (find(left, label) < 0 && find(right, label) < 0) continue;
        n_labels++;
        all.dim[1] = e->size[label];
        all.rank = 2;
        int64_t count = eng_shape_count(&all);
        if (count < 0)
            return eng_fail(err, ENG_LIMIT, "a product runs over more than 2^40 elements");
        all.dim[0] = count > 0 ? count : 1;
    }
    if (n_labels > ENG_STRIDED_RANK)
        return eng_fail(err, ENG_UNSUPPORTED,
                        "a product runs over %d labels; at most %d are wanted", n_labels,
                        ENG_STRIDED_RANK);
    return ENG_OK;
}

/* One pair; *left becomes the product. */
static enum eng_status plan_step(const struct eng_einsum *e, struct value *left,
                                 const struct value *right, uint64_t needed, struct step *s,
                                 struct eng_error *err)
{
    enum eng_status status = check_size(e, left, right, err);
    if (status != ENG_OK) return status;
    struct value result = {0};
    int64_t n_stack =
        (int64_t)append(e, left, right, needed, stack_part, left, &s->left.map, &result);
    struct eng_shape stack = {.rank = 1, .dim = {n_stack}};
    s->product.m = append(e, left, right, needed, rows_part, left, &s->left.map, &result);
    s->product.k = append(e, left, right, needed, depth_part, left, &s->left.map, NULL);
    int n_left = s->left.map.rank;
    append(e, left, right, needed, left_sum, left, &s->left.map, NULL);
    append(e, left, right, needed, stack_part, right, &s->right.map, NULL);
    append(e, left, right, needed, depth_part, right, &s->right.map, NULL);
    s->product.n = append(e, left, right, needed, columns_part, right, &s->right.map, &result);
    int n_right = s->right.map.rank;
    append(e, left, right, needed, right_sum, right, &s->right.map, NULL);
    finish_place(&s->left, n_left);
    finish_place(&s->right, n_right);
    eng_broadcast_plan(&stack, &stack, &stack, &s->product.batches);
    s->result =
        (struct place){.is_direct = true, .count = (size_t)n_stack * s->product.m * s->product.n};
    size_t step = 1;
    for (int d = result.n - 1; d >= 0; d--) {
        result.step[d] = step;
        step *= (size_t)e->size[result.label[d]];
    }
    *left = result;
    return ENG_OK;
}

/* From the last value to the output. */
static void plan_output(const struct eng_einsum *e, const struct value *last, struct place *place)
{
    static const struct value nothing = {0};
    uint64_t needed = needed_after(e, e->n_terms);
    append(e, last, &nothing, needed, rows_part, last, &place->map, NULL);
    append(e, last, &nothing, needed, left_sum, last, &place->map, NULL);
    finish_place(place, e->out.n);
}

static void place_at(struct place *place, bool is_needed, size_t *n_elements)
{
    place->at = *n_elements;
    if (is_needed) *n_elements += (place->count + 15) / 16 * 16; /* ENG_ALIGN for every type */
}

static enum eng_status plan(const struct eng_einsum *e, const struct eng_op_infer *q,
                            struct eng_error *err)
{
    struct state *state = q->state;
    struct value left = operand_value(e, 0, &q->in[0]->shape);
    state->n_steps = (size_t)e->n_terms - 1;
    for (size_t i = 0; i < state->n_steps; i++) {
        struct step *s = &state->step[i];
        struct value right = operand_value(e, (int)i + 1, &q->in[i + 1]->shape);
        enum eng_status status = plan_step(e, &left, &right, needed_after(e, (int)i + 1), s, err);
        if (status != ENG_OK) return status;
        bool is_last = i + 1 == state->n_steps;
        if (is_last) {
            size_t count = s->result.count;
            plan_output(e, &left, &s->result);
            s->result.count = count;
        }
        place_at(&s->left, q->training || !s->left.is_direct, &state->n_elements);
        place_at(&s->right, q->training || !s->right.is_direct, &state->n_elements);
        place_at(&s->result, q->training || !is_last || !s->result.is_direct, &state->n_elements);
    }
    if (state->n_steps == 0) plan_output(e, &left, &state->only);
    return ENG_OK;
}

static enum eng_status check_types(const struct eng_op_infer *q, struct eng_error *err)
{
    enum eng_status status = ENG_OK;
    if (!eng_matmul_takes(q->in[0]->dtype))
        return eng_fail(err, ENG_UNSUPPORTED, "input 0 has element type %s; a number is wanted",
                        eng_dtype_name(q->in[0]->dtype));
    for (size_t k = 1; status == ENG_OK && k < q->n_in; k++) {
        if (!q->in[k]) return eng_fail(err, ENG_FORMAT, "input %zu is left out", k);
        status = eng_infer_dtype(q, k, q->in[0]->dtype, err);
    }
    return status;
}

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    if (!attrs->equation) return eng_fail(err, ENG_FORMAT, "attribute 'equation' is missing");
    enum eng_status status = check_types(q, err);
    if (status != ENG_OK) return status;
    struct eng_shape shapes[ENG_EINSUM_TERMS];
    for (size_t k = 0; k < q->n_in; k++)
        shapes[k] = q->in[k]->shape;
    struct eng_einsum e;
    status = eng_einsum_read(attrs->equation, shapes, q->n_in, &e, err);
    if (status == ENG_OK) status = plan(&e, q, err);
    if (status != ENG_OK) return status;
    struct eng_shape y = {.rank = e.out.n};
    for (int d = 0; d < e.out.n; d++)
        y.dim[d] = e.size[e.out.label[d]];
    eng_infer_output(q, 0, q->in[0]->dtype, &y);
    const struct state *state = q->state;
    q->scratch_bytes = state->n_elements * eng_dtype_bytes(q->in[0]->dtype);
    if (q->training) q->keep_bytes = q->scratch_bytes;
    return ENG_OK;
}

/* --- forward --- */

static void move(const struct place *place, enum eng_dtype dtype, const void *from, void *to,
                 size_t n_to)
{
    if (place->has_sum) {
        memset(to, 0, n_to * eng_dtype_bytes(dtype));
        eng_strided_add(&place->map, dtype, from, to);
    } else {
        eng_strided_copy(&place->map, dtype, from, to);
    }
}

static void *memory_at(void *memory, const struct place *place, enum eng_dtype dtype)
{
    return (char *)memory + place->at * eng_dtype_bytes(dtype);
}

/* The dense matrices of one side: the value itself if it is in that order. */
static const void *matrices(const struct place *place, enum eng_dtype dtype, const void *from,
                            void *memory)
{
    if (place->is_direct) return from;
    void *to = memory_at(memory, place, dtype);
    move(place, dtype, from, to, place->count);
    return to;
}

static void forward(const struct eng_op_call *call)
{
    const struct state *state = call->state;
    enum eng_dtype dtype = call->out[0]->dtype;
    void *memory = call->training ? call->keep : call->scratch, *y = call->out[0]->data;
    const void *left = call->in[0]->data;
    if (state->n_steps == 0) move(&state->only, dtype, left, y, state->only.count);
    for (size_t i = 0; i < state->n_steps; i++) {
        const struct step *s = &state->step[i];
        const void *a = matrices(&s->left, dtype, left, memory);
        const void *b = matrices(&s->right, dtype, call->in[i + 1]->data, memory);
        bool is_last = i + 1 == state->n_steps;
        void *c = is_last && s->result.is_direct ? y : memory_at(memory, &s->result, dtype);
        eng_matmul_forward(&s->product, dtype, a, b, (struct eng_activation){.kind = ENG_ACT_NONE},
                           c, call->pool);
        if (c != y && is_last) eng_strided_copy(&s->result.map, dtype, c, y);
        left = c;
    }
}

/* --- backward: gradients of the matrices stand in scratch where the matrices stand in keep --- */

static void add_back(const struct place *place, const float *from, float *to)
{
    struct eng_strided back = eng_strided_reverse(&place->map);
    eng_strided_add(&back, ENG_FLOAT32, from, to);
}

static float *gradient(const struct eng_op_call *call, size_t k)
{
    return call->grad_in[k] ? call->grad_in[k]->data : NULL;
}

/* What forward multiplied: the value itself, or its copy in keep. */
static const float *kept(const struct eng_op_call *call, const struct place *place,
                         const float *value)
{
    return place->is_direct ? value : memory_at(call->keep, place, ENG_FLOAT32);
}

/* Steps i and before. dc: the gradient of step i's product. */
static void backward_step(const struct eng_op_call *call, size_t i, const float *dc)
{
    const struct state *state = call->state;
    const struct step *s = &state->step[i];
    const struct place *before = i > 0 ? &state->step[i - 1].result : NULL;
    const float *left = i > 0 ? memory_at(call->keep, before, ENG_FLOAT32) : call->in[0]->data;
    float *d_left = i > 0 ? memory_at(call->scratch, before, ENG_FLOAT32) : gradient(call, 0);
    float *d_right = gradient(call, i + 1);
    struct eng_matmul_gradients gradients = {
        .a = kept(call, &s->left, left),
        .b = kept(call, &s->right, call->in[i + 1]->data),
        .dc = dc,
        .da = d_left ? memory_at(call->scratch, &s->left, ENG_FLOAT32) : NULL,
        .db = d_right ? memory_at(call->scratch, &s->right, ENG_FLOAT32) : NULL,
        .write_da = true,
        .write_db = true};
    eng_matmul_backward(&s->product, &gradients, call->pool);
    if (i > 0) memset(d_left, 0, before->count * sizeof *d_left);
    if (d_left) add_back(&s->left, gradients.da, d_left);
    if (d_right) add_back(&s->right, gradients.db, d_right);
}

static void backward(const struct eng_op_call *call)
{
    if (!call->grad_out[0]) return;
    const struct state *state = call->state;
    const float *dy = call->grad_out[0]->data;
    if (state->n_steps == 0) {
        if (call->grad_in[0]) add_back(&state->only, dy, gradient(call, 0));
        return;
    }
    const struct place *last = &state->step[state->n_steps - 1].result;
    float *dc = memory_at(call->scratch, last, ENG_FLOAT32);
    struct eng_strided back = eng_strided_reverse(&last->map);
    eng_strided_copy(&back, ENG_FLOAT32, dy, dc);
    for (size_t i = state->n_steps; i-- > 0;)
        backward_step(call, i, memory_at(call->scratch, &state->step[i].result, ENG_FLOAT32));
}

static double flops(const struct eng_op_infer *q)
{
    const struct state *state = q->state;
    double sum = 0;
    for (size_t i = 0; i < state->n_steps; i++) {
        const struct eng_matmul *p = &state->step[i].product;
        sum += 2.0 * (double)p->batches.count * (double)p->m * (double)p->n * (double)p->k;
    }
    return sum;
}

/* Along a letter of the result: a sum over others is a sample's own. */
static int follow(const struct eng_op_infer *q, size_t k, int axis)
{
    const struct attrs *attrs = q->attrs;
    struct eng_shape shapes[ENG_EINSUM_TERMS];
    struct eng_einsum e;
    for (size_t i = 0; i < q->n_in; i++)
        shapes[i] = q->in[i]->shape;
    if (eng_einsum_read(attrs->equation, shapes, q->n_in, &e, NULL) != ENG_OK)
        return ENG_AXIS_MIXED;
    for (int d = 0; d < e.out.n; d++)
        if (e.out.label[d] == e.in[k].label[axis]) return d;
    return ENG_AXIS_MIXED;
}

const struct eng_op eng_op_einsum = {
    .name = "Einsum",
    .domain = "",
    .opset_min = 12,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 1,
    .in_max = ENG_EINSUM_TERMS,
    .out_min = 1,
    .out_max = 1,
    .attrs = fields,
    .n_attrs = sizeof fields / sizeof fields[0],
    .attrs_bytes = sizeof(struct attrs),
    .state_bytes = sizeof(struct state),
    .infer = infer,
    .follow = follow,
    .forward = forward,
    .backward = backward,
    .flops = flops,
    .trainable_inputs = 7,
    .weight_inputs = 7,
};

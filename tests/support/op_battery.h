/*
 * The checks that every operator passes: reference, refusals, batch invariance, gradients,
 * attributes, memory, threads, fused activations, inputs known at plan time, outputs left out. A
 * test file lists its cases and calls op_battery.
 */
#ifndef TEST_SUPPORT_OP_BATTERY_H
#define TEST_SUPPORT_OP_BATTERY_H

#include "op_run.h"

#include "engine/pool.h"

/* ops.def: which operators a source file defines. */
#define OP(file, name) extern const struct eng_op eng_op_##name;
#include "ops/ops.def"
#undef OP

static const struct {
    const char *file;
    const struct eng_op *op;
} op_rows[] = {
#define OP(file, name) {#file, &eng_op_##name},
#include "ops/ops.def"
#undef OP
};

static const struct op_case *op_cases; /* what op_battery was given */
static size_t op_n_cases;
static const char *op_file;

static inline void op_reference_run(const struct op_run *run, const struct op_values *in,
                                    struct op_values *out)
{
    memset(out, 0, OP_MAX_OUT * sizeof *out);
    run->c->reference(run->c, in, run->training, out);
}

static inline void op_inputs_as_values(const struct op_run *run, struct op_values *in)
{
    memset(in, 0, OP_MAX_IN * sizeof *in);
    for (size_t k = 0; k < run->c->n_in; k++) {
        if (!run->in_table[k]) continue;
        op_values_init(&in[k], run->in[k].shape);
        for (size_t i = 0; i < in[k].n; i++)
            in[k].v[i] = op_read(&run->in[k], i);
    }
}

static inline void op_values_free(struct op_values *values, size_t n)
{
    for (size_t k = 0; k < n; k++)
        free(values[k].v);
}

static inline bool op_close(double found, double wanted, double tolerance)
{
    if (isnan(wanted)) return isnan(found);
    if (isinf(wanted)) return found == wanted;
    return fabs(found - wanted) <= tolerance * (1 + fabs(wanted));
}

/* How near the reference a value of that type must be: integers are exact. */
static inline double op_tolerance(const struct op_case *c, enum eng_dtype dtype)
{
    if (!op_is_float(dtype)) return 0;
    if (c->tolerance != 0) return c->tolerance;
    return dtype == ENG_FLOAT64 ? 1e-12 : 2e-5;
}

/* Forward wrote to no input. */
static inline void op_check_inputs_kept(const struct op_run *run, const struct op_values *before)
{
    for (size_t k = 0; k < run->c->n_in; k++)
        for (size_t i = 0; i < before[k].n; i++)
            if (!op_close(op_read(&run->in[k], i), before[k].v[i], 0))
                fail_msg("%s, %s: forward changes input %zu", run->c->op, run->c->what, k);
}

/* Forward against the reference, shapes included; canaries hold. */
static inline void op_check_reference(const struct op_case *c, bool training)
{
    struct op_run run;
    struct op_values in[OP_MAX_IN], out[OP_MAX_OUT];
    op_run_init(&run, c, training);
    op_inputs_as_values(&run, in);
    run.op->forward(&run.call);
    op_run_check_canaries(&run);
    op_check_inputs_kept(&run, in);
    op_reference_run(&run, in, out);
    for (size_t k = 0; k < op_n_out(c); k++) {
        if (!run.out_table[k]) continue;
        char found_text[96], wanted_text[96];
        if (!eng_shape_equal(&run.out[k].shape, &out[k].shape))
            fail_msg("%s, %s: output %zu has shape %s, wanted %s", c->op, c->what, k,
                     eng_shape_format(&run.out[k].shape, found_text, sizeof found_text),
                     eng_shape_format(&out[k].shape, wanted_text, sizeof wanted_text));
        for (size_t i = 0; i < out[k].n; i++)
            if (!op_close(op_read(&run.out[k], i), out[k].v[i], op_tolerance(c, run.out[k].dtype)))
                fail_msg("%s, %s: output %zu[%zu] is %.9g, wanted %.9g", c->op, c->what, k, i,
                         op_read(&run.out[k], i), out[k].v[i]);
    }
    op_values_free(in, OP_MAX_IN);
    op_values_free(out, OP_MAX_OUT);
    op_run_fini(&run);
}

/* Row i of a batch has the bits that it has alone. */
static inline void op_check_batch(const struct op_case *c)
{
    struct op_run whole;
    op_run_init(&whole, c, false);
    whole.op->forward(&whole.call);
    int64_t n_rows = whole.out[0].shape.dim[0];
    size_t row_bytes = (size_t)(eng_tensor_bytes(&whole.out[0]) / n_rows);
    struct op_case alone = *c;
    for (size_t k = 0; k < c->n_in; k++)
        if (c->batched >> k & 1) alone.in[k].shape.dim[0] = 1;
    for (int64_t row = 0; row < n_rows; row++) {
        struct op_run one;
        op_run_init(&one, &alone, false);
        for (size_t k = 0; k < c->n_in; k++) {
            if (!one.in_table[k]) continue;
            size_t bytes = (size_t)eng_tensor_bytes(&one.in[k]);
            const char *from = whole.in[k].data;
            memcpy(one.in[k].data, from + (c->batched >> k & 1 ? (size_t)row * bytes : 0), bytes);
        }
        one.op->forward(&one.call);
        if (memcmp(one.out[0].data, (char *)whole.out[0].data + (size_t)row * row_bytes, row_bytes))
            fail_msg("%s, %s: row %lld of the batch differs from itself alone", c->op, c->what,
                     (long long)row);
        op_run_fini(&one);
    }
    op_run_fini(&whole);
}

static inline void op_check_same_outputs(const struct op_run *a, const struct op_run *b,
                                         const char *when)
{
    for (size_t k = 0; k < op_n_out(a->c); k++) {
        if (!a->out_table[k] || !b->out_table[k]) continue;
        bool same =
            a->out[k].dtype == b->out[k].dtype &&
            eng_shape_equal(&a->out[k].shape, &b->out[k].shape) &&
            memcmp(a->out[k].data, b->out[k].data, (size_t)eng_tensor_bytes(&a->out[k])) == 0;
        if (!same) fail_msg("%s, %s: output %zu differs %s", a->c->op, a->c->what, k, when);
    }
}

/* The same bits with a pool as without. */
static inline void op_check_threads(const struct op_case *c)
{
    struct eng_pool *pool;
    assert_int_equal(eng_pool_create(3, &pool, NULL), ENG_OK);
    struct op_run inline_run, pool_run;
    op_run_init(&inline_run, c, false);
    op_run_init(&pool_run, c, false);
    pool_run.call.pool = pool;
    inline_run.op->forward(&inline_run.call);
    pool_run.op->forward(&pool_run.call);
    op_run_check_canaries(&pool_run);
    op_check_same_outputs(&inline_run, &pool_run, "with a pool");
    op_run_fini(&inline_run);
    op_run_fini(&pool_run);
    eng_pool_destroy(pool);
}

/* The same bits when every input is known at plan time, and so seen by infer; or a refusal. */
static inline void op_check_known(const struct op_case *c)
{
    struct op_case known = *c;
    struct op_run plain_run, known_run;
    for (size_t k = 0; k < c->n_in; k++)
        known.in[k].constant = true;
    if (c->refused_if_known) {
        struct op_run run = {.c = &known};
        struct eng_op_infer q;
        if (op_run_infer(&run, &q, NULL) == ENG_OK)
            fail_msg("%s, %s: was not refused with known inputs", c->op, c->what);
        op_run_fini(&run);
        return;
    }
    op_run_init(&plain_run, c, false);
    op_run_init(&known_run, &known, false);
    plain_run.op->forward(&plain_run.call);
    known_run.op->forward(&known_run.call);
    op_check_same_outputs(&plain_run, &known_run, "if all inputs are known");
    op_run_fini(&plain_run);
    op_run_fini(&known_run);
}

/* Any output that may be left out changes nothing in the others. */
static inline void op_check_left_out(const struct op_case *c)
{
    struct op_run whole;
    op_run_init(&whole, c, false);
    whole.op->forward(&whole.call);
    for (size_t k = whole.op->out_min; k < op_n_out(c); k++) {
        struct op_case less = *c;
        struct op_run part;
        less.left_out |= 1u << k;
        op_run_init(&part, &less, false);
        part.op->forward(&part.call);
        op_run_check_canaries(&part);
        op_check_same_outputs(&whole, &part, "if another is left out");
        op_run_fini(&part);
    }
    op_run_fini(&whole);
}

/* Output 0 in input 0's memory, where the operator allows it. */
static inline void op_check_in_place(const struct op_case *c)
{
    struct op_run apart, shared;
    op_run_init(&apart, c, false);
    op_run_init(&shared, c, false);
    int64_t bytes = eng_tensor_bytes(&apart.out[0]);
    if (apart.op->flags & (ENG_OP_IN_PLACE | ENG_OP_VIEW) &&
        eng_tensor_bytes(&apart.in[0]) == bytes) {
        shared.out[0].data = shared.in[0].data;
        apart.op->forward(&apart.call);
        shared.op->forward(&shared.call);
        op_run_check_canaries(&shared);
        assert_memory_equal(apart.out[0].data, shared.out[0].data, (size_t)bytes);
    }
    op_run_fini(&apart);
    op_run_fini(&shared);
}

static inline void op_check_fused_one(const struct op_case *c, struct op_run *plain,
                                      struct eng_activation act)
{
    struct op_run fused;
    size_t n = (size_t)eng_shape_count(&plain->out[0].shape);
    struct op_block wanted_block = op_block((size_t)eng_tensor_bytes(&plain->out[0]));
    struct eng_tensor wanted = plain->out[0];
    wanted.data = op_block_data(&wanted_block);
    op_run_init(&fused, c, false);
    fused.call.activation = act;
    eng_op_forward(fused.op, &fused.call);
    op_run_check_canaries(&fused);
    eng_activation_map_typed(act, wanted.dtype, plain->out[0].data, wanted.data, n, NULL);
    for (size_t k = 0; k < n; k++)
        if (!op_close(op_read(&fused.out[0], k), op_read(&wanted, k), 0))
            fail_msg("%s, %s: with %s fused output 0[%zu] is %.9g, wanted %.9g", c->op, c->what,
                     eng_activation_name(act.kind), k, op_read(&fused.out[0], k),
                     op_read(&wanted, k));
    free(wanted_block.bytes);
    op_run_fini(&fused);
}

/* A fused activation is the activation of the plain output. */
static inline void op_check_fused(const struct op_case *c)
{
    static const struct eng_activation activations[] = {
        {.kind = ENG_ACT_RELU},    {.kind = ENG_ACT_LEAKY_RELU, .a = 0.1f},
        {.kind = ENG_ACT_SIGMOID}, {.kind = ENG_ACT_CLIP, .a = -0.25f, .b = 0.5f},
        {.kind = ENG_ACT_GELU},    {.kind = ENG_ACT_HARD_SWISH},
    };
    struct op_run plain;
    op_run_init(&plain, c, false);
    plain.op->forward(&plain.call);
    for (size_t i = 0; i < sizeof activations / sizeof activations[0]; i++)
        if (plain.op->flags & ENG_OP_FUSES_ACTIVATION &&
            eng_activation_takes(activations[i].kind, plain.out[0].dtype))
            op_check_fused_one(c, &plain, activations[i]);
    op_run_fini(&plain);
}

static inline double op_reference_loss(const struct op_run *run, const struct op_values *in)
{
    struct op_values out[OP_MAX_OUT];
    double loss = 0;
    op_reference_run(run, in, out);
    for (size_t k = 0; k < op_n_out(run->c); k++)
        for (size_t i = 0; run->grad_out_table[k] && i < out[k].n; i++)
            loss += out[k].v[i] * op_read(&run->grad_out[k], i);
    op_values_free(out, OP_MAX_OUT);
    return loss;
}

/* Backward against central differences of the double-precision reference. */
static inline void op_check_gradients(const struct op_case *c)
{
    const double step = 1e-6;
    struct op_run run;
    struct op_values in[OP_MAX_IN];
    op_run_init(&run, c, true);
    op_run_init_gradients(&run, c->gradients);
    assert_non_null(run.op->backward);
    run.op->forward(&run.call);
    run.op->backward(&run.call);
    op_run_check_canaries(&run);
    op_inputs_as_values(&run, in);
    for (size_t k = 0; k < c->n_in; k++) {
        for (size_t i = 0; c->gradients >> k & 1 && i < in[k].n; i++) {
            double x = in[k].v[i];
            in[k].v[i] = x + step;
            double up = op_reference_loss(&run, in);
            in[k].v[i] = x - step;
            double down = op_reference_loss(&run, in);
            in[k].v[i] = x;
            double wanted = (up - down) / (2 * step), found = op_read(&run.grad_in[k], i) - 1;
            if (!op_close(found, wanted, 2e-4))
                fail_msg("%s, %s: gradient of input %zu[%zu] is %.9g, wanted %.9g", c->op, c->what,
                         k, i, found, wanted);
        }
    }
    op_values_free(in, OP_MAX_IN);
    op_run_fini(&run);
}

/* The same when a gradient comes from only one of several outputs. */
static inline void op_check_gradient_outputs(const struct op_case *c)
{
    unsigned all = op_gradient_outputs(c);
    for (size_t k = 0; k < op_n_out(c) && all & (all - 1); k++) {
        if (!(all >> k & 1)) continue;
        struct op_case one = *c;
        one.gradient_outputs = 1u << k;
        op_check_gradients(&one);
    }
}

/* Gradients written over garbage are those added to ones, less one. */
static inline void op_check_gradient_written(const struct op_case *c)
{
    struct op_run added, written;
    op_run_init(&added, c, true);
    op_run_init_gradients(&added, c->gradients);
    added.op->forward(&added.call);
    added.op->backward(&added.call);
    op_run_init(&written, c, true);
    op_run_init_gradients(&written, c->gradients);
    written.call.write_grad = written.op->writes_grad & c->gradients;
    for (size_t k = 0; k < c->n_in; k++)
        if (written.call.write_grad >> k & 1)
            memset(written.grad_in[k].data, 0xff, (size_t)eng_tensor_bytes(&written.grad_in[k]));
    written.op->forward(&written.call);
    written.op->backward(&written.call);
    op_run_check_canaries(&written);
    for (size_t k = 0; k < c->n_in; k++) {
        if (!(written.call.write_grad >> k & 1)) continue;
        for (size_t i = 0; i < (size_t)eng_shape_count(&written.grad_in[k].shape); i++)
            if (!op_close(op_read(&written.grad_in[k], i), op_read(&added.grad_in[k], i) - 1, 1e-5))
                fail_msg("%s, %s: gradient of input %zu[%zu] is %.9g when written, %.9g when added",
                         c->op, c->what, k, i, op_read(&written.grad_in[k], i),
                         op_read(&added.grad_in[k], i) - 1);
    }
    op_run_fini(&added);
    op_run_fini(&written);
}

/* A ReLU that the operator applies in training is the one that would come after it. */
static inline void op_check_trained_relu(const struct op_case *c)
{
    struct op_run plain, fused;
    op_run_init(&plain, c, true);
    op_run_init(&fused, c, true);
    if (plain.op->flags & ENG_OP_TRAINS_RELU) {
        op_run_init_gradients(&plain, c->gradients);
        op_run_init_gradients(&fused, c->gradients);
        fused.call.activation.kind = ENG_ACT_RELU;
        plain.op->forward(&plain.call);
        fused.op->forward(&fused.call);
        float *dy = plain.grad_out[0].data, *y = plain.out[0].data;
        size_t n = (size_t)eng_shape_count(&plain.out[0].shape);
        for (size_t i = 0; i < n; i++) {
            if (y[i] < 0) y[i] = 0;
            if (!(y[i] > 0)) dy[i] = 0;
        }
        assert_memory_equal(plain.out[0].data, fused.out[0].data, n * sizeof *y);
        plain.op->backward(&plain.call);
        fused.op->backward(&fused.call);
        op_run_check_canaries(&fused);
        for (size_t k = 0; k < c->n_in; k++)
            if (c->gradients >> k & 1)
                assert_memory_equal(plain.grad_in[k].data, fused.grad_in[k].data,
                                    (size_t)eng_tensor_bytes(&plain.grad_in[k]));
    }
    op_run_fini(&plain);
    op_run_fini(&fused);
}

/* Each gradient alone is what it is together with the others. */
static inline void op_check_gradient_alone(const struct op_case *c)
{
    struct op_run all;
    op_run_init(&all, c, true);
    op_run_init_gradients(&all, c->gradients);
    all.op->forward(&all.call);
    all.op->backward(&all.call);
    for (size_t k = 0; k < c->n_in; k++) {
        if (!(c->gradients >> k & 1)) continue;
        struct op_run one;
        op_run_init(&one, c, true);
        op_run_init_gradients(&one, 1u << k);
        one.op->forward(&one.call);
        one.op->backward(&one.call);
        op_run_check_canaries(&one);
        assert_memory_equal(one.grad_in[k].data, all.grad_in[k].data,
                            (size_t)eng_tensor_bytes(&one.grad_in[k]));
        op_run_fini(&one);
    }
    op_run_fini(&all);
}

/* Attributes written and read again are the same. */
static inline void op_check_attrs(const struct op_case *c)
{
    struct op_run run;
    op_run_init(&run, c, false);
    struct eng_attr written[32];
    assert_true(run.op->n_attrs <= 32);
    size_t n = eng_attrs_write(run.op, run.attrs, written);
    void *again = eng_calloc(1, run.op->attrs_bytes + 1);
    assert_int_equal(eng_attrs_read(run.op, written, n, again, NULL), ENG_OK);
    struct eng_attr twice[32];
    assert_int_equal(eng_attrs_write(run.op, again, twice), n);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(written[i].name, twice[i].name);
        assert_int_equal(written[i].type, twice[i].type);
        assert_true(written[i].i == twice[i].i && written[i].f == twice[i].f);
        assert_true(written[i].n == twice[i].n && written[i].t == twice[i].t);
        if (written[i].type == ENG_ATTR_INTS)
            assert_memory_equal(written[i].ints, twice[i].ints, written[i].n * sizeof(int64_t));
        if (written[i].type == ENG_ATTR_STRING) assert_string_equal(written[i].s, twice[i].s);
    }
    free(again);
    op_run_fini(&run);
}

static inline void op_check_refusal(const struct op_case *c)
{
    struct op_run run = {.c = c, .training = c->gradients != 0};
    struct eng_op_infer q;
    struct eng_error err = {0};
    enum eng_status status = op_run_infer(&run, &q, &err);
    if (status == ENG_OK) fail_msg("%s, %s: was not refused", c->op, c->what);
    assert_int_equal(err.status, status);
    if (!strstr(err.text, c->refusal))
        fail_msg("%s, %s: says '%s', wanted '%s' in it", c->op, c->what, err.text, c->refusal);
    op_run_fini(&run);
}

static inline void op_test_references(void **state)
{
    (void)state;
    for (size_t i = 0; i < op_n_cases; i++) {
        const struct op_case *c = &op_cases[i];
        if (c->refusal) continue;
        op_check_reference(c, false);
        if (c->gradients && !c->is_random) op_check_reference(c, true);
        op_check_threads(c);
        op_check_known(c);
        op_check_left_out(c);
        op_check_in_place(c);
        op_check_fused(c);
    }
}

static inline void op_test_batches(void **state)
{
    (void)state;
    for (size_t i = 0; i < op_n_cases; i++)
        if (!op_cases[i].refusal && op_cases[i].batched) op_check_batch(&op_cases[i]);
}

static inline void op_test_gradients(void **state)
{
    (void)state;
    for (size_t i = 0; i < op_n_cases; i++) {
        if (op_cases[i].refusal || !op_cases[i].gradients) continue;
        if (!op_cases[i].is_random) {
            op_check_gradients(&op_cases[i]);
            op_check_gradient_outputs(&op_cases[i]);
        }
        op_check_gradient_alone(&op_cases[i]);
        op_check_gradient_written(&op_cases[i]);
        op_check_trained_relu(&op_cases[i]);
    }
}

static inline void op_test_attrs(void **state)
{
    (void)state;
    for (size_t i = 0; i < op_n_cases; i++)
        if (!op_cases[i].refusal) op_check_attrs(&op_cases[i]);
}

static inline void op_test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < op_n_cases; i++)
        if (op_cases[i].refusal) op_check_refusal(&op_cases[i]);
}

/* Every operator of the file has a good case, a refused one, and gradients if it trains. */
static inline void op_test_coverage(void **state)
{
    (void)state;
    size_t n_rows = 0;
    for (size_t r = 0; r < sizeof op_rows / sizeof op_rows[0]; r++) {
        if (strcmp(op_rows[r].file, op_file) != 0) continue;
        const struct eng_op *op = op_rows[r].op;
        bool good = false, refused = false, trains = false;
        for (size_t i = 0; i < op_n_cases; i++) {
            if (strcmp(op_cases[i].op, op->name) != 0) continue;
            good |= !op_cases[i].refusal;
            refused |= op_cases[i].refusal != NULL;
            trains |= !op_cases[i].refusal && op_cases[i].gradients != 0;
        }
        n_rows++;
        if (!good) fail_msg("%s has no case", op->name);
        if (!refused && (op->n_attrs > 0 || op->in_max > 1))
            fail_msg("%s refuses nothing", op->name);
        if (!trains && op->backward) fail_msg("%s has no gradient case", op->name);
    }
    assert_true(n_rows > 0);
}

/* Purpose: runs everything over the cases of engine/src/ops/<file>.c. Returns main's exit code. */
static inline int op_battery(const char *file, const struct op_case *cases, size_t n_cases)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(op_test_coverage), cmocka_unit_test(op_test_references),
        cmocka_unit_test(op_test_batches),  cmocka_unit_test(op_test_gradients),
        cmocka_unit_test(op_test_attrs),    cmocka_unit_test(op_test_refusals),
    };
    op_file = file;
    op_cases = cases;
    op_n_cases = n_cases;
    return cmocka_run_group_tests_name(file, tests, NULL, NULL);
}

#define OP_BATTERY(FILE_, CASES) op_battery(FILE_, CASES, sizeof CASES / sizeof CASES[0])

#endif

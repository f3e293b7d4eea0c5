/* One operator, bound to memory of its own with canaries around everything that it may write. */
#ifndef TEST_SUPPORT_OP_RUN_H
#define TEST_SUPPORT_OP_RUN_H

#include "op_case.h"

enum { OP_CANARY_BYTES = 64, OP_CANARY = 0xA5 };

/* Memory between two canaries. */
struct op_block {
    uint8_t *bytes;
    size_t n;
};

static inline struct op_block op_block(size_t n)
{
    struct op_block block = {.n = n};
    block.bytes = eng_alloc_aligned(eng_align_up(n) + 2 * OP_CANARY_BYTES);
    assert_non_null(block.bytes);
    memset(block.bytes, OP_CANARY, eng_align_up(n) + 2 * OP_CANARY_BYTES);
    return block;
}

static inline void *op_block_data(const struct op_block *block)
{
    return block->bytes + OP_CANARY_BYTES;
}

static inline bool op_block_intact(const struct op_block *block)
{
    for (size_t i = 0; i < OP_CANARY_BYTES; i++)
        if (block->bytes[i] != OP_CANARY ||
            block->bytes[OP_CANARY_BYTES + block->n + i] != OP_CANARY)
            return false;
    return true;
}

struct op_run {
    const struct op_case *c;
    const struct eng_op *op;
    bool training;
    void *attrs, *state;
    struct eng_tensor in[OP_MAX_IN], out[OP_MAX_OUT];
    struct eng_tensor grad_in[OP_MAX_IN], grad_out[OP_MAX_OUT];
    const struct eng_tensor *in_table[OP_MAX_IN], *grad_out_table[OP_MAX_OUT];
    struct eng_tensor *out_table[OP_MAX_OUT], *grad_in_table[OP_MAX_IN];
    struct op_block in_block[OP_MAX_IN], out_block[OP_MAX_OUT], scratch, keep;
    struct op_block grad_in_block[OP_MAX_IN], grad_out_block[OP_MAX_OUT];
    struct eng_op_call call;
};

static inline size_t op_n_out(const struct op_case *c)
{
    return c->n_out ? c->n_out : 1;
}

static inline unsigned op_gradient_outputs(const struct op_case *c)
{
    return c->gradient_outputs ? c->gradient_outputs : 1;
}

static inline size_t op_n_attrs(const struct op_case *c)
{
    size_t n = 0;
    while (n < OP_MAX_ATTRS && c->attrs[n].name)
        n++;
    return n;
}

static inline void op_fill_input(const struct op_case *c, size_t k, struct eng_tensor *t,
                                 struct eng_rng *rng)
{
    const struct op_input *input = &c->in[k];
    bool own = input->low != 0 || input->high != 0;
    double low = own ? input->low : c->low, high = own ? input->high : c->high;
    if (low == 0 && high == 0) {
        high = op_is_float(t->dtype) ? 1 : t->dtype == ENG_BOOL ? 2 : 9;
        low = op_is_float(t->dtype)                              ? -1
              : t->dtype == ENG_BOOL || op_is_unsigned(t->dtype) ? 0
                                                                 : -9;
    }
    size_t n = (size_t)eng_shape_count(&t->shape);
    for (size_t i = 0; i < n; i++) {
        double value = low + (high - low) * (double)eng_rng_float(rng);
        if (!op_is_float(t->dtype)) value = floor(value);
        op_write(t, i, input->values ? input->values[i] : value);
    }
}

static inline void op_run_inputs(struct op_run *run)
{
    struct eng_rng rng;
    eng_rng_init(&rng, 42, 0);
    for (size_t k = 0; k < run->c->n_in; k++) {
        const struct op_input *input = &run->c->in[k];
        if (input->dtype == ENG_DTYPE_NONE) continue;
        run->in[k] = (struct eng_tensor){.dtype = input->dtype, .shape = input->shape};
        run->in_block[k] = op_block((size_t)eng_tensor_bytes(&run->in[k]));
        run->in[k].data = op_block_data(&run->in_block[k]);
        op_fill_input(run->c, k, &run->in[k], &rng);
        run->in_table[k] = &run->in[k];
    }
}

/* Reads the attributes and infers, as the graph does. */
static inline enum eng_status op_run_infer(struct op_run *run, struct eng_op_infer *q,
                                           struct eng_error *err)
{
    const struct op_case *c = run->c;
    enum eng_status status =
        eng_op_find(c->domain ? c->domain : "", c->op, op_opset(c), &run->op, err);
    if (status != ENG_OK) return status;
    run->attrs = eng_calloc(1, run->op->attrs_bytes + 1);
    run->state = eng_calloc(1, run->op->state_bytes + 1);
    assert_true(run->attrs && run->state);
    assert_true(c->n_in >= run->op->in_min && c->n_in <= run->op->in_max);
    assert_true(op_n_out(c) <= run->op->out_max);
    status = eng_attrs_read(run->op, c->attrs, op_n_attrs(c), run->attrs, err);
    if (status != ENG_OK) return status;
    op_run_inputs(run);
    struct eng_tensor seen[OP_MAX_IN];
    const struct eng_tensor *seen_table[OP_MAX_IN] = {0};
    for (size_t k = 0; k < c->n_in; k++) {
        if (!run->in_table[k]) continue;
        seen[k] = run->in[k];
        if (!c->in[k].constant) seen[k].data = NULL;
        seen_table[k] = &seen[k];
    }
    for (size_t k = 0; k < op_n_out(c); k++)
        run->out_table[k] = c->left_out >> k & 1 ? NULL : &run->out[k];
    *q = (struct eng_op_infer){.attrs = run->attrs,
                               .opset = op_opset(c),
                               .training = run->training,
                               .frozen = run->c->frozen,
                               .n_in = c->n_in,
                               .in = seen_table,
                               .n_out = op_n_out(c),
                               .out = run->out_table,
                               .state = run->state};
    status = run->op->infer(q, err);
    if (status == ENG_OK && run->op->flops) assert_true(run->op->flops(q) >= 0);
    return status;
}

static inline void op_run_init(struct op_run *run, const struct op_case *c, bool training)
{
    struct eng_op_infer q;
    struct eng_error err = {0};
    *run = (struct op_run){.c = c, .training = training};
    if (op_run_infer(run, &q, &err) != ENG_OK) fail_msg("%s, %s: %s", c->op, c->what, err.text);
    for (size_t k = 0; k < op_n_out(c); k++) {
        if (!run->out_table[k]) continue;
        run->out_block[k] = op_block((size_t)eng_tensor_bytes(&run->out[k]));
        run->out[k].data = op_block_data(&run->out_block[k]);
    }
    run->scratch = op_block(q.scratch_bytes);
    run->keep = op_block(q.keep_bytes);
    if (!training) assert_int_equal(q.keep_bytes, 0);
    run->call = (struct eng_op_call){.attrs = run->attrs,
                                     .state = run->state,
                                     .opset = op_opset(c),
                                     .training = training,
                                     .n_in = c->n_in,
                                     .in = run->in_table,
                                     .n_out = op_n_out(c),
                                     .out = run->out_table,
                                     .scratch = op_block_data(&run->scratch),
                                     .keep = training ? op_block_data(&run->keep) : NULL,
                                     .seed = 7};
}

/* Room for gradients: those coming in random, those going out all ones, so that adding shows. */
static inline void op_run_init_gradients(struct op_run *run, unsigned wanted)
{
    struct eng_rng rng;
    eng_rng_init(&rng, 99, 0);
    for (size_t k = 0; k < op_n_out(run->c); k++) {
        run->grad_out_table[k] = NULL;
        if (!(op_gradient_outputs(run->c) >> k & 1)) continue;
        run->grad_out[k] = run->out[k];
        run->grad_out_block[k] = op_block((size_t)eng_tensor_bytes(&run->out[k]));
        run->grad_out[k].data = op_block_data(&run->grad_out_block[k]);
        for (int64_t i = 0; i < eng_shape_count(&run->out[k].shape); i++)
            op_write(&run->grad_out[k], (size_t)i, (double)eng_rng_float(&rng) - 0.3);
        run->grad_out_table[k] = &run->grad_out[k];
    }
    for (size_t k = 0; k < run->c->n_in; k++) {
        run->grad_in_table[k] = NULL;
        if (!(wanted >> k & 1)) continue;
        run->grad_in[k] = run->in[k];
        run->grad_in_block[k] = op_block((size_t)eng_tensor_bytes(&run->in[k]));
        run->grad_in[k].data = op_block_data(&run->grad_in_block[k]);
        for (int64_t i = 0; i < eng_shape_count(&run->in[k].shape); i++)
            op_write(&run->grad_in[k], (size_t)i, 1);
        run->grad_in_table[k] = &run->grad_in[k];
    }
    run->call.grad_out = run->grad_out_table;
    run->call.grad_in = run->grad_in_table;
}

static inline void op_run_check_canaries(const struct op_run *run)
{
    const struct op_block *const lists[] = {run->in_block, run->out_block, run->grad_in_block,
                                            run->grad_out_block};
    for (size_t list = 0; list < 4; list++)
        for (size_t k = 0; k < OP_MAX_IN; k++)
            if (lists[list][k].bytes) assert_true(op_block_intact(&lists[list][k]));
    assert_true(op_block_intact(&run->scratch) && op_block_intact(&run->keep));
}

static inline void op_run_fini(struct op_run *run)
{
    for (size_t k = 0; k < OP_MAX_IN; k++) {
        free(run->in_block[k].bytes);
        free(run->out_block[k].bytes);
        free(run->grad_in_block[k].bytes);
        free(run->grad_out_block[k].bytes);
    }
    free(run->scratch.bytes);
    free(run->keep.bytes);
    free(run->attrs);
    free(run->state);
}

#endif

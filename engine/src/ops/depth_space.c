/*
 * Blocks of b x b pixels to channels and back; of any type.
 *
 * DepthToSpace: X [N, C b b, H, W] -> Y [N, C, H b, W b]. Channel of X for pixel (i, j) of a block:
 * (i b + j) C + c in mode DCR (depth, column, row), (c b + i) b + j in mode CRD.
 * SpaceToDepth: X [N, C, H b, W b] -> Y [N, b b C, H, W], the inverse of DCR.
 * Gradient: dY moved back. Source: ONNX DepthToSpace 1, 11, 13; SpaceToDepth 1, 13.
 */
#include "base/error.h"
#include "ops/move.h"

enum mode { DCR, CRD };

static const char *const modes[] = {"DCR", "CRD", NULL};

enum { MAX_BLOCK = 1 << 11 }; /* squared it still multiplies any shape */

struct attrs {
    int64_t blocksize; /* 0: missing */
    int mode;
};

#define BLOCKSIZE ENG_F_INT(struct attrs, blocksize, 0, 1, MAX_BLOCK, "pixels along a block's side")

static const struct eng_field depth_to_space_fields[] = {
    BLOCKSIZE,
    ENG_F_CHOICE(struct attrs, mode, DCR, modes, "how a channel's number is made up"),
};

static const struct eng_field space_to_depth_fields[] = {BLOCKSIZE};

static enum eng_status check(const struct eng_op_infer *q, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    if (attrs->blocksize == 0) return eng_fail(err, ENG_FORMAT, "attribute 'blocksize' is missing");
    return eng_infer_rank(q, 0, 4, 4, err);
}

static enum eng_status depth_to_space_infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    enum eng_status status = check(q, err);
    if (status == ENG_OK) status = eng_infer_since(q, 11, attrs->mode != DCR, "mode", err);
    if (status != ENG_OK) return status;
    const struct eng_shape *x = &q->in[0]->shape;
    int64_t b = attrs->blocksize, height = x->dim[2], width = x->dim[3], pixels = height * width;
    if (x->dim[1] % (b * b) != 0)
        return eng_fail(err, ENG_FORMAT,
                        "%lld channels are not a multiple of blocksize %lld squared",
                        (long long)x->dim[1], (long long)b);
    int64_t channels = x->dim[1] / (b * b);
    int64_t block = attrs->mode == DCR ? channels : 1, channel = attrs->mode == DCR ? 1 : b * b;
    eng_box_push(q->state, x->dim[0], x->dim[1] * pixels, x->dim[1] * pixels);
    eng_box_push(q->state, channels, channel * pixels, b * b * pixels);
    eng_box_push(q->state, height, width, b * width * b);
    eng_box_push(q->state, b, b * block * pixels, width * b);
    eng_box_push(q->state, width, 1, b);
    eng_box_push(q->state, b, block * pixels, 1);
    struct eng_shape y = {.rank = 4, .dim = {x->dim[0], channels, height * b, width * b}};
    eng_infer_output(q, 0, q->in[0]->dtype, &y);
    return ENG_OK;
}

static enum eng_status space_to_depth_infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    enum eng_status status = check(q, err);
    if (status != ENG_OK) return status;
    const struct eng_shape *x = &q->in[0]->shape;
    int64_t b = attrs->blocksize;
    if (x->dim[2] % b != 0 || x->dim[3] % b != 0)
        return eng_fail(err, ENG_FORMAT, "%lld x %lld pixels are no blocks of blocksize %lld",
                        (long long)x->dim[2], (long long)x->dim[3], (long long)b);
    int64_t channels = x->dim[1], height = x->dim[2] / b, width = x->dim[3] / b;
    int64_t pixels = height * width, image = channels * pixels * b * b;
    eng_box_push(q->state, x->dim[0], image, image);
    eng_box_push(q->state, b, width * b, b * channels * pixels);
    eng_box_push(q->state, b, 1, channels * pixels);
    eng_box_push(q->state, channels, pixels * b * b, pixels);
    eng_box_push(q->state, height, b * width * b, width);
    eng_box_push(q->state, width, b, 1);
    struct eng_shape y = {.rank = 4, .dim = {x->dim[0], channels * b * b, height, width}};
    eng_infer_output(q, 0, q->in[0]->dtype, &y);
    return ENG_OK;
}

#define DEPTH_SPACE(onnx_name, id)                           \
    const struct eng_op eng_op_##id = {                      \
        .name = onnx_name,                                   \
        .domain = "",                                        \
        .opset_min = ENG_OPSET_MIN,                          \
        .opset_max = ENG_OPSET_MAX,                          \
        .in_min = 1,                                         \
        .in_max = 1,                                         \
        .out_min = 1,                                        \
        .out_max = 1,                                        \
        .follow = eng_follow_rows,                           \
        .attrs = id##_fields,                                \
        .n_attrs = sizeof id##_fields / sizeof *id##_fields, \
        .attrs_bytes = sizeof(struct attrs),                 \
        .state_bytes = sizeof(struct eng_box),               \
        .infer = id##_infer,                                 \
        .forward = eng_move_box_forward,                     \
        .backward = eng_move_box_backward,                   \
        .writes_grad = 1,                                    \
    }

DEPTH_SPACE("DepthToSpace", depth_to_space);
DEPTH_SPACE("SpaceToDepth", space_to_depth);

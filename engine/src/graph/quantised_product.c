/* Convolutions and matrix products of bytes with constant weights. */
#include "graph/quantised_walk.h"

#include "base/error.h"
#include "base/mem.h"
#include "kernels/clamp.h"
#include "kernels/quantise.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Constants that say weights and bias, however the node had them. */
struct parts {
    int weights, bias;                    /* the node's values, bias may be ENG_NO_VALUE */
    struct eng_tensor w, w_scale, w_zero; /* w_zero.dtype NONE: 0 */
    bool by_columns;                      /* w is [depth, channels]; else channels come first */
    struct eng_tensor b, b_scale;         /* dtype NONE: none; INT32, with the scale of the sums if
                                             b_scale has no dtype; or FLOAT32 */
    struct eng_byte_value x, y;
    struct eng_activation activation;
    int quantiser; /* the node that is done too, or -1 */
};

/* What parts make. */
struct columns {
    size_t n, each; /* output channels; weights of one */
    int8_t *w;      /* [n, each] */
    int32_t *start;
    float *factor, *rest, *offset;
};

static size_t count(const struct eng_tensor *t)
{
    return (size_t)eng_shape_count(&t->shape);
}

static bool is_constant(const struct eng_byte_walk *w, int v)
{
    const struct eng_value *value = v == ENG_NO_VALUE ? NULL : &w->turn.graph->values[v];
    return value && value->kind == ENG_VALUE_CONSTANT && value->follows == ENG_FOLLOWS_NOT &&
           value->tensor.data;
}

static bool is_byte(const struct eng_tensor *t)
{
    return t->dtype == ENG_UINT8 || t->dtype == ENG_INT8;
}

/* One, or one for each of n channels along an axis of w. */
static bool fits_channels(const struct eng_tensor *parameters, size_t n)
{
    return parameters->shape.rank <= 1 && (count(parameters) == 1 || count(parameters) == n);
}

/* --- columns --- */

static bool columns_init(struct columns *c, size_t n, size_t each)
{
    *c = (struct columns){.n = n, .each = each};
    c->w = eng_calloc(n, each);
    c->start = eng_calloc(n, sizeof *c->start);
    c->factor = eng_calloc(n, sizeof *c->factor);
    c->rest = eng_calloc(n, sizeof *c->rest);
    c->offset = eng_calloc(n, sizeof *c->offset);
    return c->w && c->start && c->factor && c->rest && c->offset;
}

static void columns_fini(struct columns *c)
{
    free(c->w);
    free(c->start);
    free(c->factor);
    free(c->rest);
    free(c->offset);
}

/* The weights less their zero points; false if one does not fit 8 bits. */
static bool set_weights(const struct parts *p, struct columns *c)
{
    bool has_zero = p->w_zero.dtype != ENG_DTYPE_NONE;
    size_t n_zeros = has_zero ? count(&p->w_zero) : 1;
    for (size_t i = 0; i < c->n; i++) {
        int32_t zero = has_zero ? eng_integer_at(p->w.dtype, p->w_zero.data, i % n_zeros) : 0;
        for (size_t k = 0; k < c->each; k++) {
            size_t at = p->by_columns ? k * c->n + i : i * c->each + k;
            int32_t w = eng_integer_at(p->w.dtype, p->w.data, at) - zero;
            if (w < INT8_MIN || w > INT8_MAX) return false;
            c->w[i * c->each + k] = (int8_t)w;
        }
    }
    return true;
}

/* Whether a bias is in units of the sums, but for the last bits of its scale. */
static bool is_in_sums(const struct parts *p, size_t i, float unit)
{
    if (p->b.dtype != ENG_INT32) return false;
    if (p->b_scale.dtype == ENG_DTYPE_NONE) return true;
    float scale = ((const float *)p->b_scale.data)[i % count(&p->b_scale)];
    return fabsf(scale - unit) <= 0x1p-20f * unit;
}

static float bias_as_float(const struct parts *p, size_t i)
{
    if (p->b.dtype == ENG_FLOAT32) return ((const float *)p->b.data)[i];
    float scale = ((const float *)p->b_scale.data)[i % count(&p->b_scale)];
    return (float)((const int32_t *)p->b.data)[i] * scale;
}

/* Start, factor and offset of channel i; false if sums, or what becomes of them, might not fit 32
 * bits, or there is no factor. */
static bool set_column(const struct parts *p, struct columns *c, size_t i)
{
    float w_scale = ((const float *)p->w_scale.data)[i % count(&p->w_scale)];
    float unit = p->x.q.scale * w_scale;
    bool exact = is_in_sums(p, i, unit);
    int64_t bias = exact ? ((const int32_t *)p->b.data)[i] : 0, sum = 0, size = 0;
    for (size_t k = 0; k < c->each; k++) {
        int32_t w = c->w[i * c->each + k];
        sum += w;
        size += abs(w);
    }
    if (llabs(bias) + UINT8_MAX * size > INT32_MAX) return false;
    c->start[i] = (int32_t)(uint32_t)(bias - eng_quantised_zero(&p->x.q) * sum);
    double factor = (double)p->x.q.scale * (double)w_scale / (double)p->y.q.scale;
    c->factor[i] = (float)factor;
    c->rest[i] = (float)(factor - (double)c->factor[i]);
    if (p->b.dtype != ENG_DTYPE_NONE && !exact) c->offset[i] = bias_as_float(p, i) / p->y.q.scale;
    double most = (double)(llabs(bias) + UINT8_MAX * size) * (double)c->factor[i];
    return w_scale > 0 && c->factor[i] >= FLT_MIN && most + fabs((double)c->offset[i]) < 0x1p30;
}

static bool set_columns(const struct parts *p, struct columns *c)
{
    if (!set_weights(p, c)) return false;
    for (size_t i = 0; i < c->n; i++)
        if (!set_column(p, c, i)) return false;
    return true;
}

/* --- packing --- */

static enum eng_status pack(struct eng_byte_walk *w, const struct parts *p, const struct columns *c,
                            const struct eng_int8_conv *conv, size_t n_bytes, size_t n_columns,
                            int in[4], struct eng_error *err)
{
    struct eng_tensor packed = {.dtype = ENG_INT8, .shape = {.rank = 1, .dim = {(int64_t)n_bytes}}};
    struct eng_tensor start = {.dtype = ENG_INT32,
                               .shape = {.rank = 1, .dim = {(int64_t)n_columns}}};
    struct eng_tensor scales = {.dtype = ENG_FLOAT32,
                                .shape = {.rank = 1, .dim = {3 * (int64_t)n_columns}}};
    int like = p->bias == ENG_NO_VALUE ? p->weights : p->bias;
    void *to_packed, *to_start, *to_scales;
    struct eng_rewrite *r = w->turn.rewrite;
    enum eng_status status =
        eng_rewrite_add_packed(r, p->weights, &packed, &in[1], &to_packed, err);
    if (status == ENG_OK) status = eng_rewrite_add_packed(r, like, &start, &in[2], &to_start, err);
    if (status == ENG_OK)
        status = eng_rewrite_add_packed(r, like, &scales, &in[3], &to_scales, err);
    w->turn.shapes = r->shapes;
    if (status != ENG_OK) return status;
    struct eng_value *values = w->turn.graph->values;
    if (p->bias == ENG_NO_VALUE) values[in[2]].n_packed = 0;
    values[in[3]].n_packed = 0;
    eng_int8_conv_pack(conv, c->w, to_packed);
    eng_int8_conv_place(conv, c->start, to_start);
    eng_int8_conv_place(conv, c->factor, to_scales);
    eng_int8_conv_place(conv, c->rest, (float *)to_scales + n_columns);
    eng_int8_conv_place(conv, c->offset, (float *)to_scales + 2 * n_columns);
    eng_turn_let_go(&w->turn, p->weights);
    if (p->bias != ENG_NO_VALUE) eng_turn_let_go(&w->turn, p->bias);
    return ENG_OK;
}

/* The bounds of the activation in units of y's scale, as rounding what they bound gives them. */
static bool set_bounds(const struct parts *p, struct eng_quantised_conv_attrs *attrs)
{
    struct eng_clamp clamp = eng_clamp_for(p->activation);
    float zero = (float)eng_quantised_zero(&p->y.q);
    if (!clamp.is_all || isnan(clamp.low) || isnan(clamp.high) || clamp.low > clamp.high)
        return false;
    float low = rintf(clamp.low / p->y.q.scale) + zero,
          high = rintf(clamp.high / p->y.q.scale) + zero;
    attrs->low = (uint8_t)fminf(fmaxf(low, 0), UINT8_MAX);
    attrs->high = (uint8_t)fminf(fmaxf(high, 0), UINT8_MAX);
    return true;
}

static bool sizes(struct eng_byte_walk *w, const struct parts *p, const struct eng_int8_conv *conv,
                  size_t *n_bytes, size_t *n_columns)
{
    return eng_int8_conv_packed_bytes(conv, n_bytes) && eng_int8_conv_columns(conv, n_columns) &&
           *n_bytes <= SIZE_MAX / 2 && *n_columns <= SIZE_MAX / 16 &&
           eng_turn_affords(&w->turn, p->weights, *n_bytes / sizeof(float) + 3 * *n_columns);
}

static enum eng_status push(struct eng_byte_walk *w, const struct eng_node *node,
                            const struct parts *p, const struct columns *c,
                            struct eng_quantised_conv_attrs *attrs, bool *done,
                            struct eng_error *err)
{
    struct eng_shape x = w->turn.shapes[p->x.value].shape;
    struct eng_int8_conv conv;
    size_t n_bytes, n_columns;
    int in[4];
    if (!attrs->is_matrix)
        x = (struct eng_shape){.rank = 4, .dim = {1, x.dim[2], x.dim[3], x.dim[1]}};
    attrs->x = p->x.q;
    attrs->y = p->y.q;
    if (!set_bounds(p, attrs) || eng_quantised_conv_resolve(attrs, &x, &conv, NULL) != ENG_OK ||
        !sizes(w, p, &conv, &n_bytes, &n_columns))
        return ENG_OK;
    *done = true;
    enum eng_status status = eng_bytes_form(w, p->x.value, &in[0], err);
    if (status == ENG_OK) status = pack(w, p, c, &conv, n_bytes, n_columns, in, err);
    if (status == ENG_OK)
        status = eng_bytes_push(w, node, &eng_op_quantised_conv, attrs, in, 4, p->y.value, err);
    if (p->quantiser >= 0) w->done[p->quantiser] = true;
    return status;
}

static enum eng_status convert(struct eng_byte_walk *w, const struct eng_node *node,
                               const struct parts *p, struct eng_quantised_conv_attrs *attrs,
                               bool *done, struct eng_error *err)
{
    size_t n = (size_t)(attrs->out_channels * attrs->conv.group);
    struct columns c;
    bool fits = count(&p->w) > 0 && is_byte(&p->w) && p->w_scale.dtype == ENG_FLOAT32 &&
                fits_channels(&p->w_scale, n);
    if (p->w_zero.dtype != ENG_DTYPE_NONE)
        fits = fits && p->w_zero.dtype == p->w.dtype && fits_channels(&p->w_zero, n);
    if (!fits) return ENG_OK;
    if (!columns_init(&c, n, count(&p->w) / n)) {
        columns_fini(&c);
        return eng_fail_memory(err, "a graph pass");
    }
    enum eng_status status = ENG_OK;
    if (set_columns(p, &c)) status = push(w, node, p, &c, attrs, done, err);
    columns_fini(&c);
    return status;
}

/* --- nodes on floats --- */

/* Weights that were integers, with scales along `axis` if there are several. */
static bool read_weights(const struct eng_byte_walk *w, int v, int axis, struct parts *p)
{
    if (!is_constant(w, v) || !w->turn.graph->values[v].dequantised) return false;
    const struct eng_dequantised *from = w->turn.graph->values[v].dequantised;
    int64_t along = from->axis < 0 ? from->axis + from->q.shape.rank : from->axis;
    p->weights = v;
    p->w = from->q;
    p->w_scale = from->scale;
    p->w_zero = from->zero;
    return count(&from->scale) == 1 || along == axis;
}

/* A bias for each of n channels. */
static bool read_bias(const struct eng_byte_walk *w, int v, size_t n, struct parts *p)
{
    p->bias = v;
    if (v == ENG_NO_VALUE) return true;
    if (!is_constant(w, v)) return false;
    const struct eng_value *value = &w->turn.graph->values[v];
    const struct eng_dequantised *from = value->dequantised;
    p->b = value->tensor;
    if (value->tensor.dtype != ENG_FLOAT32 || count(&value->tensor) != n ||
        value->tensor.shape.rank < 1 ||
        value->tensor.shape.dim[value->tensor.shape.rank - 1] != (int64_t)n)
        return false;
    bool is_integer = from && from->q.dtype == ENG_INT32 && from->scale.dtype == ENG_FLOAT32 &&
                      fits_channels(&from->scale, n);
    for (size_t i = 0; is_integer && from->zero.dtype == ENG_INT32 && i < count(&from->zero); i++)
        is_integer = ((const int32_t *)from->zero.data)[i] == 0;
    if (is_integer) {
        p->b = from->q;
        p->b_scale = from->scale;
    }
    return true;
}

/* Geometry of a convolution with weights [M, C / group, K1, K2]. */
static bool set_convolution(const struct eng_byte_walk *w, const struct eng_node *node,
                            const struct eng_shape *k, int x, struct eng_quantised_conv_attrs *out)
{
    if (!eng_bytes_is_picture(w, x) || k->rank != 4) return false;
    *out = (struct eng_quantised_conv_attrs){.conv = *(const struct eng_conv_attrs *)node->attrs};
    out->in_channels = k->dim[1];
    out->out_channels = k->dim[0] / out->conv.group;
    out->conv.kernel_shape.n = 2;
    out->conv.kernel_shape.v[0] = k->dim[2];
    out->conv.kernel_shape.v[1] = k->dim[3];
    return true;
}

enum eng_status eng_bytes_convolution(struct eng_byte_walk *w, size_t i, bool *done,
                                      struct eng_error *err)
{
    const struct eng_node *node = &w->turn.graph->nodes[i];
    struct parts p = {.activation = node->activation};
    struct eng_quantised_conv_attrs attrs;
    if (!eng_bytes_source(w, node->in[0], &p.x) ||
        !eng_bytes_only_sink(w, node->out[0], &p.y, &p.quantiser) ||
        !read_weights(w, node->in[1], 0, &p) ||
        !set_convolution(w, node, &p.w.shape, p.x.value, &attrs) ||
        !read_bias(w, node->n_in > 2 ? node->in[2] : ENG_NO_VALUE, (size_t)p.w.shape.dim[0], &p))
        return ENG_OK;
    return convert(w, node, &p, &attrs, done, err);
}

/* Y [.., N] = X [.., K] W, W [K, N] or, by rows, [N, K]. */
static bool set_product(const struct eng_byte_walk *w, struct parts *p, bool by_rows,
                        struct eng_quantised_conv_attrs *out)
{
    const struct eng_shape *x = &w->turn.shapes[p->x.value].shape, *k = &p->w.shape;
    if (k->rank != 2 || x->rank < 1 || eng_bytes_is_picture(w, p->x.value)) return false;
    p->by_columns = !by_rows;
    *out = (struct eng_quantised_conv_attrs){.is_matrix = true, .conv = {.group = 1}};
    out->in_channels = k->dim[by_rows ? 1 : 0];
    out->out_channels = k->dim[by_rows ? 0 : 1];
    return x->dim[x->rank - 1] == out->in_channels;
}

/* Gemm's attributes: false if there is a factor or A is transposed. */
static bool read_gemm(const struct eng_node *node, bool *by_rows)
{
    struct eng_attr attrs[8];
    size_t n = node->op->n_attrs <= 8 ? eng_attrs_write(node->op, node->attrs, attrs) : 0;
    *by_rows = false;
    for (size_t i = 0; i < n; i++) { /* those that are not the default */
        if (strcmp(attrs[i].name, "transB") != 0) return false;
        *by_rows = true;
    }
    return true;
}

enum eng_status eng_bytes_product(struct eng_byte_walk *w, size_t i, bool *done,
                                  struct eng_error *err)
{
    const struct eng_node *node = &w->turn.graph->nodes[i];
    struct parts p = {.activation = node->activation};
    struct eng_quantised_conv_attrs attrs;
    bool by_rows = false, is_gemm = eng_pattern_is(node, "Gemm");
    int bias = is_gemm && node->n_in > 2 ? node->in[2] : ENG_NO_VALUE;
    if ((is_gemm && !read_gemm(node, &by_rows)) || !eng_bytes_source(w, node->in[0], &p.x) ||
        !eng_bytes_only_sink(w, node->out[0], &p.y, &p.quantiser) ||
        !read_weights(w, node->in[1], by_rows ? 0 : 1, &p) ||
        !set_product(w, &p, by_rows, &attrs) || !read_bias(w, bias, (size_t)attrs.out_channels, &p))
        return ENG_OK;
    return convert(w, node, &p, &attrs, done, err);
}

/* --- nodes on integers --- */

/* Inputs X, its scale and zero point, W, its scale and zero point, Y's scale and zero point. */
static bool read_qlinear(const struct eng_byte_walk *w, const struct eng_node *node,
                         struct parts *p)
{
    const struct eng_graph *graph = w->turn.graph;
    const int *in = node->in;
    for (int k = 3; k <= 5; k++)
        if (!is_constant(w, in[k])) return false;
    *p = (struct parts){.weights = in[3],
                        .bias = ENG_NO_VALUE,
                        .w = graph->values[in[3]].tensor,
                        .w_scale = graph->values[in[4]].tensor,
                        .w_zero = graph->values[in[5]].tensor,
                        .x.value = in[0],
                        .y.value = node->out[0],
                        .quantiser = -1};
    return eng_bytes_parameters(graph, in[1], in[2], w->turn.shapes[in[0]].dtype, &p->x.q) &&
           eng_bytes_parameters(graph, in[6], in[7], w->turn.shapes[node->out[0]].dtype, &p->y.q);
}

enum eng_status eng_bytes_qlinear_conv(struct eng_byte_walk *w, size_t i, bool *done,
                                       struct eng_error *err)
{
    const struct eng_node *node = &w->turn.graph->nodes[i];
    struct eng_quantised_conv_attrs attrs;
    struct parts p;
    if (!read_qlinear(w, node, &p) || !set_convolution(w, node, &p.w.shape, p.x.value, &attrs))
        return ENG_OK;
    if (node->n_in > 8 && node->in[8] != ENG_NO_VALUE) {
        if (!is_constant(w, node->in[8])) return ENG_OK;
        p.bias = node->in[8];
        p.b = w->turn.graph->values[p.bias].tensor;
        if (p.b.dtype != ENG_INT32 || count(&p.b) != (size_t)p.w.shape.dim[0]) return ENG_OK;
    }
    return convert(w, node, &p, &attrs, done, err);
}

enum eng_status eng_bytes_qlinear_matmul(struct eng_byte_walk *w, size_t i, bool *done,
                                         struct eng_error *err)
{
    const struct eng_node *node = &w->turn.graph->nodes[i];
    struct eng_quantised_conv_attrs attrs;
    struct parts p;
    if (!read_qlinear(w, node, &p) || !set_product(w, &p, false, &attrs)) return ENG_OK;
    return convert(w, node, &p, &attrs, done, err);
}

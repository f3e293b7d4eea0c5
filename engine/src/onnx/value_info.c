#include "onnx/value_info.h"

#include "base/error.h"
#include "onnx/tensor.h"
#include "onnx/unpack.h"

#include <inttypes.h>

/* Exporters write an unknown dimension as a name, as nothing, or as -1. */
static enum eng_status dimension(const Onnx__TensorShapeProto__Dimension *proto, size_t i,
                                 int64_t *out, struct eng_error *err)
{
    if (proto->has_dim_value && proto->dim_value < -1)
        return eng_fail(err, ENG_FORMAT,
                        "dimension %zu is %" PRId64 ", wanted 0 or more, or a name", i,
                        proto->dim_value);
    *out = proto->has_dim_value ? proto->dim_value : -1;
    return ENG_OK;
}

static enum eng_status shape(const Onnx__TensorShapeProto *proto, struct eng_shape *out,
                             struct eng_error *err)
{
    struct eng_shape found = {.rank = -1};
    if (proto) {
        if (proto->n_dim > ENG_MAX_RANK)
            return eng_fail(err, ENG_UNSUPPORTED, "has %zu dimensions, at most %d are supported",
                            proto->n_dim, ENG_MAX_RANK);
        found.rank = (int)proto->n_dim;
        for (size_t i = 0; i < proto->n_dim; i++) {
            enum eng_status status = dimension(proto->dim[i], i, &found.dim[i], err);
            if (status != ENG_OK) return status;
        }
    }
    *out = found;
    return ENG_OK;
}

static enum eng_status type(const Onnx__TypeProto *proto, struct onnx_value_info *value,
                            struct eng_error *err)
{
    if (proto->has_sequence_type || proto->has_map_type || proto->has_opaque_type ||
        proto->has_sparse_tensor_type || proto->has_optional_type)
        return eng_fail(err, ENG_UNSUPPORTED, "is of type %s, wanted a dense tensor",
                        proto->has_sequence_type        ? "sequence"
                        : proto->has_map_type           ? "map"
                        : proto->has_opaque_type        ? "opaque"
                        : proto->has_sparse_tensor_type ? "sparse tensor"
                                                        : "optional");
    if (!proto->tensor_type)
        return eng_fail(err, ENG_FORMAT, "has an empty type, wanted a tensor's");
    enum eng_status status = onnx_dtype(proto->tensor_type->elem_type, &value->dtype, err);
    return status == ENG_OK ? shape(proto->tensor_type->shape, &value->shape, err) : status;
}

static enum eng_status value_info(const Onnx__ValueInfoProto *proto, size_t index, const char *what,
                                  struct eng_arena *arena, struct onnx_value_info *out,
                                  struct eng_error *err)
{
    enum eng_status status =
        onnx_text(&proto->name, ONNX_TEXT_NAME, "name", arena, &out->name, err);
    if (status == ENG_OK && !*out->name) status = eng_fail(err, ENG_FORMAT, "has no name, wanted one");
    if (status != ENG_OK) {
        eng_error_context(err, "%s %zu", what, index);
        return status;
    }
    status = proto->type ? type(proto->type, out, err) : eng_fail(err, ENG_FORMAT, "has no type");
    if (status != ENG_OK) eng_error_context(err, "%s '%s'", what, out->name);
    return status;
}

enum eng_status onnx_value_infos(Onnx__ValueInfoProto *const *protos, size_t n, const char *what,
                                 struct eng_arena *arena, struct onnx_value_info **out,
                                 struct eng_error *err)
{
    struct onnx_value_info *list = eng_arena_alloc(arena, n, sizeof *list);
    if (!list) return eng_fail_memory(err, "graph inputs and outputs");
    struct eng_names seen = {0};
    enum eng_status status = ENG_OK;
    for (size_t i = 0; i < n && status == ENG_OK; i++) {
        status = value_info(protos[i], i, what, arena, &list[i], err);
        if (status == ENG_OK) status = onnx_once(&seen, what, list[i].name, err);
    }
    eng_names_fini(&seen);
    if (status == ENG_OK) *out = list;
    return status;
}

enum eng_status onnx_known_value_infos(Onnx__ValueInfoProto *const *protos, size_t n,
                                       struct eng_arena *arena, struct onnx_value_info **out,
                                       size_t *n_out, struct eng_error *err)
{
    struct onnx_value_info *list = eng_arena_alloc(arena, n, sizeof *list);
    if (!list) return eng_fail_memory(err, "the graph's values");
    size_t n_known = 0;
    for (size_t i = 0; i < n; i++) {
        enum eng_status status = value_info(protos[i], i, "value", arena, &list[n_known], NULL);
        if (status == ENG_NO_MEMORY) return eng_fail_memory(err, "the graph's values");
        n_known += status == ENG_OK;
    }
    *out = list;
    *n_out = n_known;
    return ENG_OK;
}

#include "onnx/tensor.h"

#include "base/error.h"
#include "base/half.h"
#include "base/mem.h"
#include "onnx/onnx.h"
#include "onnx/unpack.h"

#include <inttypes.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "raw_data is used as it lies in the file");

enum { DATA_LOCATION_EXTERNAL = 1 };

/* Where the elements of a tensor stand in the file, and in which type. */
struct source {
    const char *field;
    enum eng_dtype dtype;
    const void *data;
    size_t n; /* elements */
};

/* TensorProto.DataType numbers that the engine does not hold. */
static const char *const other_types[] = {
    [8] = "string",        [14] = "complex64",      [15] = "complex128", [16] = "bfloat16",
    [17] = "float8e4m3fn", [18] = "float8e4m3fnuz", [19] = "float8e5m2", [20] = "float8e5m2fnuz",
    [21] = "uint4",        [22] = "int4",
};

enum eng_status onnx_dtype(int32_t data_type, enum eng_dtype *out, struct eng_error *err)
{
    static const char wanted[] =
        "wanted float, double, float16, bool or an integer of 8 to 64 bits";
    if (data_type > 0 && eng_dtype_bytes((enum eng_dtype)data_type) > 0) {
        *out = (enum eng_dtype)data_type;
        return ENG_OK;
    }
    bool known = data_type > 0 && (size_t)data_type < sizeof other_types / sizeof *other_types;
    if (known && other_types[data_type])
        return eng_fail(err, ENG_UNSUPPORTED, "element type %s is not supported, %s",
                        other_types[data_type], wanted);
    return eng_fail(err, ENG_FORMAT, "element type has the unknown number %" PRId32 ", %s",
                    data_type, wanted);
}

static enum eng_status read_shape(const Onnx__TensorProto *proto, struct eng_shape *out,
                                  struct eng_error *err)
{
    if (proto->n_dims > ENG_MAX_RANK)
        return eng_fail(err, ENG_UNSUPPORTED, "has %zu dimensions, at most %d are supported",
                        proto->n_dims, ENG_MAX_RANK);
    struct eng_shape shape = {.rank = (int)proto->n_dims};
    for (size_t i = 0; i < proto->n_dims; i++) {
        if (proto->dims[i] < 0)
            return eng_fail(err, ENG_FORMAT, "dimension %zu is %" PRId64 ", wanted 0 or more", i,
                            proto->dims[i]);
        shape.dim[i] = proto->dims[i];
    }
    *out = shape;
    return ENG_OK;
}

static enum eng_status refuse_other_storage(const Onnx__TensorProto *proto, struct eng_error *err)
{
    if (proto->n_external_data > 0 || proto->data_location == DATA_LOCATION_EXTERNAL)
        return eng_fail(
            err, ENG_UNSUPPORTED,
            "its data stand in another file (external data); wanted one file with the weights "
            "inside, of at most 2 GiB: onnx.save(onnx.load('model.onnx'), 'whole.onnx')");
    if (proto->data_location != 0)
        return eng_fail(err, ENG_FORMAT, "data_location is %" PRId32 ", wanted 0 (default)",
                        proto->data_location);
    if (proto->has_segment)
        return eng_fail(err, ENG_UNSUPPORTED, "is a segment of a larger tensor; wanted it whole");
    if (proto->n_string_data > 0)
        return eng_fail(err, ENG_FORMAT, "holds string_data, which its element type does not use");
    return ENG_OK;
}

/* The fields that can hold elements, and which of them those of each type stand in. */
enum { SOURCE_FLOAT, SOURCE_INT32, SOURCE_INT64, SOURCE_DOUBLE, SOURCE_UINT64, N_SOURCES };

static size_t source_of(enum eng_dtype dtype)
{
    switch (dtype) {
    case ENG_FLOAT32:
        return SOURCE_FLOAT;
    case ENG_INT64:
        return SOURCE_INT64;
    case ENG_FLOAT64:
        return SOURCE_DOUBLE;
    case ENG_UINT32:
    case ENG_UINT64:
        return SOURCE_UINT64;
    default:
        return SOURCE_INT32;
    }
}

/* Finds the one field that holds the elements; anything in another one is an error. */
static enum eng_status find_source(const Onnx__TensorProto *proto, enum eng_dtype dtype,
                                   struct source *out, struct eng_error *err)
{
    const struct source typed[N_SOURCES] = {
        [SOURCE_FLOAT] = {"float_data", ENG_FLOAT32, proto->float_data, proto->n_float_data},
        [SOURCE_INT32] = {"int32_data", ENG_INT32, proto->int32_data, proto->n_int32_data},
        [SOURCE_INT64] = {"int64_data", ENG_INT64, proto->int64_data, proto->n_int64_data},
        [SOURCE_DOUBLE] = {"double_data", ENG_FLOAT64, proto->double_data, proto->n_double_data},
        [SOURCE_UINT64] = {"uint64_data", ENG_UINT64, proto->uint64_data, proto->n_uint64_data},
    };
    size_t own = source_of(dtype), n_raw = proto->has_raw_data ? proto->raw_data.len : 0;
    for (size_t i = 0; i < N_SOURCES; i++) {
        if (typed[i].n == 0) continue;
        if (n_raw > 0)
            return eng_fail(err, ENG_FORMAT, "holds both raw_data and %s, wanted one",
                            typed[i].field);
        if (i != own)
            return eng_fail(err, ENG_FORMAT, "holds %s, wanted %s or raw_data for type %s",
                            typed[i].field, typed[own].field, eng_dtype_name(dtype));
    }
    *out = typed[own];
    if (n_raw > 0)
        *out = (struct source){"raw_data", dtype, proto->raw_data.data,
                               n_raw / eng_dtype_bytes(dtype)};
    return ENG_OK;
}

/* The number of elements in the file must be that of the shape, before anything is allocated. */
static enum eng_status check_count(const Onnx__TensorProto *proto, const struct eng_tensor *tensor,
                                   const struct source *source, struct eng_error *err)
{
    char shape[128];
    eng_shape_format(&tensor->shape, shape, sizeof shape);
    int64_t n_bytes = eng_tensor_bytes(tensor);
    if (n_bytes < 0)
        return eng_fail(err, ENG_FORMAT, "shape %s of %s is larger than any memory", shape,
                        eng_dtype_name(tensor->dtype));
    if (proto->has_raw_data && proto->raw_data.len > 0) {
        if (proto->raw_data.len != (uint64_t)n_bytes)
            return eng_fail(err, ENG_FORMAT,
                            "raw_data has %zu bytes, shape %s of %s wants %" PRId64,
                            proto->raw_data.len, shape, eng_dtype_name(tensor->dtype), n_bytes);
    } else if (source->n == 0 && eng_shape_count(&tensor->shape) > 0) {
        return eng_fail(err, ENG_FORMAT,
                        "holds no data: raw_data and %s are empty, shape %s wants %" PRId64
                        " elements",
                        source->field, shape, eng_shape_count(&tensor->shape));
    } else if (source->n != (uint64_t)eng_shape_count(&tensor->shape)) {
        return eng_fail(err, ENG_FORMAT, "%s has %zu elements, shape %s wants %" PRId64,
                        source->field, source->n, shape, eng_shape_count(&tensor->shape));
    }
    return ENG_OK;
}

/* Room for n elements, aligned to ENG_ALIGN however few they are. */
static void *alloc_elements(struct eng_arena *arena, size_t n, size_t element_bytes)
{
    size_t n_bytes;
    if (!eng_mul_size(n, element_bytes, &n_bytes)) return NULL;
    return eng_arena_alloc(arena, n_bytes < ENG_ALIGN ? ENG_ALIGN : n_bytes, 1);
}

/* The elements have their final form: they stay where they were unpacked if that is aligned. */
static enum eng_status adopt(const struct source *source, struct eng_arena *arena, void **out,
                             struct eng_error *err)
{
    size_t n_bytes = source->n * eng_dtype_bytes(source->dtype);
    if (n_bytes > 0 && (uintptr_t)source->data % ENG_ALIGN == 0) {
        memcpy(out, &source->data, sizeof *out);
        return ENG_OK;
    }
    void *data = alloc_elements(arena, n_bytes, 1);
    if (!data) return eng_fail_memory(err, "tensor data");
    if (n_bytes > 0) memcpy(data, source->data, n_bytes);
    *out = data;
    return ENG_OK;
}

static enum eng_status widen_half(const struct source *source, struct eng_arena *arena, void **out,
                                  struct eng_error *err)
{
    float *data = alloc_elements(arena, source->n, sizeof *data);
    if (!data) return eng_fail_memory(err, "tensor data");
    for (size_t i = 0; i < source->n; i++) {
        uint16_t half;
        if (source->dtype == ENG_FLOAT16) {
            memcpy(&half, (const char *)source->data + i * sizeof half, sizeof half);
        } else {
            int32_t bits = ((const int32_t *)source->data)[i];
            if (bits < 0 || bits > UINT16_MAX)
                return eng_fail(err, ENG_FORMAT,
                                "int32_data element %zu is %" PRId32
                                ", wanted the 16 bits of a float16",
                                i, bits);
            half = (uint16_t)bits;
        }
        data[i] = eng_half_to_float(half);
    }
    *out = data;
    return ENG_OK;
}

/* Bounds of the types that stand in a wider field. */
static void range_of(enum eng_dtype dtype, int64_t *min, int64_t *max)
{
    bool is_signed = dtype == ENG_INT8 || dtype == ENG_INT16;
    int bits = 8 * (int)eng_dtype_bytes(dtype) - (is_signed ? 1 : 0);
    *max = dtype == ENG_BOOL ? 1 : ((int64_t)1 << bits) - 1;
    *min = is_signed ? -*max - 1 : 0;
}

static int64_t clamp(uint64_t value)
{
    return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

/* int32_data or uint64_data to the type that the tensor says; little endian, so the low bytes. */
static enum eng_status narrow(const struct source *source, enum eng_dtype dtype,
                              struct eng_arena *arena, void **out, struct eng_error *err)
{
    size_t n_bytes = eng_dtype_bytes(dtype);
    int64_t min, max;
    range_of(dtype, &min, &max);
    char *data = alloc_elements(arena, source->n, n_bytes);
    if (!data) return eng_fail_memory(err, "tensor data");
    for (size_t i = 0; i < source->n; i++) {
        int64_t value = source->dtype == ENG_INT32 ? ((const int32_t *)source->data)[i]
                                                   : clamp(((const uint64_t *)source->data)[i]);
        if (value < min || value > max)
            return eng_fail(err, ENG_FORMAT,
                            "%s element %zu lies outside %s: %" PRId64 ", wanted %" PRId64
                            " to %" PRId64,
                            source->field, i, eng_dtype_name(dtype), value, min, max);
        memcpy(data + i * n_bytes, &value, n_bytes);
    }
    *out = data;
    return ENG_OK;
}

/* C gives a bool that is neither 0 nor 1 no meaning. */
static enum eng_status check_raw_bools(const struct source *source, struct eng_error *err)
{
    const uint8_t *bytes = source->data;
    for (size_t i = 0; i < source->n; i++) {
        if (bytes[i] > 1)
            return eng_fail(err, ENG_FORMAT, "raw_data element %zu is %u, wanted a bool, 0 or 1", i,
                            bytes[i]);
    }
    return ENG_OK;
}

static enum eng_status take_elements(const struct source *source, struct eng_arena *arena,
                                     struct eng_tensor *tensor, struct eng_error *err)
{
    if (tensor->dtype == ENG_FLOAT16) {
        tensor->dtype = ENG_FLOAT32;
        return widen_half(source, arena, &tensor->data, err);
    }
    if (source->dtype != tensor->dtype)
        return narrow(source, tensor->dtype, arena, &tensor->data, err);
    enum eng_status status = ENG_OK;
    if (tensor->dtype == ENG_BOOL) status = check_raw_bools(source, err);
    return status == ENG_OK ? adopt(source, arena, &tensor->data, err) : status;
}

enum eng_status onnx_tensor(const Onnx__TensorProto *proto, struct eng_arena *arena,
                            struct eng_tensor *out, struct eng_error *err)
{
    struct eng_tensor tensor = {0};
    struct source source = {0};
    enum eng_status status = onnx_dtype(proto->data_type, &tensor.dtype, err);
    if (status == ENG_OK) status = refuse_other_storage(proto, err);
    if (status == ENG_OK) status = read_shape(proto, &tensor.shape, err);
    if (status == ENG_OK) status = find_source(proto, tensor.dtype, &source, err);
    if (status == ENG_OK) status = check_count(proto, &tensor, &source, err);
    if (status == ENG_OK) status = take_elements(&source, arena, &tensor, err);
    if (status == ENG_OK) *out = tensor;
    return status;
}

enum eng_status onnx_tensor_read(const void *bytes, size_t n_bytes, struct eng_arena *arena,
                                 struct onnx_named_tensor *out, struct eng_error *err)
{
    ProtobufCMessage *message;
    struct onnx_named_tensor named = {0};
    enum eng_status status =
        onnx_unpack(&onnx__tensor_proto__descriptor, bytes, n_bytes, arena, &message, err);
    if (status != ENG_OK) return status;
    const Onnx__TensorProto *proto = (const Onnx__TensorProto *)message;
    status = onnx_text(&proto->name, ONNX_TEXT_NAME, "tensor name", arena, &named.name, err);
    if (status != ENG_OK) return status;
    status = onnx_tensor(proto, arena, &named.tensor, err);
    if (status != ENG_OK) {
        eng_error_context(err, "tensor '%s'", named.name);
        return status;
    }
    *out = named;
    return ENG_OK;
}

#include "onnx/unpack.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

enum { BUDGET_PER_BYTE = 8, BUDGET_CONSTANT = 64 << 20, BUDGET_PART = 4096, ARENA_PIECE_MIN = 16 };

/* What a file may take: a few bytes of it can ask for a large struct, over and over. */
struct budget {
    struct eng_arena *arena;
    size_t left_bytes;
    bool spent, out_of_memory;
};

static void *budget_alloc(void *data, size_t n_bytes)
{
    struct budget *budget = data;
    size_t cost = n_bytes < ARENA_PIECE_MIN ? ARENA_PIECE_MIN : n_bytes;
    if (cost > budget->left_bytes) {
        budget->spent = true;
        return NULL;
    }
    budget->left_bytes -= cost;
    void *piece = eng_arena_alloc(budget->arena, n_bytes, 1);
    if (!piece) budget->out_of_memory = true;
    return piece;
}

/* The arena ends all pieces together. */
static void budget_free(void *data, void *piece)
{
    (void)data;
    (void)piece;
}

static enum eng_status refuse_unknown(const ProtobufCMessage *message, struct eng_error *err);

static enum eng_status refuse_unknown_in_field(const ProtobufCMessage *message,
                                               const ProtobufCFieldDescriptor *field,
                                               struct eng_error *err)
{
    const char *base = (const char *)message;
    size_t n = 1;
    ProtobufCMessage *one, **many = &one;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        memcpy(&n, base + field->quantifier_offset, sizeof n);
        memcpy(&many, base + field->offset, sizeof many);
    } else {
        memcpy(&one, base + field->offset, sizeof one);
    }
    for (size_t i = 0; i < n; i++) {
        enum eng_status status = many[i] ? refuse_unknown(many[i], err) : ENG_OK;
        if (status != ENG_OK) {
            eng_error_context(err, "%s %zu", field->name, i);
            return status;
        }
    }
    return ENG_OK;
}

/* Recursion ends: no message of onnx.proto contains itself. */
static enum eng_status refuse_unknown(const ProtobufCMessage *message, struct eng_error *err)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    if (message->n_unknown_fields > 0)
        return eng_fail(err, ENG_FORMAT, "%s has field %u, which ONNX up to IR version 10 does not",
                        type->short_name, message->unknown_fields[0].tag);
    enum eng_status status = ENG_OK;
    for (unsigned i = 0; i < type->n_fields && status == ENG_OK; i++) {
        if (type->fields[i].type == PROTOBUF_C_TYPE_MESSAGE)
            status = refuse_unknown_in_field(message, &type->fields[i], err);
    }
    return status;
}

static enum eng_status unpack(const ProtobufCMessageDescriptor *type, const void *bytes,
                              size_t n_bytes, size_t constant_bytes, struct eng_arena *arena,
                              ProtobufCMessage **out, struct eng_error *err)
{
    if (n_bytes > INT32_MAX)
        return eng_fail(err, ENG_LIMIT, "%s of %zu bytes: protobuf ends at %d", type->short_name,
                        n_bytes, INT32_MAX);
    size_t budget_bytes = n_bytes * BUDGET_PER_BYTE + constant_bytes;
    struct budget budget = {.arena = arena, .left_bytes = budget_bytes};
    ProtobufCAllocator allocator = {budget_alloc, budget_free, &budget};
    ProtobufCMessage *message = protobuf_c_message_unpack(type, &allocator, n_bytes, bytes);
    if (message) {
        enum eng_status status = refuse_unknown(message, err);
        if (status == ENG_OK) *out = message;
        return status;
    }
    if (budget.out_of_memory) return eng_fail_memory(err, type->short_name);
    if (budget.spent)
        return eng_fail(err, ENG_LIMIT,
                        "%s of %zu bytes wants more than %zu bytes of memory when unpacked",
                        type->short_name, n_bytes, budget_bytes);
    return eng_fail(err, ENG_FORMAT,
                    "the %zu bytes are not a protobuf %s: truncated, damaged or another format",
                    n_bytes, type->short_name);
}

enum eng_status onnx_unpack(const ProtobufCMessageDescriptor *type, const void *bytes,
                            size_t n_bytes, struct eng_arena *arena, ProtobufCMessage **out,
                            struct eng_error *err)
{
    return unpack(type, bytes, n_bytes, BUDGET_CONSTANT, arena, out, err);
}

enum eng_status onnx_unpack_part(const ProtobufCMessageDescriptor *type, const void *bytes,
                                 size_t n_bytes, struct eng_arena *arena, ProtobufCMessage **out,
                                 struct eng_error *err)
{
    return unpack(type, bytes, n_bytes, BUDGET_PART, arena, out, err);
}

enum eng_status onnx_text(const ProtobufCBinaryData *field, enum onnx_text_kind kind,
                          const char *what, struct eng_arena *arena, const char **out,
                          struct eng_error *err)
{
    if (field->len == 0) {
        *out = "";
        return ENG_OK;
    }
    if (!eng_utf8_is_valid((const char *)field->data, field->len))
        return eng_fail(err, ENG_FORMAT, "%s is not UTF-8 text", what);
    for (size_t i = 0; i < field->len; i++) {
        unsigned c = field->data[i];
        if (c == 0 || (kind == ONNX_TEXT_NAME && (c < 0x20 || c == 0x7f)))
            return eng_fail(err, ENG_FORMAT, "%s holds the control character 0x%02x at byte %zu",
                            what, c, i);
    }
    char *text = eng_arena_string(arena, (const char *)field->data, field->len);
    if (!text) return eng_fail_memory(err, what);
    *out = text;
    return ENG_OK;
}

enum eng_status onnx_domain(const ProtobufCBinaryData *field, struct eng_arena *arena,
                            const char **out, struct eng_error *err)
{
    enum eng_status status = onnx_text(field, ONNX_TEXT_NAME, "domain", arena, out, err);
    if (status == ENG_OK && strcmp(*out, "ai.onnx") == 0) *out = "";
    return status;
}

enum eng_status onnx_once(struct eng_names *seen, const char *what, const char *name,
                          struct eng_error *err)
{
    if (eng_names_find(seen, name) >= 0)
        return eng_fail(err, ENG_FORMAT, "%s '%s' comes twice, wanted once", what, name);
    return eng_names_put(seen, name, 0) ? ENG_OK : eng_fail_memory(err, "names");
}

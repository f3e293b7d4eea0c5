/* Bounded unpacking of protobuf messages into an arena, and the check that every text needs. */
#ifndef ENG_ONNX_UNPACK_H
#define ENG_ONNX_UNPACK_H

#include "base/arena.h"
#include "base/names.h"
#include "engine/status.h"

#include <protobuf-c/protobuf-c.h>

#include <stddef.h>

/*
 * Purpose: unpacks one message. A field that onnx.proto does not have is refused: what it means is
 * not known here, so passing over it might give a wrong answer. Ownership: everything lives in
 * arena; pieces of 64 bytes and more are aligned to 64, so that tensor data can stay where they
 * were unpacked. Nothing is to be freed singly. Errors: FORMAT, NO_MEMORY, LIMIT when the message
 * wants more than 8 x n_bytes + 64 MiB.
 */
enum eng_status onnx_unpack(const ProtobufCMessageDescriptor *type, const void *bytes,
                            size_t n_bytes, struct eng_arena *arena, ProtobufCMessage **out,
                            struct eng_error *err);

/* Purpose: the same for a part of a larger message, of which there may be many: it gets 8 x n_bytes
 * + 4 KiB. */
enum eng_status onnx_unpack_part(const ProtobufCMessageDescriptor *type, const void *bytes,
                                 size_t n_bytes, struct eng_arena *arena, ProtobufCMessage **out,
                                 struct eng_error *err);

enum onnx_text_kind {
    ONNX_TEXT_NAME, /* one line: no control characters, for it will stand in messages */
    ONNX_TEXT_FREE, /* anything that is UTF-8 */
};

/*
 * Purpose: a field as a C string in arena, "" for an absent one.
 * Errors: FORMAT starting with what: not UTF-8, holds a NUL or (NAME) a control character;
 * NO_MEMORY.
 */
enum eng_status onnx_text(const ProtobufCBinaryData *field, enum onnx_text_kind kind,
                          const char *what, struct eng_arena *arena, const char **out,
                          struct eng_error *err);

/* Purpose: the same for an operator domain; "ai.onnx" becomes "", which is its other name. */
enum eng_status onnx_domain(const ProtobufCBinaryData *field, struct eng_arena *arena,
                            const char **out, struct eng_error *err);

/* Purpose: notes a name; what calls it in messages. Errors: FORMAT if it was noted before;
 * NO_MEMORY. */
enum eng_status onnx_once(struct eng_names *seen, const char *what, const char *name,
                          struct eng_error *err);

#endif

/* Attributes as they stand in a file, before an operator's table gives them a place. */
#ifndef ENG_OPS_ATTRS_H
#define ENG_OPS_ATTRS_H

#include "base/arena.h"
#include "engine/tensor.h"
#include "ops/op.h"

enum eng_attr_type {
    ENG_ATTR_FLOAT,
    ENG_ATTR_INT,
    ENG_ATTR_STRING,
    ENG_ATTR_TENSOR,
    ENG_ATTR_FLOATS,
    ENG_ATTR_INTS,
    ENG_ATTR_OTHER, /* graphs, sparse tensors ...: operators refuse them */
};

/* One attribute; pointers are borrowed from whoever read the file. */
struct eng_attr {
    const char *name;
    enum eng_attr_type type;
    float f;
    int64_t i;
    const char *s; /* NUL-terminated; of a graph its n bytes in the file */
    const struct eng_tensor *t;
    const float *floats;
    const int64_t *ints;
    size_t n; /* of floats or ints */
    const char
        *refers_to; /* in a function: the attribute of the call that it stands for, or NULL */
};

/*
 * Purpose: fills the operator's attribute struct: defaults, then each attribute, checked.
 * Ownership: strings, tensors and whole attributes are stored as pointers; the caller keeps them
 * alive, or calls eng_attrs_own. Errors: UNSUPPORTED for a name that the operator's table does not
 * have, ARGUMENT for a bad type or value; the sentence names the attribute.
 */
enum eng_status eng_attrs_read(const struct eng_op *op, const struct eng_attr *attrs, size_t n,
                               void *out, struct eng_error *err);

/*
 * Purpose: copies into arena everything that the attribute struct points to (tensors aligned to
 *          ENG_ALIGN), so that it outlives the file it was read from.
 * Errors: NO_MEMORY; the struct is then not to be used.
 */
enum eng_status eng_attrs_own(const struct eng_op *op, void *attrs, struct eng_arena *arena,
                              struct eng_error *err);

/* Purpose: the inverse of read: those rows whose value is not the default. out has room for
 * op->n_attrs. Ownership: pointers into attrs. Returns how many. */
size_t eng_attrs_write(const struct eng_op *op, const void *attrs, struct eng_attr *out);

#endif

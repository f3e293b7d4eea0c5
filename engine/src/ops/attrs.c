#include "ops/attrs.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

static void *member(const struct eng_field *field, const void *base)
{
    return (char *)base + field->offset;
}

static const char *type_name(enum eng_attr_type type)
{
    static const char *const names[] = {"a float",
                                        "an int",
                                        "a string",
                                        "a tensor",
                                        "a float list",
                                        "an int list",
                                        "of a type that no operator here takes"};
    return names[type];
}

static enum eng_attr_type wanted_type(const struct eng_field *field)
{
    switch (field->type) {
    case ENG_FIELD_INT:
    case ENG_FIELD_BOOL:
        return ENG_ATTR_INT;
    case ENG_FIELD_FLOAT:
        return ENG_ATTR_FLOAT;
    case ENG_FIELD_CHOICE:
    case ENG_FIELD_STRING:
        return ENG_ATTR_STRING;
    case ENG_FIELD_INTS:
        return ENG_ATTR_INTS;
    case ENG_FIELD_TENSOR:
        return ENG_ATTR_TENSOR;
    case ENG_FIELD_ATTR:
        break;
    }
    return ENG_ATTR_OTHER;
}

static enum eng_status set(const struct eng_field *field, const struct eng_attr *attr, void *base,
                           struct eng_error *err)
{
    if (attr->type == ENG_ATTR_OTHER ||
        (field->type != ENG_FIELD_ATTR && attr->type != wanted_type(field)))
        return eng_fail(err, attr->type == ENG_ATTR_OTHER ? ENG_UNSUPPORTED : ENG_ARGUMENT,
                        "attribute '%s' is %s; %s is wanted", attr->name, type_name(attr->type),
                        field->type == ENG_FIELD_ATTR ? "a value" : type_name(wanted_type(field)));
    switch (field->type) {
    case ENG_FIELD_INT:
    case ENG_FIELD_BOOL:
        return eng_field_set_int(field, base, attr->i, err);
    case ENG_FIELD_FLOAT:
        return eng_field_set_number(field, base, (double)attr->f, err);
    case ENG_FIELD_CHOICE:
    case ENG_FIELD_STRING:
        return eng_field_set_text(field, base, attr->s, err);
    case ENG_FIELD_INTS:
        return eng_field_set_ints(field, base, attr->ints, attr->n, err);
    case ENG_FIELD_TENSOR:
        *(const struct eng_tensor **)member(field, base) = attr->t;
        return ENG_OK;
    case ENG_FIELD_ATTR:
        *(const struct eng_attr **)member(field, base) = attr;
        return ENG_OK;
    }
    return ENG_OK;
}

/* With the names that are known, as far as they fit. */
static enum eng_status refuse_unknown(const struct eng_op *op, const char *name,
                                      struct eng_error *err)
{
    char names[200] = "none";
    size_t used = 0;
    for (size_t i = 0; i < op->n_attrs && used < sizeof names; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "",
                                 op->attrs[i].name);
    return eng_fail(err, ENG_UNSUPPORTED, "attribute '%s' is not known for %s; it has %s", name,
                    op->name, names);
}

enum eng_status eng_attrs_read(const struct eng_op *op, const struct eng_attr *attrs, size_t n,
                               void *out, struct eng_error *err)
{
    if (op->attrs_bytes > 0) memset(out, 0, op->attrs_bytes);
    eng_fields_defaults(op->attrs, op->n_attrs, out);
    for (size_t i = 0; i < n; i++) {
        const struct eng_field *field = eng_fields_find(op->attrs, op->n_attrs, attrs[i].name);
        if (!field) return refuse_unknown(op, attrs[i].name, err);
        enum eng_status status = set(field, &attrs[i], out, err);
        if (status != ENG_OK) return status;
    }
    return ENG_OK;
}

static const struct eng_tensor *own_tensor(const struct eng_tensor *tensor, struct eng_arena *arena)
{
    struct eng_tensor *copy = eng_arena_copy(arena, tensor, sizeof(*tensor));
    int64_t bytes = eng_tensor_bytes(tensor);
    if (!copy || bytes < 0) return NULL;
    copy->data = eng_arena_alloc(arena, (size_t)bytes + ENG_ALIGN, 1);
    if (copy->data && bytes > 0) memcpy(copy->data, tensor->data, (size_t)bytes);
    return copy->data ? copy : NULL;
}

static const struct eng_attr *own_attr(const struct eng_attr *attr, struct eng_arena *arena)
{
    struct eng_attr *copy = eng_arena_copy(arena, attr, sizeof(*attr));
    if (!copy) return NULL;
    bool ok = (copy->name = eng_arena_string(arena, attr->name, strlen(attr->name))) != NULL;
    if (attr->type == ENG_ATTR_STRING)
        ok = ok && (copy->s = eng_arena_string(arena, attr->s, strlen(attr->s))) != NULL;
    if (attr->type == ENG_ATTR_TENSOR) ok = ok && (copy->t = own_tensor(attr->t, arena)) != NULL;
    if (attr->type == ENG_ATTR_FLOATS && attr->n > 0)
        ok = ok &&
             (copy->floats = eng_arena_copy(arena, attr->floats, attr->n * sizeof(float))) != NULL;
    if (attr->type == ENG_ATTR_INTS && attr->n > 0)
        ok = ok &&
             (copy->ints = eng_arena_copy(arena, attr->ints, attr->n * sizeof(int64_t))) != NULL;
    return ok ? copy : NULL;
}

enum eng_status eng_attrs_own(const struct eng_op *op, void *attrs, struct eng_arena *arena,
                              struct eng_error *err)
{
    for (size_t i = 0; i < op->n_attrs; i++) {
        const struct eng_field *field = &op->attrs[i];
        const void **pointer = member(field, attrs);
        if (field->type != ENG_FIELD_STRING && field->type != ENG_FIELD_TENSOR &&
            field->type != ENG_FIELD_ATTR)
            continue;
        if (!*pointer) continue;
        if (field->type == ENG_FIELD_STRING)
            *pointer = eng_arena_string(arena, *pointer, strlen(*pointer));
        else if (field->type == ENG_FIELD_TENSOR)
            *pointer = own_tensor(*pointer, arena);
        else
            *pointer = own_attr(*pointer, arena);
        if (!*pointer) return eng_fail_memory(err, "an operator's attributes");
    }
    return ENG_OK;
}

/* Fills *out from the member; false if the value is the default. */
static bool get(const struct eng_field *field, const void *base, struct eng_attr *out)
{
    const void *at = member(field, base);
    *out = (struct eng_attr){.name = field->name, .type = wanted_type(field)};
    switch (field->type) {
    case ENG_FIELD_INT:
        out->i = *(const int64_t *)at;
        return out->i != (int64_t)field->def;
    case ENG_FIELD_BOOL:
        out->i = *(const bool *)at;
        return out->i != (field->def != 0.0);
    case ENG_FIELD_FLOAT:
        out->f = (float)*(const double *)at;
        return out->f != (float)field->def;
    case ENG_FIELD_CHOICE:
        out->s = field->choices[*(const int *)at];
        return *(const int *)at != (int)field->def;
    case ENG_FIELD_STRING:
        return (out->s = *(const char *const *)at) != NULL;
    case ENG_FIELD_INTS:
        out->ints = ((const struct eng_ints *)at)->v;
        out->n = (size_t)((const struct eng_ints *)at)->n;
        return out->n > 0;
    case ENG_FIELD_TENSOR:
        return (out->t = *(const struct eng_tensor *const *)at) != NULL;
    case ENG_FIELD_ATTR:
        if (*(const struct eng_attr *const *)at) *out = **(const struct eng_attr *const *)at;
        return *(const struct eng_attr *const *)at != NULL;
    }
    return false;
}

size_t eng_attrs_write(const struct eng_op *op, const void *attrs, struct eng_attr *out)
{
    size_t n = 0;
    for (size_t i = 0; i < op->n_attrs; i++)
        n += get(&op->attrs[i], attrs, &out[n]);
    return n;
}

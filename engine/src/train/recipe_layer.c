#include "train/recipe_layer.h"

#include "base/error.h"
#include "ops/op.h"
#include "train/layer.h"

#include <stdio.h>
#include <string.h>

/* What one layer is read into, and by which tables. */
struct reading {
    const struct eng_json_place *place;
    const struct eng_op *op;
    struct eng_layer *layer;
    struct eng_attr *attrs;
};

static enum eng_status copy_ints(const struct reading *r, const char *key, const json_t *value,
                                 struct eng_attr *out)
{
    static const char wanted[] = "a list of at most 32 integers";
    size_t n = json_array_size(value);
    if (!json_is_array(value) || n > ENG_MAX_INTS)
        return eng_json_fail(r->place, key, value, wanted);
    int64_t *ints = eng_arena_alloc(r->place->arena, n + 1, sizeof *ints);
    if (!ints) return eng_fail_memory(r->place->err, "a recipe");
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(value, i);
        if (!json_is_integer(item)) return eng_json_fail(r->place, key, value, wanted);
        ints[i] = json_integer_value(item);
    }
    out->type = ENG_ATTR_INTS;
    out->ints = ints;
    out->n = n;
    return ENG_OK;
}

/* The value as an attribute of the type that the operator's table wants; the table checks ranges.
 */
static enum eng_status read_attr(const struct reading *r, const struct eng_field *field,
                                 const json_t *value, struct eng_attr *out)
{
    out->name = field->name;
    switch (field->type) {
    case ENG_FIELD_INT:
    case ENG_FIELD_BOOL:
        if (!json_is_integer(value))
            return eng_json_fail(r->place, field->name, value, "an integer");
        out->type = ENG_ATTR_INT;
        out->i = json_integer_value(value);
        return ENG_OK;
    case ENG_FIELD_FLOAT:
        if (!json_is_number(value)) return eng_json_fail(r->place, field->name, value, "a number");
        out->type = ENG_ATTR_FLOAT;
        out->f = (float)json_number_value(value);
        return ENG_OK;
    case ENG_FIELD_INTS:
        return copy_ints(r, field->name, value, out);
    case ENG_FIELD_CHOICE:
    case ENG_FIELD_STRING:
        out->type = ENG_ATTR_STRING;
        return eng_json_string(r->place, field->name, value, &out->s);
    default:
        return eng_json_fail(r->place, field->name, value, "a key that recipes can hold");
    }
}

static enum eng_status read_key(struct reading *r, const char *key, const json_t *value)
{
    const struct eng_layer_kind *kind = r->layer->kind;
    const struct eng_field *own = eng_fields_find(kind->fields, kind->n_fields, key);
    if (!own && kind->inputs)
        own = eng_fields_find(eng_layer_common_fields, eng_n_layer_common_fields, key);
    if (own) return eng_json_set(r->place, own, value, &r->layer->options);
    const struct eng_field *attr = eng_fields_find(r->op->attrs, r->op->n_attrs, key);
    if (attr) return read_attr(r, attr, value, &r->attrs[r->layer->n_attrs++]);
    const char *nearest = eng_fields_nearest(kind->fields, kind->n_fields, key);
    if (!nearest && kind->inputs)
        nearest = eng_fields_nearest(eng_layer_common_fields, eng_n_layer_common_fields, key);
    if (!nearest) nearest = eng_fields_nearest(r->op->attrs, r->op->n_attrs, key);
    return eng_json_fail_key(r->place, key, nearest);
}

static enum eng_status read_op(struct reading *r, const json_t *value)
{
    char wanted[64];
    const char *name = json_string_value(value);
    r->layer->kind = name ? eng_layer_kind_find(name) : NULL;
    if (!r->layer->kind) {
        snprintf(wanted, sizeof wanted, "an operator's name, such as \"%s\"",
                 eng_layer_kind_nearest(name ? name : ""));
        return eng_json_fail(r->place, "op", value, wanted);
    }
    return eng_op_find("", name, ENG_LAYER_OPSET, &r->op, r->place->err);
}

static enum eng_status read_keys(struct reading *r, const json_t *object)
{
    const struct eng_layer_kind *kind = r->layer->kind;
    eng_fields_defaults(kind->fields, kind->n_fields, &r->layer->options);
    eng_fields_defaults(eng_layer_common_fields, eng_n_layer_common_fields, &r->layer->options);
    r->attrs = eng_arena_alloc(r->place->arena, r->op->n_attrs + 1, sizeof *r->attrs);
    if (!r->attrs) return eng_fail_memory(r->place->err, "a recipe");
    r->layer->attrs = r->attrs;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        if (strcmp(key, "op") == 0 || strcmp(key, "name") == 0) continue;
        if (strcmp(key, "branches") == 0 && !kind->inputs) continue;
        enum eng_status status = read_key(r, key, value);
        if (status != ENG_OK) return status;
    }
    if (eng_fields_find(kind->fields, kind->n_fields, "outputs") && !r->layer->options.outputs)
        return eng_json_fail(r->place, "outputs", NULL, "how many channels or units come out");
    return ENG_OK;
}

enum eng_status eng_recipe_read_layer(const struct eng_json_place *place, const json_t *object,
                                      struct eng_layer *layer)
{
    struct reading r = {.place = place, .layer = layer};
    enum eng_status status = read_op(&r, json_object_get(object, "op"));
    return status == ENG_OK ? read_keys(&r, object) : status;
}

#include "graph/pattern.h"

#include "ops/attrs.h"

bool eng_pattern_number(const struct eng_rewrite *rewrite, int v, int x, double *out)
{
    if (v == ENG_NO_VALUE) return false;
    const struct eng_value *value = &rewrite->graph->values[v];
    if (value->kind != ENG_VALUE_CONSTANT || value->follows != ENG_FOLLOWS_NOT ||
        value->tensor.dtype != ENG_FLOAT32 || eng_shape_count(&value->tensor.shape) != 1 ||
        value->tensor.shape.rank > rewrite->shapes[x].shape.rank)
        return false;
    *out = (double)*(const float *)value->tensor.data;
    return true;
}

bool eng_pattern_integer(const struct eng_rewrite *rewrite, int v, int64_t *out)
{
    if (v == ENG_NO_VALUE) return false;
    const struct eng_value *value = &rewrite->graph->values[v];
    const struct eng_tensor *t = &value->tensor;
    if (value->kind != ENG_VALUE_CONSTANT || value->follows != ENG_FOLLOWS_NOT ||
        (t->dtype != ENG_INT64 && t->dtype != ENG_INT32) || t->shape.rank > 1 ||
        eng_shape_count(&t->shape) != 1)
        return false;
    *out = eng_int_at(t, 0);
    return true;
}

int64_t eng_pattern_int(const struct eng_node *node, const char *name, int64_t normally)
{
    enum { MOST = 16 };
    struct eng_attr attrs[MOST];
    size_t n = node->op->n_attrs <= MOST ? eng_attrs_write(node->op, node->attrs, attrs) : 0;
    for (size_t i = 0; i < n; i++)
        if (strcmp(attrs[i].name, name) == 0) return attrs[i].i;
    return normally;
}

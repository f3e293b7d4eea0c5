#include "graph/pattern.h"

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

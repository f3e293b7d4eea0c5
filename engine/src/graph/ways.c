#include "graph/ways.h"

#include "base/error.h"

#include <string.h>

static struct eng_pin *find_pin(const struct eng_ways *ways, const char *node)
{
    for (size_t i = 0; i < ways->n_pins; i++)
        if (strcmp(ways->pins[i].node, node) == 0) return &ways->pins[i];
    return NULL;
}

enum eng_status eng_ways_choose(struct eng_ways *ways, const char *node,
                                const struct eng_nhwc_conv *conv, size_t n_convolutions,
                                const float *w, struct eng_way *out, struct eng_error *err)
{
    struct eng_nhwc_conv by_shape = *conv;
    by_shape.method = eng_nhwc_conv_choose(conv, n_convolutions);
    struct eng_way way = {by_shape.method, ENG_NHWC_BY_SHAPE};
    struct eng_pin *pin = ways ? find_pin(ways, node) : NULL;
    enum eng_status status = ENG_OK;
    if (pin) {
        if (!eng_nhwc_conv_can(conv, pin->method))
            return eng_fail(err, ENG_UNSUPPORTED,
                            "the way of %s is pinned to %s, which cannot compute it; wanted another"
                            ", %s for instance",
                            node, eng_nhwc_method_name(pin->method),
                            eng_nhwc_method_name(way.method));
        way = (struct eng_way){pin->method, ENG_NHWC_PINNED};
        pin->is_used = true;
    } else if (ways && ways->bf16 && eng_nhwc_conv_prefers_bf16(conv, way.method)) {
        way.method = ENG_NHWC_BF16;
    } else if (ways && ways->measures && eng_nhwc_conv_n_ways(conv, n_convolutions) > 1) {
        way.reason = ENG_NHWC_MEASURED;
        status =
            eng_nhwc_conv_measure(&by_shape, n_convolutions, w, &ways->tuner, &way.method, err);
    }
    if (status == ENG_OK) *out = way;
    return status;
}

enum eng_status eng_ways_check_pins(const struct eng_ways *ways, struct eng_error *err)
{
    for (size_t i = 0; i < ways->n_pins; i++)
        if (!ways->pins[i].is_used)
            return eng_fail(err, ENG_FORMAT,
                            "engine.pin names %s, which is no convolution that runs with channels "
                            "last; classify bench --profile shows the ones that are",
                            ways->pins[i].node);
    return ENG_OK;
}

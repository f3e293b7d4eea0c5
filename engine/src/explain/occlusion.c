/*
 * Occlusion: a patch of the baseline's colour is moved over the picture; a pixel's value is the
 * mean, over the patches that cover it, of how much the class's score falls.
 *
 *     map[p] = mean over patches P that cover p of (score(x) - score(x with P covered))
 *
 * Needs no gradient. Source: Zeiler and Fergus, "Visualizing and Understanding Convolutional
 * Networks" (2014), section 4.2.
 */
#include "base/error.h"
#include "base/mem.h"
#include "explain/map.h"
#include "explain/net.h"
#include "explain/pixels.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_POSITIONS = 65536, PATCHES_PER_SIDE = 7 };

struct occlusion {
    const struct eng_preprocess *pre;
    const struct eng_explain_request *request;
    struct eng_explanation *out;
    struct eng_explain_net net;
    size_t patch, stride; /* pixels */
    size_t n_x, n_y;      /* positions */
    float fill[3];        /* what covers, by channel */
    float *covered;       /* [sample_count] */
    double *falls;        /* [n_pixels] sums over patches */
    uint32_t *n_covering; /* [n_pixels] patches */
};

/* So many steps that the last patch ends at the border. */
static size_t n_positions(size_t side, size_t patch, size_t stride)
{
    return 1 + (side - patch + stride - 1) / stride;
}

static size_t position(const struct occlusion *o, size_t i, size_t side)
{
    size_t at = i * o->stride;
    return at + o->patch <= side ? at : side - o->patch;
}

static enum eng_status choose_patch(struct occlusion *o, struct eng_error *err)
{
    size_t width = o->pre->width_px, height = o->pre->height_px;
    size_t side = width < height ? width : height;
    o->patch = (size_t)o->request->patch;
    if (o->patch == 0) o->patch = side >= PATCHES_PER_SIDE ? side / PATCHES_PER_SIDE : 1;
    if (o->patch > side)
        return eng_fail(err, ENG_ARGUMENT,
                        "patch is %zu, wanted at most %zu: the model's picture is %zu x %zu",
                        o->patch, side, width, height);
    o->stride = (size_t)o->request->stride;
    if (o->stride == 0) o->stride = o->patch > 1 ? o->patch / 2 : 1;
    if (o->stride > o->patch)
        return eng_fail(err, ENG_ARGUMENT,
                        "stride is %zu, wanted at most the patch's %zu: pixels between patches "
                        "would have no value",
                        o->stride, o->patch);
    o->n_x = n_positions(width, o->patch, o->stride);
    o->n_y = n_positions(height, o->patch, o->stride);
    if (o->n_x * o->n_y > MAX_POSITIONS)
        return eng_fail(err, ENG_LIMIT,
                        "a patch of %zu in steps of %zu has %zu positions, wanted at most %d: a "
                        "larger stride",
                        o->patch, o->stride, o->n_x * o->n_y, MAX_POSITIONS);
    return ENG_OK;
}

/* Pixels of patch number i, by row. */
struct rectangle {
    size_t x, y, side;
};

static struct rectangle patch_at(const struct occlusion *o, size_t i)
{
    return (struct rectangle){position(o, i % o->n_x, o->pre->width_px),
                              position(o, i / o->n_x, o->pre->height_px), o->patch};
}

static void put_covered(struct occlusion *o, size_t row, size_t i)
{
    struct rectangle patch = patch_at(o, i);
    memcpy(o->covered, o->request->sample, o->net.model->sample_count * sizeof *o->covered);
    for (size_t y = patch.y; y < patch.y + patch.side; y++)
        for (size_t x = patch.x; x < patch.x + patch.side; x++)
            for (size_t c = 0; c < eng_preprocess_channels(o->pre); c++)
                o->covered[eng_explain_place(o->pre, y * o->pre->width_px + x, c)] = o->fill[c];
    eng_explain_net_put(&o->net, row, o->covered);
}

static void add_fall(struct occlusion *o, size_t i, double fall)
{
    struct rectangle patch = patch_at(o, i);
    for (size_t y = patch.y; y < patch.y + patch.side; y++)
        for (size_t x = patch.x; x < patch.x + patch.side; x++) {
            o->falls[y * o->pre->width_px + x] += fall;
            o->n_covering[y * o->pre->width_px + x]++;
        }
}

/* The picture as it is runs with the first patches, so that all scores are computed alike. */
static enum eng_status run(struct occlusion *o, struct eng_error *err)
{
    size_t n_all = o->n_x * o->n_y + 1;
    struct eng_explain_progress progress = {.request = o->request, .n_all = n_all};
    for (size_t first = 0; first < n_all; first += o->net.batch) {
        enum eng_status status = eng_explain_go_on(&progress, err);
        if (status != ENG_OK) return status;
        size_t n = n_all - first < o->net.batch ? n_all - first : o->net.batch;
        for (size_t row = 0; row < n; row++)
            if (first + row == 0)
                eng_explain_net_put(&o->net, row, o->request->sample);
            else
                put_covered(o, row, first + row - 1);
        eng_explain_net_run(&o->net);
        if (first == 0) o->out->score = eng_explain_net_score(&o->net, 0, o->out->class_index);
        for (size_t row = first == 0; row < n; row++)
            add_fall(o, first + row - 1,
                     o->out->score - eng_explain_net_score(&o->net, row, o->out->class_index));
        progress.n_done += n;
    }
    o->out->n_runs += n_all;
    return ENG_OK;
}

static enum eng_status allocate(struct occlusion *o, struct eng_error *err)
{
    size_t n_pixels = eng_explain_n_pixels(o->pre);
    o->covered = eng_calloc(o->net.model->sample_count, sizeof *o->covered);
    o->falls = eng_calloc(n_pixels, sizeof *o->falls);
    o->n_covering = eng_calloc(n_pixels, sizeof *o->n_covering);
    bool ok = o->covered && o->falls && o->n_covering;
    return ok ? ENG_OK : eng_fail_memory(err, "an occlusion map");
}

enum eng_status eng_explain_occlusion(const struct eng_model *model,
                                      const struct eng_explain_request *request,
                                      struct eng_explanation *out, struct eng_error *err)
{
    struct occlusion o = {
        .pre = &eng_model_card(model)->preprocess, .request = request, .out = out};
    enum eng_status status = choose_patch(&o, err);
    if (status != ENG_OK) return status;
    status = eng_explain_net_create(model, o.n_x * o.n_y + 1, request->pool, &o.net, err);
    if (status == ENG_OK) status = allocate(&o, err);
    eng_explain_baseline_values(o.pre, request->baseline, request->sample, o.fill);
    if (status == ENG_OK) status = run(&o, err);
    for (size_t p = 0; status == ENG_OK && p < eng_explain_n_pixels(o.pre); p++)
        out->map[p] = (float)(o.falls[p] / o.n_covering[p]);
    out->is_signed = true;
    eng_explain_net_fini(&o.net);
    free(o.covered);
    free(o.falls);
    free(o.n_covering);
    return status;
}

#include "regions.h"

#include "base/error.h"
#include "classifier.h"
#include "engine/session.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>

enum { SIDE_PX = 480 };

static const struct tool_color white = {255, 255, 255}, dark = {40, 40, 40};

/* The part of the plane that is drawn, from its lower left corner. */
struct plane {
    double left, bottom, side;
    int x, y, side_px; /* on the canvas */
};

bool tool_regions_apply(const struct tool_trained *trained)
{
    const struct eng_data *data = &trained->data;
    return data->train.kind == ENG_DATASET_VECTORS && data->train.n_features == 2 &&
           data->n_classes > 0;
}

/* A square about all points, with a margin of a tenth. */
static struct plane fit_plane(const struct eng_dataset *set, int x, int y, int side_px)
{
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    for (size_t i = 0; i < set->n; i++)
        for (size_t k = 0; k < 2; k++) {
            double value = (double)eng_dataset_features(set, i)[k];
            low[k] = fmin(low[k], value);
            high[k] = fmax(high[k], value);
        }
    double span = fmax(high[0] - low[0], high[1] - low[1]);
    double side = span > 0 ? 1.2 * span : 1;
    return (struct plane){
        (low[0] + high[0] - side) / 2, (low[1] + high[1] - side) / 2, side, x, y, side_px};
}

/* The sure have the class's colour at half strength: the dots must stand out. */
static struct tool_color answer_color(const float *probabilities, size_t n_classes)
{
    size_t best;
    tool_top_classes(probabilities, n_classes, &best, 1);
    double even = 1 / (double)n_classes;
    double sure = ((double)probabilities[best] - even) / (1 - even);
    return tool_color_mix(white, tool_class_color(best), 0.12 + 0.38 * sure);
}

static void draw_answers(const struct plane *p, struct eng_session *session, int max_batch,
                         size_t n_classes, struct eng_image *canvas)
{
    for (int row = 0; row < p->side_px; row++)
        for (int first = 0; first < p->side_px; first += max_batch) {
            int n = p->side_px - first < max_batch ? p->side_px - first : max_batch;
            for (int i = 0; i < n; i++) {
                float *sample = eng_session_sample(session, n, i);
                sample[0] = (float)(p->left + p->side * (first + i + 0.5) / p->side_px);
                sample[1] = (float)(p->bottom + p->side * (p->side_px - row - 0.5) / p->side_px);
            }
            const float *answers = eng_session_classify(session, n);
            for (int i = 0; i < n; i++)
                tool_canvas_set(canvas, p->x + first + i, p->y + row,
                                answer_color(answers + (size_t)i * n_classes, n_classes));
        }
}

static void draw_points(const struct plane *p, const struct eng_dataset *set,
                        struct eng_image *canvas)
{
    double radius_px = p->side_px / 130.0 + 0.6;
    for (size_t i = 0; i < set->n; i++) {
        const float *point = eng_dataset_features(set, i);
        double x = p->x + ((double)point[0] - p->left) / p->side * p->side_px - 0.5;
        double y = p->y + p->side_px - ((double)point[1] - p->bottom) / p->side * p->side_px - 0.5;
        tool_canvas_dot(canvas, x, y, radius_px + 1, dark);
        tool_canvas_dot(canvas, x, y, radius_px, tool_class_color(set->labels[i]));
    }
}

enum eng_status tool_regions_draw(const struct tool_trained *trained, struct eng_image *canvas,
                                  int x, int y, int side_px, struct eng_error *err)
{
    struct eng_session *session = NULL;
    const struct eng_dataset *set = &trained->data.train;
    struct plane plane = fit_plane(set, x, y, side_px);
    enum eng_status status = eng_session_create(trained->model, NULL, &session, err);
    if (status != ENG_OK) return status;
    draw_answers(&plane, session, eng_model_max_batch(trained->model), trained->data.n_classes,
                 canvas);
    draw_points(&plane, set, canvas);
    eng_session_destroy(session);
    return ENG_OK;
}

enum eng_status tool_regions_write(const char *dir, const struct tool_trained *trained,
                                   struct eng_error *err)
{
    char path[PATH_MAX];
    struct eng_image canvas = {0};
    int n = snprintf(path, sizeof path, "%s/regions.png", dir);
    if (n < 0 || n >= (int)sizeof path)
        return eng_fail(err, ENG_ARGUMENT, "%.300s: the name is too long", dir);
    enum eng_status status = tool_canvas_create(SIDE_PX, SIDE_PX, white, &canvas, err);
    if (status == ENG_OK) status = tool_regions_draw(trained, &canvas, 0, 0, SIDE_PX, err);
    if (status == ENG_OK) status = eng_image_write_png(path, &canvas, err);
    eng_image_fini(&canvas);
    return status;
}

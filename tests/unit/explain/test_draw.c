/* Drawings: colors, sizes, where a map lies on an original, what is refused. */
#include "explain/colors.h"
#include "made_model.h"

static double lightness(struct eng_explain_color color)
{
    double sum = 0;
    static const double share[3] = {0.2126, 0.7152, 0.0722};
    for (int c = 0; c < 3; c++)
        sum += share[c] * pow(color.rgb[c] / 255.0, 2.2);
    return cbrt(sum);
}

/* Lightness rises from end to end, so that the order is seen without color. */
static void rising_colors_rise(void **state)
{
    (void)state;
    double last = -1;
    for (int i = 0; i <= 32; i++) {
        double now = lightness(eng_explain_rising_color(i / 32.0));
        assert_true(now > last);
        last = now;
    }
    struct eng_explain_color low = eng_explain_rising_color(0), high = eng_explain_rising_color(1);
    assert_true(low.rgb[2] > 2 * low.rgb[0] && low.rgb[2] > 2 * low.rgb[1]);  /* blue */
    assert_true(high.rgb[0] > 200 && high.rgb[1] > 200 && high.rgb[2] < 160); /* yellow */
    struct eng_explain_color pro = eng_explain_sign_color(1), contra = eng_explain_sign_color(-1);
    assert_true(pro.rgb[0] > 2 * pro.rgb[2] && contra.rgb[2] > 2 * contra.rgb[0]);
    assert_true(fabs(lightness(pro) - lightness(contra)) < 0.12);
}

/* A map [12, 10] that is 1 in a pixel, -1 in another. */
static struct eng_explanation two_spots(float *map, bool is_signed)
{
    memset(map, 0, 120 * sizeof *map);
    map[2 * 10 + 3] = 1;
    map[9 * 10 + 7] = is_signed ? -1 : 1;
    return (struct eng_explanation){.method = ENG_EXPLAIN_OCCLUSION,
                                    .width_px = 10,
                                    .height_px = 12,
                                    .map = map,
                                    .is_signed = is_signed};
}

static struct eng_image draw(const struct eng_explanation *explanation,
                             const struct eng_model *model, const struct eng_explain_view *view)
{
    struct eng_image out;
    struct eng_error err = {0};
    if (eng_explanation_draw(explanation, model, view, &out, &err) != ENG_OK)
        fail_msg("%s", err.text);
    return out;
}

static const uint8_t *pixel(const struct eng_image *image, uint32_t x, uint32_t y)
{
    return image->pixels + ((size_t)y * image->width_px + x) * 3;
}

static void maps_lie_on_the_models_picture(void **state)
{
    (void)state;
    struct eng_model *model = made_linear(3, 2);
    float map[120];
    uint8_t pixels[120];
    memset(pixels, 200, sizeof pixels);
    struct eng_image seen = {10, 12, 1, pixels};
    struct eng_explanation explanation = two_spots(map, true);
    struct eng_explain_view view = {.picture = &seen, .scale = 3};
    struct eng_image out = draw(&explanation, model, &view);
    assert_int_equal(out.width_px, 30);
    assert_int_equal(out.height_px, 36);
    const uint8_t *pro = pixel(&out, 3 * 3 + 1, 2 * 3 + 1), *none = pixel(&out, 1, 1);
    const uint8_t *contra = pixel(&out, 7 * 3 + 1, 9 * 3 + 1);
    assert_true(pro[0] > 2 * pro[2] && contra[2] > 2 * contra[0]);
    assert_true(none[0] == 150 && none[1] == 150 && none[2] == 150); /* the picture, darker */
    eng_image_fini(&out);
    view = (struct eng_explain_view){0}; /* no picture: on black, and large enough to be seen */
    explanation = two_spots(map, false);
    out = draw(&explanation, model, &view);
    assert_int_equal(out.width_px, 230);
    assert_int_equal(out.height_px, 276);
    assert_true(pixel(&out, 3 * 23 + 11, 2 * 23 + 11)[0] > 180); /* yellow */
    assert_true(pixel(&out, 7 * 23 + 11, 9 * 23 + 11)[0] > 180);
    assert_true(pixel(&out, 0, 0)[0] + pixel(&out, 0, 0)[1] + pixel(&out, 0, 0)[2] == 0);
    eng_image_fini(&out);
    eng_model_destroy(model);
}

/* The model looks at the middle 10 x 12 of an original whose shorter side becomes 12. */
static void maps_lie_where_the_model_looked(void **state)
{
    (void)state;
    struct net net;
    uint8_t *bytes, *pixels = calloc(60 * 24, 3);
    size_t n_bytes;
    struct eng_model *model;
    struct eng_error err = {0};
    assert_non_null(pixels);
    memset(pixels, 100, 60 * 24 * 3);
    net_init(&net, 5);
    int x = net_input(&net, "x", NET_SHAPE(-1, 3, 12, 10));
    int flat = net_node(&net, "Flatten", "flat", &x, 1, NULL, 0);
    int w = net_weight(&net, "w", NET_SHAPE(360, 2), -1, 1);
    net_output(&net, net_node(&net, "Gemm", "scores", (int[]){flat, w}, 2, NULL, 0));
    struct onnx_property preprocess = {
        .key = "classifyd.preprocess",
        .value = "{\"color\": \"rgb\", \"width\": 10, \"height\": 12, \"resize\": \"center_crop\", "
                 "\"shorter_side\": 12}"};
    net_to_bytes(&net, &preprocess, 1, &bytes, &n_bytes);
    if (eng_model_open_bytes(bytes, n_bytes, NULL, &model, &err) != ENG_OK)
        fail_msg("%s", err.text);
    float map[120];
    struct eng_explanation explanation = two_spots(map, true);
    struct eng_image original = {60, 24, 3, pixels}; /* becomes 30 x 12, cut 10 from the left */
    struct eng_explain_view view = {.picture = &original, .is_original = true, .scale = 1};
    struct eng_image out = draw(&explanation, model, &view);
    assert_int_equal(out.width_px, 60);
    const uint8_t *margin = pixel(&out, 19, 5), *inside = pixel(&out, 20, 0);
    assert_int_equal(margin[0], 30);
    assert_int_equal(inside[0], 75);
    assert_int_equal(pixel(&out, 40, 5)[0], 30);
    const uint8_t *pro = pixel(&out, 2 * (10 + 3), 2 * 2 + 1);
    const uint8_t *contra = pixel(&out, 2 * (10 + 7), 2 * 9 + 1);
    assert_true(pro[0] > pro[2] + 50 && contra[2] > contra[0] + 50);
    eng_image_fini(&out);
    eng_model_destroy(model);
    net_fini(&net);
    free(bytes);
    free(pixels);
}

static void check_refusal(const struct eng_explanation *explanation, const struct eng_model *model,
                          const struct eng_explain_view *view, enum eng_status status,
                          const char *wanted)
{
    struct eng_image out = {.width_px = 77};
    struct eng_error err = {0};
    assert_int_equal(eng_explanation_draw(explanation, model, view, &out, &err), status);
    if (!strstr(err.text, wanted)) fail_msg("%s", err.text);
    assert_int_equal(out.width_px, 77);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    struct eng_model *model = made_linear(1, 2);
    float map[120];
    uint8_t pixels[120 * 4] = {0};
    struct eng_explanation explanation = two_spots(map, true), other = explanation;
    struct eng_explanation neighbours = {.method = ENG_EXPLAIN_NEIGHBOURS};
    struct eng_image good = {10, 12, 1, pixels}, turned = {12, 10, 1, pixels},
                     deep = {10, 12, 5, pixels}, empty = {0, 12, 1, pixels},
                     wide = {65500, 1, 1, pixels};
    other.width_px = 9;
    check_refusal(&explanation, model, &(struct eng_explain_view){.picture = &turned}, ENG_ARGUMENT,
                  "the picture has 12 x 10 pixels, wanted the model's 10 x 12");
    check_refusal(&explanation, model, &(struct eng_explain_view){.picture = &deep}, ENG_ARGUMENT,
                  "of 5 channels");
    check_refusal(&explanation, model, &(struct eng_explain_view){.picture = &empty}, ENG_ARGUMENT,
                  "0 x 12");
    check_refusal(&explanation, model, &(struct eng_explain_view){.scale = 65}, ENG_ARGUMENT,
                  "the scale is 65");
    check_refusal(&explanation, model,
                  &(struct eng_explain_view){.picture = &wide, .is_original = true, .scale = 2},
                  ENG_LIMIT, "131000 x 2 pixels");
    check_refusal(&other, model, &(struct eng_explain_view){0}, ENG_ARGUMENT,
                  "the map has 9 x 12 pixels");
    check_refusal(&neighbours, model, &(struct eng_explain_view){0}, ENG_ARGUMENT,
                  "beside the picture that the model saw");
    struct eng_explain_view view = {.picture = &good};
    struct eng_image out = draw(&explanation, model, &view);
    eng_image_fini(&out);
    eng_model_destroy(model);
}

/* The picture asked about in a grey frame, then a neighbour of class 1 and one of class 0. */
static void neighbours_stand_in_rows(void **state)
{
    (void)state;
    struct eng_model *model = made_linear(1, 2);
    uint8_t pixels[3][120];
    struct eng_explain_neighbour list[2] = {{.class_index = 1}, {.class_index = 0}};
    for (int i = 0; i < 3; i++)
        memset(pixels[i], 50 * (i + 1), sizeof pixels[i]);
    for (int i = 0; i < 2; i++)
        list[i].picture = (struct eng_image){10, 12, 1, pixels[i + 1]};
    struct eng_image seen = {10, 12, 1, pixels[0]};
    struct eng_explanation explanation = {
        .method = ENG_EXPLAIN_NEIGHBOURS, .class_index = 1, .n_neighbours = 2, .neighbours = list};
    struct eng_explain_view view = {.picture = &seen, .scale = 2};
    struct eng_image out = draw(&explanation, model, &view);
    assert_int_equal(out.width_px, 6 + 2 * (20 + 8 + 6));
    assert_int_equal(out.height_px, 6 + 2 * (24 + 8 + 6));
    assert_int_equal(pixel(&out, 20, 20)[0], 50);
    assert_int_equal(pixel(&out, 34 + 20, 20)[0], 100);
    assert_int_equal(pixel(&out, 20, 38 + 20)[0], 150);
    assert_int_equal(pixel(&out, 34 + 20, 38 + 20)[0], 255); /* nobody */
    struct eng_explain_color one = eng_explain_class_color(1), none = eng_explain_class_color(0);
    assert_memory_equal(pixel(&out, 34 + 7, 7), one.rgb, 3);
    assert_memory_equal(pixel(&out, 7, 38 + 7), none.rgb, 3);
    assert_int_equal(pixel(&out, 7, 7)[0], 64);
    eng_image_fini(&out);
    eng_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rising_colors_rise),
        cmocka_unit_test(maps_lie_on_the_models_picture),
        cmocka_unit_test(maps_lie_where_the_model_looked),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(neighbours_stand_in_rows),
    };
    return cmocka_run_group_tests_name("drawings of explanations", tests, NULL, NULL);
}

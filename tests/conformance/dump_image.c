/*
 * Shows a script what the engine makes of a picture. Each line on stdin is a request:
 *     decode PATH
 *     prepare gray|rgb|bgr stretch|crop|letterbox FILTER RRGGBB WIDTH HEIGHT SHORTER PATH
 * FILTER is bilinear, bicubic or nearest, with "-aliased" behind it if wanted, RRGGBB the
 * background. The answer is a line "ok WIDTH HEIGHT CHANNELS", then the pixels as bytes (for
 * prepare the sample 0..255 in HWC, its floats rounded); or a line "error STATUS sentence".
 */
#include "engine/image.h"
#include "engine/preprocess.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void answer_error(const struct eng_error *err)
{
    printf("error %s %s\n", eng_status_name(err->status), err->text);
}

static void answer_pixels(uint32_t width, uint32_t height, uint32_t channels, const uint8_t *pixels)
{
    printf("ok %u %u %u\n", width, height, channels);
    fwrite(pixels, channels, (size_t)width * height, stdout);
}

static void decode(const char *path)
{
    struct eng_error err = {0};
    struct eng_image_limits limits = eng_image_limits_default();
    struct eng_image image;
    if (eng_image_load(path, &limits, &image, &err) != ENG_OK) {
        answer_error(&err);
        return;
    }
    answer_pixels(image.width_px, image.height_px, image.n_channels, image.pixels);
    eng_image_fini(&image);
}

static void answer_sample(const struct eng_preprocess *pre, const float *sample)
{
    size_t n = eng_preprocess_count(pre);
    uint8_t *bytes = malloc(n);
    if (!bytes) exit(1);
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)lrintf(sample[i]);
    answer_pixels(pre->width_px, pre->height_px, eng_preprocess_channels(pre), bytes);
    free(bytes);
}

/* What show=input answers is what the sample was made of. */
static void check_picture(const struct eng_preprocess *pre, const struct eng_image *image,
                          const float *sample)
{
    struct eng_image picture;
    size_t n = eng_preprocess_count(pre);
    float *again = calloc(n, sizeof *again);
    if (!again || eng_preprocess_picture(pre, image, &picture, NULL) != ENG_OK) exit(1);
    eng_preprocess_bytes(pre, picture.pixels, again);
    if (memcmp(sample, again, n * sizeof *again) != 0) {
        fprintf(stderr, "eng_preprocess_picture is not what eng_preprocess_image normalises\n");
        exit(1);
    }
    eng_image_fini(&picture);
    free(again);
}

static void prepare(const struct eng_preprocess *pre, const char *path)
{
    struct eng_error err = {0};
    struct eng_image_limits limits = eng_image_limits_default();
    struct eng_image image = {0};
    float *sample = calloc(eng_preprocess_count(pre), sizeof *sample);
    if (!sample) exit(1);
    enum eng_status status = eng_image_load(path, &limits, &image, &err);
    if (status == ENG_OK) status = eng_preprocess_image(pre, &image, sample, &err);
    if (status == ENG_OK) {
        check_picture(pre, &image, sample);
        answer_sample(pre, sample);
    } else {
        answer_error(&err);
    }
    eng_image_fini(&image);
    free(sample);
}

static unsigned find(const char *const *names, const char *name)
{
    for (unsigned i = 0; names[i]; i++)
        if (strcmp(names[i], name) == 0) return i;
    fprintf(stderr, "not a known word: %s\n", name);
    exit(1);
}

/* Returns the path, NULL if the line is no request to prepare. */
static const char *parse(char *line, struct eng_preprocess *pre)
{
    static const char *const colors[] = {"gray", "rgb", "bgr", NULL};
    static const char *const resizes[] = {"stretch", "crop", "letterbox", NULL};
    static const char *const filters[] = {"bilinear", "bicubic", "nearest", NULL};
    char color[8], resize[16], filter[32];
    unsigned background;
    int at = 0;
    if (sscanf(line, "prepare %7s %15s %31s %6x %u %u %u %n", color, resize, filter, &background,
               &pre->width_px, &pre->height_px, &pre->shorter_side_px, &at) != 7 ||
        at == 0)
        return NULL;
    char *aliased = strstr(filter, "-aliased");
    if (aliased) *aliased = '\0';
    pre->aliased = aliased != NULL;
    pre->color = (enum eng_color)find(colors, color);
    pre->resize = (enum eng_resize)find(resizes, resize);
    pre->filter = (enum eng_filter)find(filters, filter);
    for (int c = 0; c < 3; c++)
        pre->background[c] = (uint8_t)(background >> (16 - 8 * c));
    return line + at;
}

int main(void)
{
    char line[4096];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        struct eng_preprocess pre = {.layout = ENG_LAYOUT_HWC, .scale = 1, .std = {1, 1, 1}};
        const char *path = parse(line, &pre);
        if (path) {
            prepare(&pre, path);
        } else if (strncmp(line, "decode ", 7) == 0) {
            decode(line + 7);
        } else {
            fprintf(stderr, "not a request: %s\n", line);
            return 1;
        }
        fflush(stdout);
    }
    return 0;
}

/*
 * Shows a script what the engine makes of a picture. Each line on stdin is a request:
 *     decode PATH
 *     prepare gray|rgb|bgr stretch|crop WIDTH HEIGHT SHORTER PATH
 * The answer is a line "ok WIDTH HEIGHT CHANNELS", then the pixels as bytes (for prepare the sample
 * 0..255 in HWC, its floats rounded); or a line "error STATUS sentence".
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

static void prepare(const struct eng_preprocess *pre, const char *path)
{
    struct eng_error err = {0};
    struct eng_image_limits limits = eng_image_limits_default();
    struct eng_image image = {0};
    float *sample = calloc(eng_preprocess_count(pre), sizeof *sample);
    if (!sample) exit(1);
    enum eng_status status = eng_image_load(path, &limits, &image, &err);
    if (status == ENG_OK) status = eng_preprocess_image(pre, &image, sample, &err);
    if (status == ENG_OK)
        answer_sample(pre, sample);
    else
        answer_error(&err);
    eng_image_fini(&image);
    free(sample);
}

static enum eng_color color_of(const char *name)
{
    if (strcmp(name, "gray") == 0) return ENG_COLOR_GRAY;
    return strcmp(name, "rgb") == 0 ? ENG_COLOR_RGB : ENG_COLOR_BGR;
}

int main(void)
{
    char line[4096];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        char color[8], resize[8];
        int at = 0;
        struct eng_preprocess pre = {.layout = ENG_LAYOUT_HWC, .scale = 1, .std = {1, 1, 1}};
        if (strncmp(line, "decode ", 7) == 0) {
            decode(line + 7);
        } else if (sscanf(line, "prepare %7s %7s %u %u %u %n", color, resize, &pre.width_px,
                          &pre.height_px, &pre.shorter_side_px, &at) == 5 &&
                   at > 0) {
            pre.color = color_of(color);
            pre.resize = strcmp(resize, "crop") == 0 ? ENG_RESIZE_CENTER_CROP : ENG_RESIZE_STRETCH;
            prepare(&pre, line + at);
        } else {
            fprintf(stderr, "not a request: %s\n", line);
            return 1;
        }
        fflush(stdout);
    }
    return 0;
}

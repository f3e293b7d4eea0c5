/*
 * What a picture costs: bench_image FILE... prints, per file and operation, the best nanoseconds of
 * many rounds, tab-separated. image.py runs it beside Pillow.
 *     decode      eng_image_decode
 *     simplified  libpng's png_image_* functions, to the format that the file has (PNG only)
 *     prepare     eng_preprocess_image of the decoded picture to 224 x 224 RGB
 */
#include "base/file.h"
#include "engine/image.h"
#include "engine/preprocess.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct subject {
    struct eng_file file;
    struct eng_image image;
    float *sample;
};

static const struct eng_preprocess preparation = {
    .color = ENG_COLOR_RGB, .width_px = 224, .height_px = 224, .scale = 1, .std = {1, 1, 1}};

static void check(int ok, const char *what)
{
    if (ok) return;
    fprintf(stderr, "bench_image: %s failed\n", what);
    exit(1);
}

static void run_decode(struct subject *s)
{
    struct eng_image_limits limits = eng_image_limits_default();
    struct eng_image image;
    check(eng_image_decode(s->file.bytes, s->file.n_bytes, &limits, &image, NULL) == ENG_OK,
          "decode");
    eng_image_fini(&image);
}

static void run_simplified(struct subject *s)
{
    png_image image;
    memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    check(png_image_begin_read_from_memory(&image, s->file.bytes, s->file.n_bytes), "simplified");
    image.format &= ~(png_uint_32)(PNG_FORMAT_FLAG_LINEAR | PNG_FORMAT_FLAG_COLORMAP);
    void *pixels = malloc(PNG_IMAGE_SIZE(image));
    check(pixels != NULL && png_image_finish_read(&image, NULL, pixels, 0, NULL), "simplified");
    free(pixels);
}

static void run_prepare(struct subject *s)
{
    check(eng_preprocess_image(&preparation, &s->image, s->sample, NULL) == ENG_OK, "prepare");
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static const struct operation {
    const char *name;
    void (*run)(struct subject *);
    int png_only;
} operations[] = {
    {"decode", run_decode, 0}, {"simplified", run_simplified, 1}, {"prepare", run_prepare, 0}};

enum { N_OPERATIONS = sizeof operations / sizeof operations[0] };

/* One round is long enough for the clock. */
static double round_ns(const struct operation *operation, struct subject *s)
{
    double begin = seconds();
    int n = 0;
    do {
        operation->run(s);
        n++;
    } while (seconds() - begin < 5e-4);
    return 1e9 * (seconds() - begin) / n;
}

/* Rounds of all operations in turn, so that a busy machine is busy for each of them. */
static void measure(const char *path, struct subject *s)
{
    int is_png = strcmp(eng_image_type(s->file.bytes, s->file.n_bytes), "png") == 0;
    double best[N_OPERATIONS] = {0};
    for (double begin = seconds(); seconds() - begin < 1.5;) {
        for (int i = 0; i < N_OPERATIONS; i++) {
            if (operations[i].png_only && !is_png) continue;
            double ns = round_ns(&operations[i], s);
            if (best[i] == 0 || ns < best[i]) best[i] = ns;
        }
    }
    for (int i = 0; i < N_OPERATIONS; i++)
        if (best[i] > 0) printf("%s\t%s\t%.0f\n", path, operations[i].name, best[i]);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct subject s = {.sample = calloc(eng_preprocess_count(&preparation), sizeof(float))};
        struct eng_image_limits limits = eng_image_limits_default();
        check(s.sample != NULL, "calloc");
        check(eng_file_read(argv[i], limits.n_bytes, &s.file, NULL) == ENG_OK, argv[i]);
        check(eng_image_load(argv[i], &limits, &s.image, NULL) == ENG_OK, argv[i]);
        measure(argv[i], &s);
        eng_image_fini(&s.image);
        eng_file_fini(&s.file);
        free(s.sample);
    }
    return 0;
}

/* The pictures in tests/images. Every call asserts success. */
#ifndef TEST_IMAGE_SHIPPED_H
#define TEST_IMAGE_SHIPPED_H

#include "base/file.h"
#include "engine/image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* End with eng_file_fini. */
static inline struct eng_file shipped(const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/tests/images/%s", getenv("CLASSIFYD_SOURCE"), name);
    struct eng_file file;
    struct eng_error err = {0};
    if (eng_file_read(path, 1 << 20, &file, &err) != ENG_OK) fail_msg("%s", err.text);
    return file;
}

/* End with eng_image_fini. */
static inline struct eng_image shipped_picture(const char *name)
{
    struct eng_file file = shipped(name);
    struct eng_image_limits limits = eng_image_limits_default();
    struct eng_image image;
    struct eng_error err = {0};
    if (eng_image_decode(file.bytes, file.n_bytes, &limits, &image, &err) != ENG_OK)
        fail_msg("%s: %s", name, err.text);
    eng_file_fini(&file);
    return image;
}

#endif

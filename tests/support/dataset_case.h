/* Data-set folders made by tests, and what loading them says. */
#ifndef TESTS_DATASET_CASE_H
#define TESTS_DATASET_CASE_H

#include "temp_folder.h"

#include "base/file.h"
#include "train/dataset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Purpose: a file with these bytes in the folder; the folders of its name are made. */
static inline void dataset_case_write(struct temp_folder *folder, const char *name,
                                      const void *bytes, size_t n_bytes)
{
    char dir[512];
    snprintf(dir, sizeof dir, "%s", temp_folder_file(folder, name));
    *strrchr(dir, '/') = '\0';
    assert_int_equal(eng_file_make_dirs(dir, NULL), ENG_OK);
    assert_int_equal(eng_file_write(temp_folder_file(folder, name), bytes, n_bytes, NULL), ENG_OK);
}

static inline void dataset_case_write_text(struct temp_folder *folder, const char *name,
                                           const char *text)
{
    dataset_case_write(folder, name, text, strlen(text));
}

/* Purpose: one split of the folder; options may be NULL. End with eng_dataset_fini. */
static inline struct eng_dataset dataset_case_load(const struct temp_folder *folder,
                                                   const struct eng_dataset_options *options,
                                                   enum eng_split split)
{
    struct eng_dataset set = {0};
    struct eng_error err = {0};
    const struct eng_dataset_source source = {
        .dir = folder->path, .options = options, .split = split};
    if (eng_dataset_load(&source, &set, &err) != ENG_OK) fail_msg("%s", err.text);
    return set;
}

/* Purpose: loading must fail with this status and a sentence that has both parts in it. */
static inline void dataset_case_refused(const struct temp_folder *folder,
                                        const struct eng_dataset_options *options,
                                        enum eng_split split, enum eng_status wanted,
                                        const char *part, const char *other_part)
{
    struct eng_dataset set = {0};
    struct eng_error err = {0};
    const struct eng_dataset_source source = {
        .dir = folder->path, .options = options, .split = split};
    enum eng_status status = eng_dataset_load(&source, &set, &err);
    if (status != wanted || !strstr(err.text, part) || !strstr(err.text, other_part))
        fail_msg("%s: \"%s\" lacks \"%s\" or \"%s\"", eng_status_name(status), err.text, part,
                 other_part);
    assert_int_equal(err.status, wanted);
    assert_int_equal(set.n, 0);
    assert_null(set.labels);
}

#endif

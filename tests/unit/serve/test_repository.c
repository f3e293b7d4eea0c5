/* The models folder as a list. */
#include "serve/repository.h"

#include "base/file.h"
#include "temp_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <unistd.h>

static void make_dir(struct temp_folder *folder, const char *name)
{
    assert_int_equal(eng_file_make_dirs(temp_folder_file(folder, name), NULL), ENG_OK);
}

static void scan(const struct temp_folder *folder, struct srv_repository *out)
{
    struct eng_error err = {0};
    if (srv_repository_scan(folder->path, NULL, out, &err) != ENG_OK) fail_msg("%s", err.text);
}

static void sorts_by_name_and_number(void **state)
{
    (void)state;
    struct temp_folder folder = temp_folder_make();
    const char *made[] = {"mnist/10", "mnist/9", "mnist/2", "a.b-c_D/1",
                          "fashion/123456789012345678"};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        make_dir(&folder, made[i]);
    struct srv_repository found;
    scan(&folder, &found);
    const char *wanted[] = {"a.b-c_D/1", "fashion/123456789012345678", "mnist/2", "mnist/9",
                            "mnist/10"};
    assert_int_equal(found.n_folders, sizeof wanted / sizeof *wanted);
    for (size_t i = 0; i < found.n_folders; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s/%s", found.folders[i].model, found.folders[i].version);
        assert_string_equal(name, wanted[i]);
    }
    assert_true(found.folders[1].number == UINT64_C(123456789012345678));
    srv_repository_fini(&found);
    temp_folder_remove(&folder);
}

static void passes_over_what_is_no_version(void **state)
{
    (void)state;
    struct temp_folder folder = temp_folder_make();
    const char *made[] = {"recipes/old", "m/0",       "m/01",     "m/-1",  "m/1a",
                          "m/v1",        "m/.hidden", "..data/1", "a b/1", "m/1234567890123456789",
                          "empty",       "m/+1"};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        make_dir(&folder, made[i]);
    char long_name[80];
    memset(long_name, 'x', 64);
    snprintf(long_name + 64, sizeof long_name - 64, "/1");
    make_dir(&folder, long_name);
    assert_int_equal(eng_file_write(temp_folder_file(&folder, "m/7"), "a file", 6, NULL), ENG_OK);
    assert_int_equal(eng_file_write(temp_folder_file(&folder, "7"), "a file", 6, NULL), ENG_OK);
    struct srv_repository found;
    scan(&folder, &found);
    assert_int_equal(found.n_folders, 0);
    srv_repository_fini(&found);
    temp_folder_remove(&folder);
}

static void follows_links_to_folders(void **state)
{
    (void)state;
    struct temp_folder folder = temp_folder_make(), elsewhere = temp_folder_make();
    make_dir(&elsewhere, "1");
    assert_int_equal(symlink(elsewhere.path, temp_folder_file(&folder, "mnist")), 0);
    assert_int_equal(symlink("/nowhere", temp_folder_file(&folder, "dangling")), 0);
    struct srv_repository found;
    scan(&folder, &found);
    assert_int_equal(found.n_folders, 1);
    assert_string_equal(found.folders[0].model, "mnist");
    srv_repository_fini(&found);
    temp_folder_remove(&folder);
    temp_folder_remove(&elsewhere);
}

static void says_what_cannot_be_read(void **state)
{
    (void)state;
    struct srv_repository found;
    struct eng_error err = {0};
    assert_int_equal(srv_repository_scan("/nowhere/models", NULL, &found, &err), ENG_NOT_FOUND);
    assert_string_equal(err.text, "/nowhere/models: cannot be read as a folder: No such file or "
                                  "directory");
    struct temp_folder folder = temp_folder_make();
    temp_folder_file(&folder, "file");
    assert_int_equal(eng_file_write(folder.file, "x", 1, NULL), ENG_OK);
    assert_int_equal(srv_repository_scan(folder.file, NULL, &found, NULL), ENG_NOT_FOUND);
    temp_folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorts_by_name_and_number),
        cmocka_unit_test(passes_over_what_is_no_version),
        cmocka_unit_test(follows_links_to_folders),
        cmocka_unit_test(says_what_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

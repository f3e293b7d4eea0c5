/* Every allocation of reading and writing .npy files fails once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "failing_malloc.h"
#include "npy.h"
#include "temp_folder.h"

#include <stdlib.h>

static enum eng_status save(void *path, struct eng_error *err)
{
    float elements[6] = {1, 2, 3, 4, 5, 6};
    const struct eng_tensor tensor = {ENG_FLOAT32, {.rank = 2, .dim = {2, 3}}, elements};
    return tool_npy_save(path, &tensor, err);
}

static enum eng_status load(void *path, struct eng_error *err)
{
    struct eng_tensor tensor;
    enum eng_status status = tool_npy_load(path, &tensor, err);
    if (status == ENG_OK) free(tensor.data);
    return status;
}

static void files(void **state)
{
    (void)state;
    struct temp_folder folder = temp_folder_make();
    char path[512];
    snprintf(path, sizeof path, "%s", temp_folder_file(&folder, "a.npy"));
    assert_true(failing_malloc_sweep(save, path) > 0);
    assert_true(failing_malloc_sweep(load, path) > 0);
    temp_folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(files)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

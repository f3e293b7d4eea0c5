/* Every allocation of the base floor fails once: the caller hears of it and nothing leaks. */
#include "base/arena.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "engine/pool.h"
#include "failing_malloc.h"
#include "temp_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

#include <cmocka.h>

static enum eng_status fill_arena(void *ctx, struct eng_error *err)
{
    (void)ctx;
    struct eng_arena arena;
    eng_arena_init(&arena);
    bool ok = true;
    for (size_t i = 0; ok && i < 2000; i++) {
        char *name = eng_arena_string(&arena, "a name", 6);
        ok = name && eng_arena_alloc(&arena, i, 16) && eng_arena_copy(&arena, name, 7);
    }
    eng_arena_fini(&arena);
    return ok ? ENG_OK : eng_fail_memory(err, "the arena");
}

static enum eng_status grow_array(void *ctx, struct eng_error *err)
{
    (void)ctx;
    int *numbers = NULL;
    size_t capacity = 0, n = 0;
    while (n < 1000 && eng_grow(&numbers, &capacity, n + 1, sizeof *numbers))
        numbers[n++] = 1;
    free(numbers);
    return n == 1000 ? ENG_OK : eng_fail_memory(err, "the array");
}

static enum eng_status read_plain(void *ctx, struct eng_error *err)
{
    struct eng_file file = {0};
    enum eng_status status = eng_file_read(ctx, 1000, &file, err);
    assert_true((status == ENG_OK) == (file.bytes != NULL));
    eng_file_fini(&file);
    return status;
}

static enum eng_status read_gzip(void *ctx, struct eng_error *err)
{
    struct eng_file file = {0};
    enum eng_status status = eng_file_read_gzip(ctx, 1 << 20, &file, err);
    assert_true((status == ENG_OK) == (file.bytes != NULL));
    eng_file_fini(&file);
    return status;
}

static enum eng_status write_file(void *ctx, struct eng_error *err)
{
    return eng_file_write(ctx, "x", 1, err);
}

static enum eng_status make_dirs(void *ctx, struct eng_error *err)
{
    return eng_file_make_dirs(ctx, err);
}

static enum eng_status make_pool(void *ctx, struct eng_error *err)
{
    (void)ctx;
    struct eng_pool *pool = NULL;
    enum eng_status status = eng_pool_create(2, &pool, err);
    assert_true((status == ENG_OK) == (pool != NULL));
    eng_pool_destroy(pool);
    return status;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    struct temp_folder folder = temp_folder_make();
    const char *path = temp_folder_file(&folder, "zeros.gz");
    static const char zeros[1 << 19];
    gzFile packed = gzopen(path, "wb");
    assert_non_null(packed);
    assert_int_equal(gzwrite(packed, zeros, sizeof zeros), (int)sizeof zeros);
    assert_int_equal(gzclose(packed), Z_OK);

    assert_true(failing_malloc_sweep(fill_arena, NULL) > 10);
    assert_true(failing_malloc_sweep(grow_array, NULL) > 5);
    assert_int_equal(failing_malloc_sweep(read_plain, folder.file), 1);
    assert_true(failing_malloc_sweep(read_gzip, folder.file) > 5); /* grows by doubling */
    assert_int_equal(failing_malloc_sweep(write_file, folder.file), 2);
    temp_folder_file(&folder, "a/b/c");
    assert_int_equal(failing_malloc_sweep(make_dirs, folder.file), 1);
    assert_int_equal(failing_malloc_sweep(make_pool, NULL), 1);
    temp_folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Checked sizes, aligned and growing memory, the arena, the cursor. */
#include "base/arena.h"
#include "base/cursor.h"
#include "base/mem.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static bool all_zero(const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < n; i++) {
        if (p[i]) return false;
    }
    return true;
}

static void sizes_that_overflow_are_refused(void **state)
{
    (void)state;
    size_t out = 77;
    assert_false(eng_mul_size(SIZE_MAX / 2 + 1, 2, &out));
    assert_false(eng_add_size(SIZE_MAX, 1, &out));
    assert_int_equal(out, 77);
    assert_true(eng_mul_size(SIZE_MAX, 1, &out) && out == SIZE_MAX);
    assert_true(eng_add_size(SIZE_MAX - 1, 1, &out) && out == SIZE_MAX);
    assert_null(eng_calloc(SIZE_MAX / 2, 3));
    assert_null(eng_alloc_aligned(SIZE_MAX));
    assert_null(eng_alloc_aligned(SIZE_MAX - ENG_ALIGN));
}

static void large_pieces_move_between_arenas(void **state)
{
    (void)state;
    struct eng_arena from, to;
    char *large[3];
    eng_arena_init(&from);
    eng_arena_init(&to);
    large[0] = eng_arena_alloc(&from, 1, 1 << 20); /* the first block of all */
    char *small = eng_arena_string(&from, "small", 5);
    for (int i = 1; i < 3; i++)
        large[i] = eng_arena_alloc(&from, 1, 4 << 20);
    for (int i = 0; i < 3; i++)
        memset(large[i], 'a' + i, 1 << 20);
    size_t total_bytes = from.total_bytes;
    assert_false(eng_arena_move(&from, small, &to));
    assert_false(eng_arena_move(&from, large[1] + 64, &to));
    assert_false(eng_arena_move(&to, large[1], &from));
    for (int i = 0; i < 3; i++)
        assert_true(eng_arena_move(&from, large[i], &to));
    assert_false(eng_arena_move(&from, large[0], &to));
    assert_int_equal(from.total_bytes + to.total_bytes, total_bytes);
    assert_int_equal(to.total_bytes, 9 << 20);
    char *next[2] = {eng_arena_alloc(&from, 100, 1), eng_arena_alloc(&to, 100, 1)};
    assert_true(all_zero(next[0], 100) && all_zero(next[1], 100));
    assert_string_equal(small, "small");
    eng_arena_fini(&from);
    for (int i = 0; i < 3; i++)
        assert_true(large[i][0] == 'a' + i && large[i][(1 << 20) - 1] == 'a' + i);
    eng_arena_fini(&to);
}

static void nothing_is_still_a_pointer(void **state)
{
    (void)state;
    void *a = eng_calloc(0, 100), *b = eng_alloc_aligned(0);
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal((uintptr_t)b % ENG_ALIGN, 0);
    memset(b, 1, ENG_ALIGN);
    free(a);
    free(b);
}

static void growing_doubles_keeps_and_zeroes(void **state)
{
    (void)state;
    int *numbers = NULL;
    size_t capacity = 0, n_moves = 0;
    for (size_t n = 1; n <= 10000; n++) {
        size_t before = capacity;
        assert_true(eng_grow(&numbers, &capacity, n, sizeof *numbers));
        assert_true(capacity >= n);
        if (capacity != before) {
            n_moves++;
            assert_true(all_zero(numbers + before, (capacity - before) * sizeof *numbers));
        }
        numbers[n - 1] = (int)n;
    }
    assert_true(n_moves < 16);
    for (size_t i = 0; i < 10000; i++)
        assert_int_equal(numbers[i], (int)i + 1);
    int *before = numbers;
    assert_false(eng_grow(&numbers, &capacity, SIZE_MAX / 2, sizeof *numbers));
    assert_ptr_equal(numbers, before);
    free(numbers);
}

static void arena_pieces_are_zeroed_aligned_and_apart(void **state)
{
    (void)state;
    enum { N = 3000 };
    static unsigned char *pieces[N];
    static size_t sizes[N];
    struct eng_arena arena;
    eng_arena_init(&arena);
    for (size_t i = 0; i < N; i++) {
        sizes[i] = i % 97 == 0 ? 20000 : i * 7 % 300;
        pieces[i] = eng_arena_alloc(&arena, sizes[i], 1);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % (sizes[i] >= ENG_ALIGN ? ENG_ALIGN : 16), 0);
        assert_true(all_zero(pieces[i], sizes[i]));
        memset(pieces[i], (int)(i % 251) + 1, sizes[i]);
    }
    for (size_t i = 0; i < N; i++) {
        for (size_t k = 0; k < sizes[i]; k++)
            assert_int_equal(pieces[i][k], i % 251 + 1);
    }
    eng_arena_fini(&arena);
    assert_null(arena.head);
    eng_arena_fini(&arena);
}

static void arena_keeps_its_block_when_a_large_piece_comes(void **state)
{
    (void)state;
    struct eng_arena arena;
    eng_arena_init(&arena);
    char *small = eng_arena_alloc(&arena, 1, 16);
    assert_non_null(eng_arena_alloc(&arena, 1, 1 << 20));
    assert_ptr_equal(eng_arena_alloc(&arena, 1, 16), small + 16);
    eng_arena_fini(&arena);
}

static void arena_refuses_what_cannot_be(void **state)
{
    (void)state;
    struct eng_arena arena;
    eng_arena_init(&arena);
    assert_null(eng_arena_alloc(&arena, SIZE_MAX / 2, 3));
    assert_null(eng_arena_alloc(&arena, SIZE_MAX, 1));
    assert_null(eng_arena_string(&arena, "x", SIZE_MAX));
    assert_null(arena.head);
    assert_non_null(eng_arena_alloc(&arena, 0, 8));
    eng_arena_fini(&arena);
}

static void arena_copies_and_strings(void **state)
{
    (void)state;
    struct eng_arena arena;
    eng_arena_init(&arena);
    assert_string_equal(eng_arena_string(&arena, "convolution", 4), "conv");
    assert_string_equal(eng_arena_string(&arena, NULL, 0), "");
    const int numbers[] = {1, 2, 3};
    assert_memory_equal(eng_arena_copy(&arena, numbers, sizeof numbers), numbers, sizeof numbers);
    assert_non_null(eng_arena_copy(&arena, NULL, 0));
    eng_arena_fini(&arena);
}

static void cursor_never_leaves_its_bytes(void **state)
{
    (void)state;
    const uint8_t bytes[] = {1, 0x34, 0x12, 0xde, 0xad, 0xbe, 0xef};
    struct eng_cursor c = eng_cursor_over(bytes, sizeof bytes);
    assert_int_equal(eng_cursor_u8(&c), 1);
    assert_int_equal(eng_cursor_le16(&c), 0x1234);
    assert_int_equal(eng_cursor_be32(&c), 0xdeadbeef);
    assert_int_equal(eng_cursor_left(&c), 0);
    assert_false(c.failed);
    assert_int_equal(eng_cursor_u8(&c), 0);
    assert_true(c.failed);

    c = eng_cursor_over(bytes, sizeof bytes);
    assert_null(eng_cursor_take(&c, SIZE_MAX));
    assert_null(eng_cursor_take(&c, 1)); /* a failed cursor stays failed */
    c = eng_cursor_over(bytes, 3);
    assert_int_equal(eng_cursor_be32(&c), 0);
    assert_true(c.failed);
    c = eng_cursor_over(bytes, 0);
    assert_non_null(eng_cursor_take(&c, 0));
    assert_int_equal(eng_cursor_le16(&c), 0);
    assert_true(c.failed);
}

/* malloc's, of own pages, and on the border of a huge page. */
static void blocks_are_zeroed_and_aligned(void **state)
{
    (void)state;
    static const size_t sizes[] = {0,
                                   1,
                                   64,
                                   5000,
                                   ENG_BLOCK_PAGES_BYTES - 1,
                                   ENG_BLOCK_PAGES_BYTES,
                                   ENG_BLOCK_PAGES_BYTES + 1,
                                   3 << 20};
    for (size_t i = 0; i < 3 * sizeof sizes / sizeof sizes[0]; i++) {
        size_t n = sizes[i / 3];
        char *block = eng_block_alloc(n);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % ENG_ALIGN, 0);
        eng_block_wish_huge(block, n);
        assert_true(all_zero(block, n));
        memset(block, 1, n);
        eng_block_free(block, n);
    }
    assert_null(eng_block_alloc(SIZE_MAX - 100));
    eng_block_free(NULL, 5000);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
static size_t n_resident(const char *block, size_t n_bytes, size_t page)
{
    static unsigned char pages[4096];
    size_t n = 0;
    assert_true(n_bytes / page <= sizeof pages);
    assert_int_equal(mincore((void *)(uintptr_t)block, n_bytes, pages), 0);
    for (size_t i = 0; i < n_bytes / page; i++)
        n += pages[i] & 1;
    return n;
}

/* Neither a large block nor the blocks of an arena take more than what is written to. */
static void untouched_pages_take_nothing(void **state)
{
    (void)state;
    enum { N = 8 << 20 };
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *block = eng_block_alloc(N);
    assert_non_null(block);
    assert_int_equal(n_resident(block, N, page), 0);
    block[3 << 20] = 1;
    assert_int_equal(n_resident(block, N, page), 1);
    eng_block_free(block, N);
    errno = 0;
    unsigned char resident;
    assert_int_equal(mincore(block, page, &resident), -1); /* there is nothing any more */
    assert_int_equal(errno, ENOMEM);

    struct eng_arena arena;
    eng_arena_init_lasting(&arena);
    char *piece = eng_arena_string(&arena, "a name", 6);
    assert_int_equal(n_resident(piece - (uintptr_t)piece % page, ENG_BLOCK_PAGES_BYTES, page), 1);
    eng_arena_fini(&arena);
}
#endif

static void forgotten_pages_hold_nothing(void **state)
{
    (void)state;
    enum { N = 5 << 20, BEGIN = 100, END = N - 100 };
    char *bytes = eng_alloc_aligned(N);
    assert_non_null(bytes);
    memset(bytes, 7, N);
    eng_forget(bytes + BEGIN, END - BEGIN);
    eng_forget(bytes, 1); /* less than a page */
    for (size_t i = 0; i < BEGIN; i++) {
        assert_int_equal(bytes[i], 7);
        assert_int_equal(bytes[N - 1 - i], 7);
    }
    for (size_t i = 1 << 16; i < N - (1 << 16); i++)
        assert_int_equal(bytes[i], 0);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_zeroed_and_aligned),
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
        cmocka_unit_test(untouched_pages_take_nothing),
#endif
        cmocka_unit_test(forgotten_pages_hold_nothing),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(large_pieces_move_between_arenas),
        cmocka_unit_test(nothing_is_still_a_pointer),
        cmocka_unit_test(growing_doubles_keeps_and_zeroes),
        cmocka_unit_test(arena_pieces_are_zeroed_aligned_and_apart),
        cmocka_unit_test(arena_keeps_its_block_when_a_large_piece_comes),
        cmocka_unit_test(arena_refuses_what_cannot_be),
        cmocka_unit_test(arena_copies_and_strings),
        cmocka_unit_test(cursor_never_leaves_its_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

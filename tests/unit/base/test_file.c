/* Whole files: read with a bound, unpacked with a bound, written atomically. */
#include "base/digest.h"
#include "base/file.h"
#include "temp_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

static struct temp_folder folder;

static int make_folder(void **state)
{
    (void)state;
    folder = temp_folder_make();
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    temp_folder_remove(&folder);
    return 0;
}

static const char *in_folder(const char *name)
{
    return temp_folder_file(&folder, name);
}

static void put(const char *name, const void *bytes, size_t n_bytes)
{
    FILE *file = fopen(in_folder(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n_bytes, file), n_bytes);
    fclose(file);
}

typedef enum eng_status read_fn(const char *path, size_t max_bytes, struct eng_file *out,
                                struct eng_error *err);

/* Refused with that status; the sentence names the path, and nothing is written to out. */
static void expect_refusal(read_fn *read, const char *name, size_t max_bytes,
                           enum eng_status status, const char *word)
{
    struct eng_file file = {.bytes = (uint8_t *)&file, .n_bytes = 99};
    struct eng_error err = {0};
    assert_int_equal(read(in_folder(name), max_bytes, &file, &err), status);
    assert_int_equal(err.status, status);
    assert_ptr_equal(file.bytes, &file);
    assert_non_null(strstr(err.text, in_folder(name)));
    if (!strstr(err.text, word)) fail_msg("\"%s\" lacks \"%s\"", err.text, word);
}

static void expect_bytes(read_fn *read, const char *name, size_t max_bytes, const void *bytes,
                         size_t n_bytes)
{
    struct eng_file file;
    struct eng_error err = {0};
    if (read(in_folder(name), max_bytes, &file, &err) != ENG_OK) fail_msg("%s", err.text);
    assert_int_equal(file.n_bytes, n_bytes);
    assert_memory_equal(file.bytes, bytes, n_bytes);
    eng_file_fini(&file);
    assert_null(file.bytes);
}

static void reads_whole_files(void **state)
{
    (void)state;
    put("abc", "a\0c", 3);
    expect_bytes(eng_file_read, "abc", 3, "a\0c", 3);
    expect_bytes(eng_file_read, "abc", SIZE_MAX, "a\0c", 3);
    put("empty", "", 0);
    expect_bytes(eng_file_read, "empty", 0, "", 0);
    expect_bytes(eng_file_read_gzip, "empty", 0, "", 0);
}

static void refuses_what_it_must_not_read(void **state)
{
    (void)state;
    put("abc", "abc", 3);
    expect_refusal(eng_file_read, "abc", 2, ENG_LIMIT, "3 bytes, but at most 2");
    expect_refusal(eng_file_read, "absent", 9, ENG_NOT_FOUND, "No such file");
    assert_int_equal(mkdir(in_folder("folder"), 0755), 0);
    expect_refusal(eng_file_read, "folder", 9, ENG_IO, "not a regular file");
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    expect_refusal(eng_file_read, "fifo", 9, ENG_IO, "not a regular file");
    expect_refusal(eng_file_read_gzip, "fifo", 9, ENG_IO, "not a regular file");
    expect_refusal(eng_file_read, "abc/x", 9, ENG_IO, "Not a directory");
}

/* A terabyte that occupies nothing on disk: refused by its size, before memory is asked for. */
static void refuses_a_huge_sparse_file(void **state)
{
    (void)state;
    put("sparse", "", 0);
    if (truncate(in_folder("sparse"), (off_t)1 << 40) != 0) skip();
    expect_refusal(eng_file_read, "sparse", 1 << 20, ENG_LIMIT, "1099511627776 bytes");
    unlink(in_folder("sparse"));
}

/* Packs into a new buffer, as one gzip member. */
static uint8_t *pack(const void *bytes, size_t n_bytes, size_t *n_packed)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t capacity = deflateBound(&z, n_bytes);
    uint8_t *packed = malloc(capacity);
    assert_non_null(packed);
    z.next_in = (Bytef *)(uintptr_t)bytes;
    z.avail_in = (uInt)n_bytes;
    z.next_out = packed;
    z.avail_out = (uInt)capacity;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    *n_packed = z.total_out;
    deflateEnd(&z);
    return packed;
}

static void unpacks_gzip_and_plain(void **state)
{
    (void)state;
    static uint8_t noise[100000];
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)(i * i >> 7 ^ i);
    size_t n_packed;
    uint8_t *packed = pack(noise, sizeof noise, &n_packed);
    put("noise.gz", packed, n_packed);
    expect_bytes(eng_file_read_gzip, "noise.gz", sizeof noise, noise, sizeof noise);
    expect_bytes(eng_file_read_gzip, "noise.gz", SIZE_MAX, noise, sizeof noise);
    put("noise", noise, sizeof noise);
    expect_bytes(eng_file_read_gzip, "noise", sizeof noise, noise, sizeof noise);
    expect_refusal(eng_file_read_gzip, "noise", sizeof noise - 1, ENG_LIMIT, "at most 99999");
    expect_refusal(eng_file_read_gzip, "noise.gz", sizeof noise - 1, ENG_LIMIT, "99999");
    expect_refusal(eng_file_read_gzip, "noise.gz", 0, ENG_LIMIT, "0 ");
    free(packed);
    packed = pack("", 0, &n_packed);
    put("nothing.gz", packed, n_packed);
    expect_bytes(eng_file_read_gzip, "nothing.gz", 0, "", 0);
    free(packed);
}

static void unpacks_joined_members(void **state)
{
    (void)state;
    size_t n_a, n_b;
    uint8_t *a = pack("first ", 6, &n_a), *b = pack("second", 6, &n_b);
    uint8_t joined[200];
    memcpy(joined, a, n_a);
    memcpy(joined + n_a, b, n_b);
    put("joined.gz", joined, n_a + n_b);
    expect_bytes(eng_file_read_gzip, "joined.gz", 12, "first second", 12);
    joined[n_a + n_b] = 'x';
    put("trailing.gz", joined, n_a + n_b + 1);
    expect_refusal(eng_file_read_gzip, "trailing.gz", 100, ENG_FORMAT, "not a whole gzip file");
    free(a);
    free(b);
}

static void a_gzip_file_cut_or_changed_anywhere_is_refused(void **state)
{
    (void)state;
    const char *text = "the quick brown fox jumps over the lazy dog, twice: the quick brown fox";
    size_t n_packed;
    uint8_t *packed = pack(text, strlen(text), &n_packed);
    for (size_t n = 2; n < n_packed; n++) {
        put("cut.gz", packed, n);
        expect_refusal(eng_file_read_gzip, "cut.gz", 1000, ENG_FORMAT, "gzip");
    }
    for (size_t i = 10; i < n_packed; i++) { /* after the header, whose bytes hardly matter */
        packed[i] ^= 0x20;
        put("changed.gz", packed, n_packed);
        packed[i] ^= 0x20;
        if (i == n_packed - 9) /* the last bits of the last compressed byte mean nothing */
            continue;
        expect_refusal(eng_file_read_gzip, "changed.gz", 1000, ENG_FORMAT, "gzip");
    }
    free(packed);
}

/* 64 MiB of zeros in 64 KiB, again and again: never more than the limit is unpacked. */
static void a_gzip_bomb_is_stopped_at_the_limit(void **state)
{
    (void)state;
    enum { N = 1 << 26 };
    uint8_t *zeros = calloc(1, N);
    assert_non_null(zeros);
    size_t n_packed;
    uint8_t *packed = pack(zeros, N, &n_packed);
    assert_true(n_packed < 1 << 17);
    put("bomb.gz", packed, n_packed);
    expect_refusal(eng_file_read_gzip, "bomb.gz", 1 << 20, ENG_LIMIT, "more than 1048576 bytes");
    expect_refusal(eng_file_read_gzip, "bomb.gz", N - 1, ENG_LIMIT, "more than 67108863 bytes");
    expect_bytes(eng_file_read_gzip, "bomb.gz", N, zeros, N);
    free(packed);
    free(zeros);
}

static int n_entries(void)
{
    DIR *dir = opendir(folder.path);
    assert_non_null(dir);
    int n = 0;
    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 2;
}

static void writing_replaces_and_leaves_nothing_behind(void **state)
{
    (void)state;
    struct eng_error err = {0};
    mode_t mask = umask(077);
    assert_int_equal(eng_file_write(in_folder("out"), "old", 3, &err), ENG_OK);
    umask(mask);
    struct stat info;
    assert_int_equal(stat(in_folder("out"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0644);
    int n_before = n_entries();
    FILE *reader = fopen(in_folder("out"), "rb");
    assert_int_equal(eng_file_write(in_folder("out"), "new one", 7, &err), ENG_OK);
    expect_bytes(eng_file_read, "out", 100, "new one", 7);
    char old[8] = "";
    assert_int_equal(fread(old, 1, sizeof old, reader), 3); /* who had it open keeps the old one */
    fclose(reader);
    assert_int_equal(eng_file_write(in_folder("out"), NULL, 0, &err), ENG_OK);
    expect_bytes(eng_file_read, "out", 100, "", 0);
    assert_int_equal(n_entries(), n_before);
}

static void a_failed_write_says_why_and_leaves_nothing_behind(void **state)
{
    (void)state;
    struct eng_error err = {0};
    assert_int_equal(eng_file_write(in_folder("no/such"), "x", 1, &err), ENG_NOT_FOUND);
    assert_non_null(strstr(err.text, in_folder("no/such")));
    assert_int_equal(mkdir(in_folder("taken"), 0755), 0);
    int n_before = n_entries();
    err = (struct eng_error){0};
    assert_int_equal(eng_file_write(in_folder("taken"), "x", 1, &err), ENG_IO);
    assert_non_null(strstr(err.text, "directory"));
    assert_int_equal(n_entries(), n_before);
}

static void a_path_without_a_folder_is_written_here(void **state)
{
    (void)state;
    char *before = getcwd(NULL, 0);
    assert_non_null(before);
    assert_int_equal(chdir(folder.path), 0);
    enum eng_status status = eng_file_write("here", "x", 1, NULL);
    int back = chdir(before);
    free(before);
    assert_int_equal(back, 0);
    assert_int_equal(status, ENG_OK);
    expect_bytes(eng_file_read, "here", 1, "x", 1);
}

static void makes_folders_and_tells_them_from_files(void **state)
{
    (void)state;
    struct eng_error err = {0};
    assert_int_equal(eng_file_make_dirs(in_folder("a/b//c/"), &err), ENG_OK);
    assert_true(eng_file_is_dir(in_folder("a/b/c")));
    assert_int_equal(eng_file_make_dirs(in_folder("a/b/c"), &err), ENG_OK);
    put("a/file", "x", 1);
    assert_true(eng_file_exists(in_folder("a/file")));
    assert_false(eng_file_is_dir(in_folder("a/file")));
    assert_false(eng_file_exists(in_folder("a/none")));
    assert_int_equal(eng_file_make_dirs(in_folder("a/file/deep"), &err), ENG_IO);
    assert_non_null(strstr(err.text, "a/file/deep: cannot make the folder"));
    assert_int_equal(eng_file_make_dirs("", NULL), ENG_NOT_FOUND);
    assert_int_equal(eng_file_make_dirs("/", NULL), ENG_OK);
}

static void an_open_file_is_read_anywhere(void **state)
{
    (void)state;
    struct eng_open_file file;
    struct eng_error err = {0};
    char at[4] = "";
    put("pieces", "0123456789", 10);
    assert_int_equal(eng_file_open(in_folder("pieces"), 10, &file, NULL), ENG_OK);
    assert_int_equal(file.n_bytes, 10);
    assert_int_equal(eng_open_file_read(&file, 7, at, 3, NULL), ENG_OK);
    assert_string_equal(at, "789");
    assert_int_equal(eng_open_file_check(&file, NULL), ENG_OK);
    assert_int_equal(eng_open_file_read(&file, 8, at, 3, &err), ENG_IO);
    assert_non_null(strstr(err.text, "ends after 10 of 10 bytes"));
    eng_open_file_close(&file);
}

static void what_was_written_to_is_noticed(void **state)
{
    (void)state;
    struct eng_open_file file;
    struct eng_error err = {0};
    const struct timespec long_ago[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    put("written", "0123456789", 10);
    assert_int_equal(utimensat(AT_FDCWD, in_folder("written"), long_ago, 0), 0);
    assert_int_equal(eng_file_open(in_folder("written"), 10, &file, NULL), ENG_OK);
    put("written", "9876543210", 10);
    assert_int_equal(eng_open_file_check(&file, &err), ENG_IO);
    assert_non_null(strstr(err.text, in_folder("written")));
    eng_open_file_close(&file);
}

/* Large enough for a thread of its own, and not. */
static void a_digest_is_computed_meanwhile(void **state)
{
    (void)state;
    static uint8_t bytes[3 << 20];
    static const size_t sizes[] = {0, 3, 70000, sizeof bytes};
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 24);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct eng_open_file file;
        struct eng_file_digest digest;
        char wanted[ENG_DIGEST_CHARS];
        put("digest", bytes, sizes[i]);
        eng_digest_sha256(bytes, sizes[i], wanted);
        assert_int_equal(eng_file_open(in_folder("digest"), sizeof bytes, &file, NULL), ENG_OK);
        eng_file_digest_begin(&file, &digest);
        assert_int_equal(eng_file_digest_end(&digest, true, NULL), ENG_OK);
        assert_string_equal(digest.hex, wanted);
        eng_file_digest_begin(&file, &digest);
        assert_int_equal(eng_file_digest_end(&digest, false, NULL), ENG_OK);
        if (sizes[i] > 0) {
            struct eng_error err = {0};
            put("digest", bytes, sizes[i] - 1);
            eng_file_digest_begin(&file, &digest);
            assert_int_equal(eng_file_digest_end(&digest, true, &err), ENG_IO);
            assert_non_null(strstr(err.text, "shrank"));
        }
        eng_open_file_close(&file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_whole_files),
        cmocka_unit_test(refuses_what_it_must_not_read),
        cmocka_unit_test(refuses_a_huge_sparse_file),
        cmocka_unit_test(an_open_file_is_read_anywhere),
        cmocka_unit_test(what_was_written_to_is_noticed),
        cmocka_unit_test(a_digest_is_computed_meanwhile),
        cmocka_unit_test(unpacks_gzip_and_plain),
        cmocka_unit_test(unpacks_joined_members),
        cmocka_unit_test(a_gzip_file_cut_or_changed_anywhere_is_refused),
        cmocka_unit_test(a_gzip_bomb_is_stopped_at_the_limit),
        cmocka_unit_test(writing_replaces_and_leaves_nothing_behind),
        cmocka_unit_test(a_failed_write_says_why_and_leaves_nothing_behind),
        cmocka_unit_test(a_path_without_a_folder_is_written_here),
        cmocka_unit_test(makes_folders_and_tells_them_from_files),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

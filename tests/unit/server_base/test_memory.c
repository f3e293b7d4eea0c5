/* memory_limit: its text, what control groups say, the sum, what models take. */
#include "base/memory.h"
#include "base/text.h"
#include "temp_folder.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <cmocka.h>

#define MIB ((size_t)1 << 20)

static void reads_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n_bytes;
    } good[] = {{"0", 0},           {"268435456", 256 * MIB}, {"256M", 256 * MIB}, {"4K", 4096},
                {"2G", 2048 * MIB}, {"1T", MIB * MIB},        {"0007", 7}};
    static const char *const bad[] = {"",          "M",    "-1",   "+1",  " 1",
                                      "1m",        "1MiB", "1.5G", "1 G", "99999999999999999999",
                                      "16777216T", "Auto"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        size_t n_bytes = 1;
        assert_int_equal(srv_memory_limit(good[i].text, "", &n_bytes, NULL), ENG_OK);
        assert_int_equal(n_bytes, good[i].n_bytes);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        size_t n_bytes = 77;
        struct eng_error err = {0};
        assert_int_equal(srv_memory_limit(bad[i], "", &n_bytes, &err), ENG_ARGUMENT);
        assert_non_null(strstr(err.text, "wanted bytes, such as"));
        assert_int_equal(n_bytes, 77);
    }
}

static void put(const struct temp_folder *root, const char *name, const char *text)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", root->path, name);
    for (char *slash = path + strlen(root->path) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static size_t limit_of(const struct temp_folder *root)
{
    size_t n_bytes = 77;
    assert_int_equal(srv_memory_limit("auto", root->path, &n_bytes, NULL), ENG_OK);
    return n_bytes;
}

static void asks_the_control_groups(void **state)
{
    (void)state;
    struct temp_folder root = temp_folder_make();
    assert_int_equal(limit_of(&root), 0); /* no groups at all */
    put(&root, "proc/self/cgroup", "0::/a/b\n");
    assert_int_equal(limit_of(&root), 0);
    put(&root, "sys/fs/cgroup/a/b/memory.max", "max\n");
    assert_int_equal(limit_of(&root), 0);
    put(&root, "sys/fs/cgroup/a/memory.max", "536870912\n");
    assert_int_equal(limit_of(&root), 512 * MIB);
    put(&root, "sys/fs/cgroup/a/b/memory.max", "268435456\n");
    assert_int_equal(limit_of(&root), 256 * MIB);
    put(&root, "sys/fs/cgroup/a/b/memory.high", "max\n");
    assert_int_equal(limit_of(&root), 256 * MIB);
    put(&root, "sys/fs/cgroup/a/b/memory.high",
        "134217728\n"); /* slowed down before it is killed */
    assert_int_equal(limit_of(&root), 128 * MIB);
    put(&root, "sys/fs/cgroup/a/memory.high", "67108864\n");
    assert_int_equal(limit_of(&root), 64 * MIB);
    put(&root, "proc/self/cgroup", "0::/pods:slice/cri:containerd:1\n"); /* names hold colons */
    put(&root, "sys/fs/cgroup/pods:slice/memory.max", "33554432\n");
    assert_int_equal(limit_of(&root), 32 * MIB);
    put(&root, "sys/fs/cgroup/pods:slice/cri:containerd:1/memory.max", "16777216\n");
    assert_int_equal(limit_of(&root), 16 * MIB);
    put(&root, "sys/fs/cgroup/unified/pods:slice/memory.max", "8388608\n"); /* v1 beside v2 */
    assert_int_equal(limit_of(&root), 8 * MIB);
    put(&root, "proc/self/cgroup", "0::/../other\n"); /* above what the container sees */
    put(&root, "sys/fs/cgroup/memory.max", "4194304\n");
    assert_int_equal(limit_of(&root), 4 * MIB);
    remove(temp_folder_file(&root, "sys/fs/cgroup/memory.max"));
    put(&root, "proc/self/cgroup", "5:cpu:/x\n4:memory:/c\n0::/\n");
    put(&root, "sys/fs/cgroup/memory/c/memory.limit_in_bytes", "9223372036854771712\n");
    assert_int_equal(limit_of(&root), 0);
    put(&root, "sys/fs/cgroup/memory/c/memory.limit_in_bytes", "1048576\n");
    assert_int_equal(limit_of(&root), MIB);
    put(&root, "proc/self/cgroup", "no lines of this kind\n:\n::\n");
    assert_int_equal(limit_of(&root), 0);
    temp_folder_remove(&root);
}

static struct srv_config config_of(const char *limit)
{
    struct srv_config config;
    assert_int_equal(srv_config_init(&config, NULL), ENG_OK);
    assert_int_equal(srv_config_set(&config, "explain", "off", "test", NULL), ENG_OK);
    assert_int_equal(srv_config_set(&config, "memory_limit", limit, "test", NULL), ENG_OK);
    return config;
}

/* Each setting that the sentence names makes its part larger, and no other. */
static void parts_follow_the_settings(void **state)
{
    (void)state;
    struct srv_config config = config_of("0");
    struct srv_memory_parts before = srv_memory_parts_of(&config, 2);
    assert_int_equal(before.explanations, 0);
    config.max_connections *= 2;
    struct srv_memory_parts after = srv_memory_parts_of(&config, 2);
    assert_true(after.connections > before.connections);
    config.max_bodies_bytes += 10;
    assert_int_equal(srv_memory_parts_of(&config, 2).requests, before.requests + 20);
    assert_int_equal(srv_memory_parts_of(&config, 4).decoding, 2 * before.decoding);
    assert_int_equal(srv_config_set(&config, "explain", "on", "test", NULL), ENG_OK);
    assert_true(srv_memory_parts_of(&config, 2).explanations > 0);
    assert_int_equal(srv_config_set(&config, "admin", "", "test", NULL), ENG_OK);
    assert_int_equal(srv_memory_parts_of(&config, 2).requests, before.requests / 2 + 10);
    srv_config_fini(&config);
}

static void refuses_what_does_not_fit(void **state)
{
    (void)state;
    struct srv_config config = config_of("0");
    size_t sum;
    struct srv_memory memory;
    struct eng_error err = {0};
    assert_int_equal(srv_memory_init(&memory, &config, 2, &err), ENG_OK);
    assert_int_equal(srv_memory_take(&memory, SIZE_MAX / 4, "m", &err), ENG_OK); /* no limit */
    assert_int_equal(srv_memory_take(NULL, SIZE_MAX / 4, "m", &err), ENG_OK);
    sum = srv_memory_sum(&memory.parts);
    srv_config_fini(&config);

    char text[32];
    snprintf(text, sizeof text, "%zu", sum - 1);
    config = config_of(text);
    assert_int_equal(srv_memory_init(&memory, &config, 2, &err), ENG_LIMIT);
    assert_non_null(strstr(err.text, "the settings do not fit: at most "));
    srv_config_fini(&config);

    snprintf(text, sizeof text, "%zu", sum + 100);
    config = config_of(text);
    assert_int_equal(srv_memory_init(&memory, &config, 2, NULL), ENG_OK);
    assert_int_equal(srv_memory_take(&memory, 60, "a", NULL), ENG_OK);
    err = (struct eng_error){0};
    assert_int_equal(srv_memory_take(&memory, 41, "b", &err), ENG_LIMIT);
    assert_non_null(strstr(err.text, "model 'b' does not fit: at most "));
    assert_int_equal(srv_memory_take(&memory, 40, "c", NULL), ENG_OK);
    assert_int_equal(srv_memory_take(&memory, 1, "d", NULL), ENG_LIMIT);
    config.max_bodies_bytes += 1; /* in each of two listeners */
    assert_int_equal(srv_memory_check(&memory, &config, NULL), ENG_LIMIT);
    config.max_bodies_bytes -= 1;
    assert_int_equal(srv_memory_check(&memory, &config, NULL), ENG_OK);
    srv_memory_give(&memory, 60);
    config.max_bodies_bytes += 10;
    assert_int_equal(srv_memory_check(&memory, &config, NULL), ENG_OK);
    srv_memory_apply(&memory, &config);
    assert_int_equal(srv_memory_take(&memory, 41, "e", NULL), ENG_LIMIT);
    config.max_bodies_bytes -= 10;
    srv_memory_apply(&memory, &config);
    assert_int_equal(srv_memory_take(&memory, 60, "e", NULL), ENG_OK);
    srv_config_fini(&config);
}

static size_t metric(struct srv_memory *memory, const char *line)
{
    struct srv_text text = {0};
    unsigned long long value;
    srv_memory_write_metrics(memory, &text);
    assert_false(text.failed);
    const char *found = strstr(text.bytes, line);
    if (!found) fail_msg("no \"%s\" in: %s", line, text.bytes);
    assert_int_equal(sscanf(found + strlen(line), "%llu", &value), 1);
    srv_text_fini(&text);
    return value;
}

/* Models are counted without a limit too: it may come while they serve. */
static void a_limit_comes_and_goes(void **state)
{
    (void)state;
    struct srv_config config = config_of("0");
    struct srv_memory memory;
    struct eng_error err = {0};
    assert_int_equal(srv_memory_init(&memory, &config, 2, NULL), ENG_OK);
    assert_int_equal(srv_memory_take(&memory, 100 * MIB, "a", NULL), ENG_OK);
    assert_int_equal(metric(&memory, "\nclassifyd_memory_planned_bytes{part=\"models\"} "),
                     100 * MIB);
    assert_int_equal(metric(&memory, "\nclassifyd_memory_planned_bytes{part=\"requests\"} "),
                     memory.parts.requests);
    assert_int_equal(metric(&memory, "\nclassifyd_memory_limit_bytes "), 0);
    size_t sum = srv_memory_sum(&memory.parts);
    char text[32];
    snprintf(text, sizeof text, "%zu", sum + 99 * MIB);
    struct srv_config tight = config_of(text);
    assert_int_equal(srv_memory_check(&memory, &tight, &err), ENG_LIMIT);
    srv_memory_give(&memory, 50 * MIB);
    assert_int_equal(srv_memory_check(&memory, &tight, NULL), ENG_OK);
    srv_memory_apply(&memory, &tight);
    assert_int_equal(metric(&memory, "\nclassifyd_memory_limit_bytes "), sum + 99 * MIB);
    assert_int_equal(srv_memory_take(&memory, 50 * MIB, "b", NULL), ENG_LIMIT);
    assert_int_equal(srv_memory_take(&memory, 49 * MIB, "b", NULL), ENG_OK);
    srv_memory_apply(&memory, &config);
    assert_int_equal(srv_memory_take(&memory, 500 * MIB, "c", NULL), ENG_OK);
    srv_config_fini(&tight);
    srv_config_fini(&config);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
/* Whether malloc gives a block of this size pages of its own, which free returns. */
static bool has_own_pages(size_t n_bytes)
{
    malloc_trim(0); /* what is free comes first, whatever its size */
    size_t before = mallinfo2().hblks;
    void *volatile block = malloc(n_bytes);
    assert_non_null(block);
    size_t after = mallinfo2().hblks;
    free(block);
    return after > before;
}

/* However large the blocks were that were freed before. */
static void large_blocks_are_given_back(void **state)
{
    (void)state;
    struct srv_memory memory;
    struct srv_config without = config_of("0"), with = config_of("64G");
    assert_int_equal(srv_memory_init(&memory, &without, 2, NULL), ENG_OK);
    assert_true(has_own_pages(24 * MIB));
    assert_true(has_own_pages(5 * MIB));
    assert_false(has_own_pages(MIB));
    srv_memory_apply(&memory, &with);
    assert_true(has_own_pages(24 * MIB));
    assert_true(has_own_pages(200 << 10));
    srv_config_fini(&without);
    srv_config_fini(&with);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_sizes),
        cmocka_unit_test(asks_the_control_groups),
        cmocka_unit_test(parts_follow_the_settings),
        cmocka_unit_test(refuses_what_does_not_fit),
        cmocka_unit_test(a_limit_comes_and_goes),
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
        cmocka_unit_test(large_blocks_are_given_back),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

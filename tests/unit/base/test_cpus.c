/* The cpu quota, read from trees that look like the kernel's; and threads that leave a CPU. */
#include "base/cpus.h"
#include "base/file.h"
#include "engine/pool.h"
#include "temp_folder.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void put(struct temp_folder *root, const char *path, const char *text)
{
    char folder[512];
    snprintf(folder, sizeof folder, "%s", temp_folder_file(root, path));
    *strrchr(folder, '/') = '\0';
    assert_int_equal(eng_file_make_dirs(folder, NULL), ENG_OK);
    const char *file = temp_folder_file(root, path);
    assert_int_equal(eng_file_write(file, text, strlen(text), NULL), ENG_OK);
}

/* Files of a tree: path, text; then the CPUs that they allow. */
struct tree {
    const char *files[8][2];
    int cpus;
};

#define SELF "proc/self/cgroup"
#define CG   "sys/fs/cgroup/"

static const struct tree trees[] = {
    /* v2 */
    {{{SELF, "0::/\n"}, {CG "cpu.max", "150000 100000\n"}}, 2},
    {{{SELF, "0::/\n"}, {CG "cpu.max", "50000 100000\n"}}, 1},
    {{{SELF, "0::/\n"}, {CG "cpu.max", "max 100000\n"}}, 0},
    {{{SELF, "0::/a/b\n"}, {CG "a/b/cpu.max", "max 100000\n"}, {CG "a/cpu.max", "300000 100000\n"}},
     3},
    {{{SELF, "0::/a/b\n"},
      {CG "a/b/cpu.max", "800000 100000\n"},
      {CG "a/cpu.max", "300000 100000\n"},
      {CG "cpu.max", "400000 100000\n"}},
     3},
    {{{SELF, "0::/not/seen/from/inside\n"}, {CG "cpu.max", "200000 100000\n"}}, 2},
    /* v1, and both at once */
    {{{SELF, "4:memory:/m\n3:cpu,cpuacct:/a\n"},
      {CG "cpu,cpuacct/a/cpu.cfs_quota_us", "250000\n"},
      {CG "cpu,cpuacct/a/cpu.cfs_period_us", "100000\n"}},
     3},
    {{{SELF, "2:cpuacct:/a\n1:cpu:/a\n0::/\n"},
      {CG "cpu/a/cpu.cfs_quota_us", "-1\n"},
      {CG "cpu/a/cpu.cfs_period_us", "100000\n"},
      {CG "cpu/cpu.cfs_quota_us", "600000\n"},
      {CG "cpu/cpu.cfs_period_us", "100000\n"},
      {CG "unified/cpu.max", "700000 100000\n"}},
     6},
    /* cpuset is not cpu */
    {{{SELF, "1:cpuset:/\n"},
      {CG "cpuset/cpu.cfs_quota_us", "100000\n"},
      {CG "cpuset/cpu.cfs_period_us", "100000\n"}},
     0},
    /* nonsense is no quota */
    {{{SELF, "nonsense\n:\n::\n0::/\n"}, {CG "cpu.max", "many\n"}}, 0},
    {{{SELF, "0::/\n"}, {CG "cpu.max", "100000 0\n"}}, 0},
    {{{SELF, "0::/\n"}, {CG "cpu.max", "-5 100000\n"}}, 0},
    {{{SELF, ""}}, 0},
    {{{NULL, NULL}}, 0},
};

static void quotas_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof trees / sizeof trees[0]; i++) {
        struct temp_folder root = temp_folder_make();
        for (size_t k = 0; trees[i].files[k][0]; k++)
            put(&root, trees[i].files[k][0], trees[i].files[k][1]);
        int cpus = eng_cpus_of_quota(root.path);
        temp_folder_remove(&root);
        if (cpus != trees[i].cpus)
            fail_msg("tree %zu: %d CPUs instead of %d", i, cpus, trees[i].cpus);
    }
}

static void this_process_has_a_cpu(void **state)
{
    (void)state;
    assert_in_range(eng_pool_cpus(), 1, 65536);
}

static cpu_set_t allowed_cpus(void)
{
    cpu_set_t allowed;
    assert_int_equal(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    return allowed;
}

static void a_thread_leaves_a_cpu_and_may_come_back(void **state)
{
    (void)state;
    cpu_set_t before = allowed_cpus();
    enum { N = 100 };
    int n_elsewhere = 0;
    for (int i = 0; i < N; i++) {
        int cpu = sched_getcpu();
        eng_cpus_leave(cpu);
        n_elsewhere += sched_getcpu() != cpu;
        cpu_set_t after = allowed_cpus();
        assert_true(CPU_EQUAL(&after, &before));
    }
    if (CPU_COUNT(&before) > 1) assert_in_range(n_elsewhere, N / 2, N);
}

static void the_only_cpu_is_not_left(void **state)
{
    (void)state;
    cpu_set_t before = allowed_cpus(), one;
    int cpu = sched_getcpu();
    CPU_ZERO(&one);
    CPU_SET((size_t)cpu, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    eng_cpus_leave(cpu);
    eng_cpus_leave(-1);
    eng_cpus_leave(CPU_SETSIZE);
    cpu_set_t after = allowed_cpus();
    assert_true(CPU_EQUAL(&after, &one));
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotas_are_found),
        cmocka_unit_test(this_process_has_a_cpu),
        cmocka_unit_test(a_thread_leaves_a_cpu_and_may_come_back),
        cmocka_unit_test(the_only_cpu_is_not_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

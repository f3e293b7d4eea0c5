/* What the control group allows, the cpu quota of cgroup v1 and v2; and where a thread runs. */
#ifndef ENG_BASE_CPUS_H
#define ENG_BASE_CPUS_H

/*
 * Purpose: the smallest cpu quota of this process's control groups and their parents, in whole
 * CPUs, rounded up. 0: no quota. root is put before /proc and /sys ("" but in tests).
 */
int eng_cpus_of_quota(const char *root);

/* Purpose: moves the calling thread off this CPU, to another of those that it may run on;
 * afterwards it may run where it might before. Cost: some 20 us. */
void eng_cpus_leave(int cpu);

#endif

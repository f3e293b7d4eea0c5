/* What the control groups that this process runs in allow it: cgroups of Linux, v1 and v2. */
#ifndef ENGINE_CONTROL_GROUP_H
#define ENGINE_CONTROL_GROUP_H

#include <stdbool.h>
#include <stddef.h>

/* folder: of one group, where its files are, if they are. */
typedef void eng_control_group_visit(const char *folder, void *ctx);

/*
 * Purpose: visits this process's groups, each from its own up to the hierarchy's root: of v2, and
 *          of the v1 hierarchy that has the controller, such as "memory". A container sees its own
 *          group as the root, so folders that do not exist are visited too, and a folder may come
 *          twice. root is put before /proc and /sys ("" but in tests).
 */
void eng_control_groups_visit(const char *root, const char *controller,
                              eng_control_group_visit *visit, void *ctx);

/* Purpose: the first n - 1 characters of the file's first line; false: there is no such file, or no
 * line in it. */
bool eng_control_group_read(const char *folder, const char *file, char *line, size_t n);

#endif

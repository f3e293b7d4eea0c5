#include "train/class_names.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

enum eng_status eng_class_names_copy(const char *const *names, size_t n, const char ***out,
                                     struct eng_error *err)
{
    size_t n_bytes = n * sizeof(char *);
    for (size_t i = 0; i < n; i++)
        n_bytes += strlen(names[i]) + 1;
    const char **block = malloc(n_bytes ? n_bytes : 1);
    if (!block) return eng_fail_memory(err, "the names of classes");
    char *text = (char *)(block + n);
    for (size_t i = 0; i < n; i++) {
        block[i] = text;
        text = stpcpy(text, names[i]) + 1;
    }
    *out = block;
    return ENG_OK;
}

/* The bytes of one line without the white space around it. */
struct line {
    const char *text;
    size_t n;
};

/* Takes the next line off *at. */
static struct line next_line(const char **at, const char *end)
{
    const char *start = *at, *stop = memchr(start, '\n', (size_t)(end - start));
    *at = stop ? stop + 1 : end;
    if (!stop) stop = end;
    while (stop > start && strchr(" \t\r", stop[-1]))
        stop--;
    while (start < stop && (*start == ' ' || *start == '\t'))
        start++;
    return (struct line){start, (size_t)(stop - start)};
}

static enum eng_status check_name(const char *path, size_t number, struct line line,
                                  const char *const *names, size_t n, struct eng_error *err)
{
    if (!eng_utf8_is_valid(line.text, line.n) || memchr(line.text, '\0', line.n))
        return eng_fail(err, ENG_FORMAT, "%s: line %zu is not UTF-8; wanted the name of a class",
                        path, number);
    for (size_t i = 0; i < n; i++)
        if (strlen(names[i]) == line.n && memcmp(names[i], line.text, line.n) == 0)
            return eng_fail(err, ENG_FORMAT,
                            "%s: line %zu names the class %s again; wanted different names", path,
                            number, names[i]);
    return ENG_OK;
}

/* names[n] point into copy, which is as long as the text and one byte. */
static enum eng_status split_lines(const char *path, const char *text, size_t n_bytes, size_t n,
                                   const char **names, char *copy, struct eng_error *err)
{
    const char *at = text, *end = text + n_bytes;
    size_t found = 0;
    for (size_t number = 1; at < end; number++) {
        struct line line = next_line(&at, end);
        if (line.n == 0) continue;
        if (found < n) {
            enum eng_status status = check_name(path, number, line, names, found, err);
            if (status != ENG_OK) return status;
            names[found] = copy;
            copy = (char *)mempcpy(copy, line.text, line.n) + 1;
        }
        found++;
    }
    if (found != n)
        return eng_fail(err, ENG_FORMAT, "%s: %zu names of classes; wanted %zu, one a line", path,
                        found, n);
    return ENG_OK;
}

enum eng_status eng_class_names_parse(const char *path, const void *text, size_t n_bytes, size_t n,
                                      const char ***out, struct eng_error *err)
{
    const char **names = eng_calloc(n, sizeof *names);
    char *copy = eng_calloc(n_bytes + n + 1, 1);
    enum eng_status status = names && copy ? split_lines(path, text, n_bytes, n, names, copy, err)
                                           : eng_fail_memory(err, "the names of classes");
    if (status == ENG_OK) status = eng_class_names_copy(names, n, out, err);
    free(names);
    free(copy);
    return status;
}

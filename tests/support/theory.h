/*
 * What docs/theory.md claims, held against what our code computes: a test prints its result in the
 * document's words and digits, and the document must contain them.
 */
#ifndef TESTS_THEORY_H
#define TESTS_THEORY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { THEORY_MAX_BYTES = 1 << 18 };

/* Blanks and line ends become one blank, so that a sentence may be broken anywhere. */
static inline void theory_squeeze(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        int blank = *from == ' ' || *from == '\n';
        if (!blank)
            *to++ = *from;
        else if (to > text && to[-1] != ' ')
            *to++ = ' ';
    }
    *to = '\0';
}

/* A group setup: *state is the document. */
static inline int theory_open(void **state)
{
    const char *source = getenv("CLASSIFYD_SOURCE");
    char path[4096];
    snprintf(path, sizeof path, "%s/docs/theory.md", source ? source : ".");
    FILE *file = fopen(path, "rb");
    char *text = calloc(THEORY_MAX_BYTES, 1);
    if (!file || !text) {
        perror(path);
        if (file) fclose(file);
        free(text);
        return -1;
    }
    size_t n = fread(text, 1, THEORY_MAX_BYTES - 1, file);
    fclose(file);
    text[n] = '\0';
    theory_squeeze(text);
    *state = text;
    return 0;
}

static inline int theory_close(void **state)
{
    free(*state);
    return 0;
}

/* The document holds this text. */
__attribute__((format(printf, 2, 3))) static inline void theory_says(void **state,
                                                                     const char *format, ...)
{
    char wanted[600];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(wanted, sizeof wanted, format, args);
    va_end(args);
    assert_true(n > 0 && n < (int)sizeof wanted);
    if (!strstr(*state, wanted))
        fail_msg("our code computes '%s'; docs/theory.md does not say so", wanted);
}

#endif

/* Status codes and error sentences, shared by the engine, the tools and the daemon. */
#ifndef ENGINE_STATUS_H
#define ENGINE_STATUS_H

/* Rows: name, what it means. The daemon maps each to an HTTP status (server/src/api/errors.def). */
#define ENG_STATUS_MAP(ROW)                                                           \
    ROW(OK, "success")                                                                \
    ROW(NO_MEMORY, "out of memory")                                                   \
    ROW(ARGUMENT, "an argument has a value that the call does not take")              \
    ROW(FORMAT, "the data are malformed, truncated or inconsistent")                  \
    ROW(UNSUPPORTED, "the data are well-formed but use what this engine does not do") \
    ROW(LIMIT, "a size lies above its limit")                                         \
    ROW(IO, "the operating system refused a read or write")                           \
    ROW(NOT_FOUND, "no such file, model or name")                                     \
    ROW(MISMATCH, "an answer differs from the one recorded in the model")             \
    ROW(DIVERGED, "training produced a value that is not finite")                     \
    ROW(CANCELLED, "the caller asked to stop")

enum eng_status {
#define ROW(name, text) ENG_##name,
    ENG_STATUS_MAP(ROW)
#undef ROW
};

/*
 * A sentence that names the object, the value found and the value wanted.
 * The caller owns it and sets it to {0}; the first error written wins. Functions that take one
 * accept NULL.
 */
struct eng_error {
    enum eng_status status;
    char text[480];
};

/* Purpose: the code's name in lower case ("no_memory"). Static string, never NULL. Any thread. */
const char *eng_status_name(enum eng_status status);

/* Purpose: the code's meaning as a phrase. Static string, never NULL. Any thread. */
const char *eng_status_text(enum eng_status status);

#endif
